import { AnswerTimes } from './answer-times.ts'

export interface ConcurrencyBounds {
  readonly floor: number
  readonly ceiling: number
  readonly initial: number
}

const DECREASE = 0.8
const WINDOW_MS = 200
const ENOUGH_IN_WINDOW = 16
/** Answers are late when their median is this many times the best median, and by as many milliseconds. */
const LATE_TIMES = 2
const LATE_MS = 50
/** Late by as much after so many decreases: then it is not our number that makes them late. */
const VAIN_DECREASES = 3

/**
 * How many exchanges may be under way: additive increase, multiplicative decrease, with slow start after an outage (RFC
 * 5681 §3.1; a decrease once a round as in RFC 6582). An answer counts only where at least half of the limit is in use,
 * as in AIMDLimit of Netflix' concurrency-limits. It decreases for failures and, like TCP Vegas (Brakmo and Peterson,
 * 1995), for answers that come late, so that a CometChat that gets slower by being asked more is not asked more.
 */
export class ConcurrencyLimit {
  readonly #bounds: ConcurrencyBounds
  #value: number
  /** Below it the limit doubles in a round; above it grows by one. */
  #threshold: number
  #lastGood: number
  #decreasedAtMs = Number.NEGATIVE_INFINITY
  readonly #window = new AnswerTimes()
  #windowEndsAtMs = 0
  #isUsed = false
  #bestMs = Number.POSITIVE_INFINITY
  /** Decreases in a row after which answers came no earlier, and how it was before all of them. */
  #vain = 0
  #lateMs = 0
  #valueBefore = 0

  constructor(bounds: ConcurrencyBounds) {
    this.#bounds = bounds
    this.#value = bounds.initial
    this.#lastGood = bounds.initial
    this.#threshold = bounds.ceiling
  }

  get value(): number {
    return this.#value
  }

  /** What it will be in two rounds, if all goes well. */
  get soon(): number {
    return this.#value < this.#threshold ? Math.min(this.#threshold, this.#value * 4) : this.#value
  }

  /** A good answer, with so many under way when it came. */
  answered(tookMs: number, inFlight: number, nowMs: number): void {
    // Those that were under way at the last decrease say nothing of what came of it.
    if (nowMs - tookMs >= this.#decreasedAtMs) this.#window.add(tookMs)
    const isUsed = inFlight * 2 >= this.#value
    this.#isUsed ||= isUsed
    if (isUsed && this.#value < this.#bounds.ceiling) {
      const step = this.#value < this.#threshold ? 1 : 1 / this.#value
      this.#value = Math.min(this.#bounds.ceiling, this.#value + step)
    }
    this.#lastGood = this.#value
    if (nowMs >= this.#windowEndsAtMs && this.#window.total >= ENOUGH_IN_WINDOW) this.#endWindow(nowMs)
  }

  /** An exchange that began then failed in a way that a smaller load may mend. */
  failed(beganAtMs: number, nowMs: number): void {
    // Those that were under way at the last decrease belong to the round that caused it.
    if (beganAtMs < this.#decreasedAtMs) return
    this.#decrease(nowMs)
  }

  /** Nobody answers: begins anew from the floor, as fast as answers come back, up to where it was. */
  collapse(nowMs: number): void {
    this.#threshold = this.#lastGood
    this.#value = this.#bounds.floor
    this.#decreasedAtMs = nowMs
    this.#window.clear()
  }

  #decrease(nowMs: number): void {
    this.#value = Math.max(this.#bounds.floor, this.#value * DECREASE)
    this.#threshold = this.#value
    this.#decreasedAtMs = nowMs
  }

  #endWindow(nowMs: number): void {
    const medianMs = this.#window.quantile(0.5)
    this.#window.clear()
    this.#windowEndsAtMs = nowMs + WINDOW_MS
    this.#bestMs = Math.min(this.#bestMs, medianMs)
    const isLate = this.#isUsed && medianMs > Math.max(this.#bestMs * LATE_TIMES, this.#bestMs + LATE_MS)
    this.#isUsed = false
    if (!isLate) {
      this.#vain = 0
      return
    }
    if (this.#vain === 0) this.#valueBefore = this.#value
    this.#vain = this.#vain > 0 && medianMs >= this.#lateMs ? this.#vain + 1 : 1
    this.#lateMs = medianMs
    if (this.#vain <= VAIN_DECREASES) {
      this.#decrease(nowMs)
      return
    }
    // What takes longer whatever we do is the new measure.
    this.#vain = 0
    this.#bestMs = medianMs
    this.#threshold = this.#valueBefore
  }
}
