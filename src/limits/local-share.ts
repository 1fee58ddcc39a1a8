import { addUnits, type Cell, settleCells, total } from './cells.ts'

const MINUTE_MS = 60_000
/** Of a minute's budget, for all instances together. */
const PART = 0.5

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
   * How many of these units are within this instance's part. What the store last knew to be used fades over a minute; of
   * the rest, and of no more than half of the limit, the instances that it last saw have the same part each: what others
   * have used since is not known here, so in the minute in which the store goes away half as much again is the most that
   * can be taken.
   */
  take(nowMs: number, wanted: number, limit: number): number {
    const second = settleCells(this.#own, nowMs)
    const age = Math.max(0, nowMs - this.#knownAtMs) / MINUTE_MS
    const fadingUsed = this.#knownUsed * Math.max(0, 1 - age)
    const share = Math.floor(Math.min(limit - fadingUsed, limit * PART) / this.#instances)
    const granted = Math.max(0, Math.min(wanted, share - total(this.#own)))
    addUnits(this.#own, second, granted)
    return granted
  }
}
