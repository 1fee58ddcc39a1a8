import { LRUCache } from 'lru-cache'
import type { Principal } from '../caller.ts'

/** A principal and how long that holds, on the wall clock. */
export interface VerifiedToken {
  readonly principal: Principal
  readonly expiresAtMs: number
}

/** What verified a token: its keys, as they were then. */
interface Generations {
  readonly generation: number
}

interface Remembered {
  readonly token: string
  readonly verified: VerifiedToken
  readonly keys: Generations
  readonly generation: number
}

const MAX_CHARACTERS = 16 * 1024 * 1024
/** A hit costs 0.1 µs by this much of the signature, and 1.3 µs by the whole text, which would be hashed each time. */
const KEY_LENGTH = 12

/**
 * Remembers verified tokens until they expire or their issuer's keys change. One is found by its end and then compared
 * as a whole: two tokens never share an entry, and however many issuers there are, none is looked for. Bounded by the
 * characters it holds.
 */
export class TokenCache {
  readonly #entries: LRUCache<string, Remembered>

  constructor(maxCharacters: number = MAX_CHARACTERS) {
    this.#entries = new LRUCache({ maxSize: maxCharacters, sizeCalculation: ({ token }) => token.length })
  }

  get(token: string, nowMs: number): VerifiedToken | undefined {
    const entry = this.#entries.get(keyOf(token))
    if (entry?.token !== token) return undefined
    if (entry.verified.expiresAtMs > nowMs && entry.keys.generation === entry.generation) return entry.verified
    this.#entries.delete(keyOf(token))
    return undefined
  }

  /** Keeps nothing that was verified with former keys, and never replaces a token by another one of the same end. */
  set(token: string, verified: VerifiedToken, keys: Generations, generation: number): void {
    if (generation !== keys.generation || this.#entries.has(keyOf(token))) return
    this.#entries.set(keyOf(token), { token, verified, keys, generation })
  }

  get size(): number {
    return this.#entries.size
  }
}

function keyOf(token: string): string {
  return token.slice(-KEY_LENGTH)
}
