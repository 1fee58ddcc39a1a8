const FIRST_MS = 100
const LEAST_MS = 20
const MOST_MS = 1000
const RISE = 0.25
const FALL = 0.02
const MARGIN = 1.5

/** How long after its charge a message is answered, nearly at the most: longer ones are the exception. */
export class Lateness {
  #estimateMs = FIRST_MS

  /** In whole milliseconds. */
  get ms(): number {
    return Math.ceil(Math.min(MOST_MS, Math.max(LEAST_MS, this.#estimateMs * MARGIN)))
  }

  note(tookMs: number): void {
    const bounded = Math.min(tookMs, MOST_MS)
    this.#estimateMs += (bounded - this.#estimateMs) * (bounded > this.#estimateMs ? RISE : FALL)
  }
}
