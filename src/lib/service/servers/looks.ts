import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Looks at something that changes, one at a time, shared by the callers that wait for them. A look that began before an
 * event may have seen how it was before: a caller that knows of an event waits for the next one.
 */
export class Looks {
  readonly #look: () => Promise<void>
  readonly #pauseMs: number
  #endedAtMs = Number.NEGATIVE_INFINITY
  #current: Promise<void> | undefined
  #next: Promise<void> | undefined

  /** `look` never rejects; from the end of one to the next there are at least `pauseMs`. */
  constructor(look: () => Promise<void>, pauseMs = 0) {
    this.#look = look
    this.#pauseMs = pauseMs
  }

  /** Resolves when a look has ended that begins after this call. */
  next(): Promise<void> {
    this.#next ??= this.#begin()
    return this.#next
  }

  async #begin(): Promise<void> {
    await this.#current
    const pauseMs = this.#endedAtMs + this.#pauseMs - performance.now()
    if (pauseMs > 0) await sleep(pauseMs)
    this.#next = undefined
    this.#current = this.#look().finally(() => {
      this.#current = undefined
      this.#endedAtMs = performance.now()
    })
    await this.#current
  }
}
