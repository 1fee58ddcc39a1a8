import type { VerifiedToken } from './jwt.ts'

interface Remembered {
  readonly token: string
  readonly verified: VerifiedToken
}

const MAX_CHARACTERS = 16 * 1024 * 1024
/** The end of a signature tells tokens apart; looking up all their text would cost more than the rest of a hit. */
const NAME_LENGTH = 12

/**
 * Remembers verified tokens until they expire. One is found by its end and then compared as a whole: two tokens never
 * share an entry. Bounded by the characters it holds; the oldest goes first. A change of keys forgets everything.
 */
export class TokenCache {
  readonly #entries = new Map<string, Remembered>()
  readonly #maxCharacters: number
  #characters = 0
  #generation = 0

  constructor(maxCharacters: number = MAX_CHARACTERS) {
    this.#maxCharacters = maxCharacters
  }

  get(token: string, nowMs: number, generation: number): VerifiedToken | undefined {
    if (generation !== this.#generation) this.#forgetAll(generation)
    const entry = this.#entries.get(nameOf(token))
    if (entry?.token !== token) return undefined
    if (entry.verified.expiresAtMs > nowMs) return entry.verified
    this.#forget(entry)
    return undefined
  }

  set(token: string, verified: VerifiedToken, generation: number): void {
    if (generation !== this.#generation || this.#entries.has(nameOf(token))) return
    this.#entries.set(nameOf(token), { token, verified })
    this.#characters += token.length
    for (const oldest of this.#entries.values()) {
      if (this.#characters <= this.#maxCharacters) break
      this.#forget(oldest)
    }
  }

  get size(): number {
    return this.#entries.size
  }

  #forget({ token }: Remembered): void {
    if (this.#entries.delete(nameOf(token))) this.#characters -= token.length
  }

  #forgetAll(generation: number): void {
    this.#entries.clear()
    this.#characters = 0
    this.#generation = generation
  }
}

function nameOf(token: string): string {
  return token.slice(-NAME_LENGTH)
}
