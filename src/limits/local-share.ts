import { addUnits, type Cell, settleCells, total } from './cells.ts'

const MINUTE_MS = 60_000

/** What an instance may use by itself while the store that they share is away. */
export class LocalShare {
  #knownAtMs = Number.NEGATIVE_INFINITY
  #knownUsed = 0
  #instances = 1
  /** What was used without the store. */
  readonly #own: Cell[] = []

  /** The store has answered. */
  note(nowMs: number, used: number, instances: number): void {
    this.#knownAtMs = nowMs
    this.#knownUsed = used
    this.#instances = Math.max(1, instances)
  }

  /**
   * How many of these units are within this instance's part: what the store last knew to be used fades over a minute, and
   * the rest is shared by the instances that it last saw. Together they never take more than the limit.
   */
  take(nowMs: number, wanted: number, limit: number): number {
    const second = settleCells(this.#own, nowMs)
    const age = Math.max(0, nowMs - this.#knownAtMs) / MINUTE_MS
    const fadingUsed = this.#knownUsed * Math.max(0, 1 - age)
    const share = Math.floor((limit - fadingUsed) / this.#instances)
    const granted = Math.max(0, Math.min(wanted, share - total(this.#own)))
    addUnits(this.#own, second, granted)
    return granted
  }
}
