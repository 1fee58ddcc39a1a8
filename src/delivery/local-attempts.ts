import { type Entry, RecordTable } from './stores/memory/hash-table.ts'

const MAX_DOUBTS = 10_000

/** What this process knows of one key, from the first attempt under way to the last. */
export interface Knowledge extends Entry<Knowledge> {
  /** Attempts under way. */
  open: number
  /** Attempts that ever began. */
  total: number
  /** One was sent, and nobody learned what became of it. */
  isInDoubt: boolean
}

/**
 * What this process knows of keyed replies without their records. It is asked only while the store cannot be.
 */
export class Unsettled {
  readonly #known = new RecordTable<Knowledge>()
  #doubts = 0
  #hasForgotten = false

  /** An attempt begins; `leave` must follow. */
  enter(key: string): Knowledge {
    const known = this.#known.get(key) ?? this.#begin(key)
    known.open++
    known.total++
    return known
  }

  /** The reply may exist, and nobody was told. */
  doubt(known: Knowledge): void {
    if (!known.isInDoubt) this.#doubts++
    known.isInDoubt = true
  }

  /** What became of the reply is known, whoever sent it. */
  settle(known: Knowledge): void {
    if (known.isInDoubt) this.#doubts--
    known.isInDoubt = false
  }

  leave(known: Knowledge): void {
    known.open--
    if (known.open > 0) return
    if (known.isInDoubt && this.#doubts <= MAX_DOUBTS) return
    // From then on this process no longer knows everything, and says so.
    if (known.isInDoubt) this.#hasForgotten = true
    this.settle(known)
    this.#known.delete(known)
  }

  /** Whether no other attempt of this process can have to do with the reply. */
  isOnlyAttempt({ total, isInDoubt }: Knowledge): boolean {
    return total === 1 && !isInDoubt && !this.#hasForgotten
  }

  #begin(key: string): Knowledge {
    const known = { key, open: 0, total: 0, isInDoubt: false, next: undefined }
    this.#known.add(known)
    return known
  }
}
