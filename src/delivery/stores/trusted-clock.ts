// Records that outlive a process carry dates of a wall clock, and a wall clock jumps. A quiet period therefore counts
// only as far as this process has watched it pass on a clock that does not jump.

/** More than an answer may be late by; less than any wait that matters. */
const TOLERANCE_MS = 2000
/** As fast as NTP lets a clock drift (RFC 5905: 500 ppm). */
const MAX_DRIFT = 0.0005
const MAX_DRIFT_MS = 500

/** Compares a wall clock with the monotonic clock of this process. */
export class TrustedClock {
  readonly #monotonic: () => number
  /** Since when the wall clock has run like the monotonic one, on the latter. */
  #sinceMs = 0
  #observedAtMs = 0
  /** How far the wall clock is ahead of the monotonic one: at least, and at most. */
  #leastAheadMs = 0
  #mostAheadMs = 0
  #hasJumped = false

  constructor(monotonic: () => number, wallMs: number) {
    this.#monotonic = monotonic
    this.#begin(wallMs, monotonic())
  }

  /** Begins a new watch: nothing is known of what another clock has shown before. */
  restart(wallMs: number, askedAtMs = this.#monotonic()): void {
    this.#hasJumped = true
    this.#begin(wallMs, askedAtMs)
  }

  #begin(wallMs: number, askedAtMs: number): void {
    this.#sinceMs = this.#monotonic()
    this.#observedAtMs = this.#sinceMs
    this.#leastAheadMs = wallMs - this.#sinceMs
    this.#mostAheadMs = wallMs - askedAtMs
  }

  /**
   * Compares what the wall clock showed at some time between `askedAtMs` and now with what it should have shown.
   * Returns by how many milliseconds it has jumped: positive ahead, negative back, 0 for none.
   */
  observe(wallMs: number, askedAtMs = this.#monotonic()): number {
    const nowMs = this.#monotonic()
    const driftMs = Math.min(MAX_DRIFT_MS, MAX_DRIFT * (nowMs - this.#observedAtMs))
    const least = wallMs - nowMs
    const most = wallMs - askedAtMs
    const aheadMs = least - (this.#mostAheadMs + driftMs)
    const backMs = this.#leastAheadMs - driftMs - most
    if (aheadMs > TOLERANCE_MS || backMs > TOLERANCE_MS) {
      this.restart(wallMs, askedAtMs)
      return aheadMs > TOLERANCE_MS ? aheadMs : -backMs
    }
    this.#observedAtMs = nowMs
    // A difference that is neither drift nor lateness stays, so that many small jumps are seen as one.
    this.#leastAheadMs = Math.min(Math.max(this.#leastAheadMs - driftMs, least), this.#mostAheadMs + driftMs)
    this.#mostAheadMs = Math.max(Math.min(this.#mostAheadMs + driftMs, most), this.#leastAheadMs)
    return 0
  }

  /** What the wall clock shows now, as far as it was compared: it may be late by as much as an answer. */
  nowMs(): number {
    return Math.floor(this.#monotonic() + this.#leastAheadMs)
  }

  /** How long ago the clock was last seen to jump; infinite for never: before the watch it is taken at its word. */
  steadyForMs(): number {
    return this.#hasJumped ? this.#monotonic() - this.#sinceMs : Number.POSITIVE_INFINITY
  }

  /**
   * How much of the time since a lease ended is certain. A lease that began before the watch counts as if it had begun
   * with it; negative while such a lease would still run.
   */
  trustedElapsedMs(sinceLeaseMs: number, leaseMs: number): number {
    return Math.min(sinceLeaseMs, this.#monotonic() - this.#sinceMs - leaseMs)
  }
}

/** How much faster than watched time the watermark may move, to catch up with a time when no process watched. */
const CATCHING_UP = 2

/**
 * The date up to which expired records may be deleted. It follows the wall clock, but not a jump: a clock that is wrong
 * for an hour costs a record an hour of its time, however far ahead the clock is.
 */
export class ExpiryWatermark {
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
