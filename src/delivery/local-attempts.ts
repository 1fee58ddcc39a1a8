import type { SearchMemory } from './search-state.ts'

const MAX_IN_DOUBT = 10_000
/** A reply whose search is forgotten costs some reads more. */
const MAX_SEARCHES = 10_000

/** What this process knows of one key, from the first attempt under way to the last. */
export interface LocalAttempt {
  readonly key: string
  /** Attempts under way. */
  open: number
  /** Attempts that ever began. */
  total: number
  /** One was sent, and its client was not told what became of it. */
  isInDoubt: boolean
}

/**
 * The keyed replies that are under way in this process, and those in doubt. It is asked only while the store cannot be.
 */
export class LocalAttempts {
  readonly #byKey = new Map<string, LocalAttempt>()
  readonly #searches = new Map<string, string>()
  readonly #monotonic: () => number
  #inDoubt = 0
  #hasForgotten = false

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  /** An attempt begins; `leave` must follow. */
  enter(key: string): LocalAttempt {
    let attempt = this.#byKey.get(key)
    if (!attempt) {
      attempt = { key, open: 0, total: 0, isInDoubt: false }
      this.#byKey.set(key, attempt)
    }
    attempt.open++
    attempt.total++
    return attempt
  }

  /** The reply may exist, and its client was not told. */
  markInDoubt(attempt: LocalAttempt): void {
    if (!attempt.isInDoubt) this.#inDoubt++
    attempt.isInDoubt = true
  }

  /** What became of the reply is known, whichever attempt sent it. */
  markResolved(attempt: LocalAttempt): void {
    if (attempt.isInDoubt) this.#inDoubt--
    attempt.isInDoubt = false
  }

  leave(attempt: LocalAttempt): void {
    attempt.open--
    if (attempt.open > 0) return
    if (attempt.isInDoubt && this.#inDoubt <= MAX_IN_DOUBT) return
    // From then on this process no longer knows everything, and says so.
    if (attempt.isInDoubt) this.#hasForgotten = true
    this.markResolved(attempt)
    this.#byKey.delete(attempt.key)
  }

  /** Whether no other attempt of this process can have to do with the reply. */
  isOnlyAttempt({ total, isInDoubt }: LocalAttempt): boolean {
    return total === 1 && !isInDoubt && !this.#hasForgotten
  }

  /** What is remembered of the search for a reply while its record cannot be reached. */
  searchOf(key: string): SearchMemory & { readonly last: string | undefined } {
    const searches = this.#searches
    return {
      last: searches.get(key),
      time: () => ({ nowMs: this.#monotonic(), steadyForMs: Number.POSITIVE_INFINITY }),
      async note(former, search) {
        if (searches.get(key) !== former) return false
        searches.delete(key)
        searches.set(key, search)
        const [oldest] = searches.keys()
        if (searches.size > MAX_SEARCHES && oldest !== undefined) searches.delete(oldest)
        return true
      }
    }
  }
}
