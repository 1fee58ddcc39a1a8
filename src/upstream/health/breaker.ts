/** `unreachable`: no connection comes about. `silent`: connections do, and no answer comes on them. */
export type Outage = 'unreachable' | 'silent'

const FAILURES_TO_OPEN = 8
const FIRST_PROBE_AFTER_MS = 100
const PROBE_EVERY_MS = 500
const FIRST_PATIENCE_MS = 1000
const MAX_PATIENCE_MS = 3000

/**
 * Opens when so many exchanges in a row found nobody at the other end; any answer closes it. While it is open, one read
 * at a time goes out to look: a post that probes would be in doubt for the user whose post it is.
 */
export class Breaker {
  #failures = 0
  #outage: Outage | undefined
  #nextProbeAtMs = 0
  #isProbing = false
  #patienceMs = FIRST_PATIENCE_MS

  /** Undefined while it is closed. */
  get outage(): Outage | undefined {
    return this.#outage
  }

  /** How long a probe may take, in milliseconds: longer each time. */
  get patienceMs(): number {
    return this.#patienceMs
  }

  /** True when it opens now. */
  failed(outage: Outage, nowMs: number): boolean {
    if (this.#outage !== undefined) {
      this.#outage = outage
      return false
    }
    if (++this.#failures < FAILURES_TO_OPEN) return false
    this.#outage = outage
    this.#nextProbeAtMs = nowMs + FIRST_PROBE_AFTER_MS
    return true
  }

  /** True when it closes now. */
  answered(): boolean {
    this.#failures = 0
    if (this.#outage === undefined) return false
    this.#outage = undefined
    this.#patienceMs = FIRST_PATIENCE_MS
    return true
  }

  /** True for who may probe now, and must say when that has ended. */
  takeProbe(nowMs: number): boolean {
    if (!this.isProbeDue(nowMs)) return false
    this.#isProbing = true
    return true
  }

  isProbeDue(nowMs: number): boolean {
    return !this.#isProbing && nowMs >= this.#nextProbeAtMs
  }

  probeEnded(nowMs: number): void {
    this.#isProbing = false
    this.#nextProbeAtMs = nowMs + PROBE_EVERY_MS
    if (this.#outage !== undefined) this.#patienceMs = Math.min(MAX_PATIENCE_MS, this.#patienceMs * 2)
  }
}
