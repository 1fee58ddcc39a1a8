import { isUnwanted } from '../transport/answer-bytes.ts'
import type { ExchangeResult, UpstreamFailure } from '../transport/exchange-types.ts'
import { RecentP99 } from './answer-times.ts'
import { Breaker, type Outage } from './breaker.ts'
import { type ConcurrencyBounds, ConcurrencyLimit } from './concurrency-limit.ts'
import { Throttle } from './throttle.ts'

/** Of a CometChat that has not answered anything yet. */
const UNKNOWN_ANSWER_MS = 100
const MEAN_WEIGHT = 1 / 32

/** What the exchanges that ended say about CometChat: how much it takes, how fast it answers, whether it is there. */
export class VitalSigns {
  readonly limit: ConcurrencyLimit
  readonly throttle = new Throttle()
  readonly breaker = new Breaker()
  readonly #p99 = new RecentP99()
  #meanMs = UNKNOWN_ANSWER_MS

  readonly #maxReserveMs: number

  constructor(bounds: ConcurrencyBounds, maxReserveMs: number) {
    this.#maxReserveMs = maxReserveMs
    this.limit = new ConcurrencyLimit(bounds)
  }

  /** How long an answer takes on the average, in milliseconds. */
  get meanMs(): number {
    return this.#meanMs
  }

  /** Undefined while too few have come lately. */
  p99Ms(nowMs: number): number | undefined {
    return this.#p99.valueMs(nowMs)
  }

  /** How much of its time must be left when something is written, in milliseconds. */
  reserveMs(nowMs: number): number {
    return Math.min(this.p99Ms(nowMs) ?? 0, this.#maxReserveMs)
  }

  /** The end of an exchange, with so many under way; says whether an outage began or ended with it. */
  note(outcome: ExchangeResult, beganAtMs: number, inFlight: number, nowMs: number): 'begins' | 'ends' | undefined {
    if (outcome.kind === 'failure') return this.#noteFailure(outcome, beganAtMs, nowMs)
    const isGood = outcome.status < 500
    this.throttle.note(isGood, nowMs)
    if (isGood) this.#noteTime(nowMs - beganAtMs, inFlight, nowMs)
    else this.limit.failed(beganAtMs, nowMs)
    return this.#answered()
  }

  #noteTime(tookMs: number, inFlight: number, nowMs: number): void {
    this.#p99.add(tookMs, nowMs)
    this.#meanMs += (tookMs - this.#meanMs) * MEAN_WEIGHT
    this.limit.answered(tookMs, inFlight, nowMs)
  }

  #noteFailure(failure: UpstreamFailure, beganAtMs: number, nowMs: number): 'begins' | 'ends' | undefined {
    // Whoever reads what is too large must not make CometChat look as if it failed.
    if (failure.sent) this.throttle.note(isUnwanted(failure), nowMs)
    // Something came, though it was no answer.
    if (failure.cause === 'unreadable' || isUnwanted(failure)) return this.#answered()
    const outage = outageOf(failure)
    if (!outage) return undefined
    this.limit.failed(beganAtMs, nowMs)
    if (!this.breaker.failed(outage, nowMs)) return undefined
    this.limit.collapse(nowMs)
    return 'begins'
  }

  #answered(): 'ends' | undefined {
    if (!this.breaker.answered()) return undefined
    this.throttle.forget()
    return 'ends'
  }
}

/** What a failure would be a sign of, if others met the same. */
function outageOf({ cause, sent }: UpstreamFailure): Outage | undefined {
  if (sent) return cause === 'deadline' || cause === 'reset' ? 'silent' : undefined
  return cause === 'unreachable' || cause === 'untrusted' ? 'unreachable' : undefined
}
