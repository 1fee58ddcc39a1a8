// Records that outlive a process are dated by a wall clock, and that can jump. A jump back only lengthens waits. A jump
// ahead looks like time that has passed, so time is believed no further than this process has watched it pass.

/** More than a clock drifts between two looks at it, or an answer of Redis is late; less than any wait that matters. */
const TOLERANCE_MS = 2000

/** Watches one wall clock by the monotonic one. */
export class WatchedTime {
  readonly #monotonic: () => number
  /** Since when the wall clock has run like the monotonic one, on the latter. */
  #sinceMs = 0
  /** How far the wall clock is ahead of the monotonic one. */
  #aheadMs = 0

  constructor(monotonic: () => number, wallMs: number) {
    this.#monotonic = monotonic
    this.restart(wallMs)
  }

  /** Begins anew: with another clock, nothing of the past is known. */
  restart(wallMs: number): void {
    this.#sinceMs = this.#monotonic()
    this.#aheadMs = wallMs - this.#sinceMs
  }

  /** Takes note of what the wall clock shows. */
  observe(wallMs: number): void {
    const aheadMs = wallMs - this.#monotonic()
    const jumpMs = aheadMs - this.#aheadMs
    if (jumpMs > TOLERANCE_MS) this.restart(wallMs)
    else if (jumpMs < -TOLERANCE_MS) this.#aheadMs = aheadMs
  }

  /**
   * How much of the time since a lease ended is certain. What was leased before the watch began counts as if it had
   * been leased at that moment; negative while such a lease would still run.
   */
  believedMs(sinceLeaseMs: number, leaseMs: number): number {
    return Math.min(sinceLeaseMs, this.#monotonic() - this.#sinceMs - leaseMs)
  }
}

/** How much faster than time is watched to pass the horizon may move, to catch up with a time when nobody watched. */
const CATCHING_UP = 2

/**
 * Up to when expired records may be forgotten. It follows the wall clock, but not a jump: a clock that is wrong for an
 * hour costs a record an hour of its time, however far ahead it is.
 */
export class Horizon {
  readonly #monotonic: () => number
  #atMs: number
  #movedAtMs: number

  constructor(monotonic: () => number, atMs: number) {
    this.#monotonic = monotonic
    this.#atMs = atMs
    this.#movedAtMs = monotonic()
  }

  get atMs(): number {
    return this.#atMs
  }

  /** Moves towards what the wall clock shows. */
  moveTo(wallMs: number): void {
    const monotonicMs = this.#monotonic()
    this.#atMs = Math.min(wallMs, this.#atMs + CATCHING_UP * (monotonicMs - this.#movedAtMs))
    this.#movedAtMs = monotonicMs
  }

  /** Another process has come further. */
  raiseTo(atMs: number): void {
    this.#atMs = Math.max(this.#atMs, atMs)
  }
}
