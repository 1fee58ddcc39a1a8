import type { VerifiedToken } from './bearer-token.ts'

const MAX_CHARACTERS = 16 * 1024 * 1024

/**
 * Remembers verified tokens by their whole text until they expire: two tokens never share an entry.
 * Bounded by the characters it holds; the oldest goes first. A change of keys forgets everything.
 */
export class TokenCache {
  readonly #entries = new Map<string, VerifiedToken>()
  readonly #maxCharacters: number
  #characters = 0
  #generation = 0

  constructor(maxCharacters: number = MAX_CHARACTERS) {
    this.#maxCharacters = maxCharacters
  }

  get(token: string, nowMs: number, generation: number): VerifiedToken | undefined {
    if (generation !== this.#generation) this.#forgetAll(generation)
    const entry = this.#entries.get(token)
    if (entry === undefined || entry.expiresAtMs > nowMs) return entry
    this.#forget(token)
    return undefined
  }

  set(token: string, entry: VerifiedToken, generation: number): void {
    if (generation !== this.#generation || this.#entries.has(token)) return
    this.#entries.set(token, entry)
    this.#characters += token.length
    for (const oldest of this.#entries.keys()) {
      if (this.#characters <= this.#maxCharacters) break
      this.#forget(oldest)
    }
  }

  get size(): number {
    return this.#entries.size
  }

  #forget(token: string): void {
    if (this.#entries.delete(token)) this.#characters -= token.length
  }

  #forgetAll(generation: number): void {
    this.#entries.clear()
    this.#characters = 0
    this.#generation = generation
  }
}
