import type { Clock } from '../../lib/clock.ts'
import type { ExchangeLimits, ExchangeResult, UpstreamFailure, UpstreamRequest } from '../transport/exchange-types.ts'
import { type Refusals, SOON_MS } from './refusals.ts'
import type { VitalSigns } from './vital-signs.ts'

export interface WaitingLineOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly signs: VitalSigns
  readonly refusals: Refusals
  readonly maxLength: number
  /** Begins an exchange whose turn has come. */
  readonly begin: (request: UpstreamRequest, limits: ExchangeLimits, nowMs: number) => Promise<ExchangeResult>
}

interface Waiting {
  readonly request: UpstreamRequest
  readonly limits: ExchangeLimits
  /** On the monotonic clock. */
  readonly endsAtMs: number
  readonly resolve: (outcome: ExchangeResult) => void
}

const SWEEP_EVERY_MS = 100
/** The expected wait may take this share of what is left: the rest is for the answer, and for a wrong expectation. */
const WAIT_SHARE = 0.5
/** As long as too few answers have come to tell. */
const UNKNOWN_P99_MS = 1000
const INTERVAL_WEIGHT = 1 / 32

const NOT_STARTED: UpstreamFailure = { kind: 'failure', cause: 'client-closed', sent: false, errorCode: 'NOT_STARTED' }

/**
 * Exchanges that wait for their turn, first come, first served. The line is bounded in time: who could not be answered
 * before its deadline is refused at once, and so is who comes to know later that it cannot.
 */
export class WaitingLine {
  readonly #options: WaitingLineOptions
  #waiting: Waiting[] = []
  /** Those before it have left: taking from the front of a long array would cost a copy of it. */
  #first = 0
  /** When something last began or ended. */
  #movedAtMs = 0
  /** When a turn last came while somebody waited, and how far apart turns are. */
  #turnedAtMs = 0
  #intervalMs = 0
  #isSweeping = false

  constructor(options: WaitingLineOptions) {
    this.#options = options
  }

  get length(): number {
    return this.#waiting.length - this.#first
  }

  /** Resolves with the outcome of the exchange, or with its refusal. So many are under way beyond the limit. */
  join(request: UpstreamRequest, limits: ExchangeLimits, excess: number, nowMs: number): Promise<ExchangeResult> {
    const { refusals, begin } = this.#options
    const refusal = this.refusalOfNext(limits.timeoutMs, excess, nowMs)
    if (refusal) return Promise.resolve(refusal)
    if (!refusals.isEnforced) return begin(request, limits, nowMs)
    if (this.length === 0) {
      this.#turnedAtMs = nowMs
      this.#intervalMs = 0
    }
    return new Promise(resolve => {
      this.#waiting.push({ request, limits, endsAtMs: nowMs + limits.timeoutMs, resolve })
      if (!this.#isSweeping) void this.#sweep()
    })
  }

  /** Why whoever came now, with so much time, should not wait; undefined where they may. */
  refusalOfNext(timeoutMs: number, excess: number, nowMs: number): UpstreamFailure | undefined {
    const { signs, refusals, maxLength } = this.#options
    const waitMs = this.#expectedWaitMs(this.length + excess + 1, nowMs)
    const isTooLong = waitMs > (timeoutMs - signs.reserveMs(nowMs)) * WAIT_SHARE
    return isTooLong || this.length >= maxLength ? refusals.refuse('upstream-queue', waitMs) : undefined
  }

  /** An exchange has ended: whose turn it is begins, as long as there is room. */
  advance(hasRoom: () => boolean): void {
    if (this.length === 0) return
    const nowMs = this.#options.clock.monotonic()
    this.#intervalMs += (nowMs - this.#turnedAtMs - this.#intervalMs) * INTERVAL_WEIGHT
    this.#turnedAtMs = nowMs
    while (hasRoom()) {
      const next = this.#shift()
      if (!next) return
      const { request, limits, endsAtMs, resolve } = next
      const refusal = this.#refusalOf(next, 0, nowMs)
      if (refusal) resolve(refusal)
      else void this.#options.begin(request, { ...limits, timeoutMs: endsAtMs - nowMs }, nowMs).then(resolve)
    }
  }

  /** Something began or ended: as long as nothing does, waiting gets longer. */
  moved(nowMs: number): void {
    this.#movedAtMs = nowMs
  }

  refuseAll(refusal: () => UpstreamFailure | undefined): void {
    this.#removeWhere(refusal)
  }

  /** By Little's law, and longer where turns come more slowly or not at all. */
  #expectedWaitMs(position: number, nowMs: number): number {
    const { signs } = this.#options
    const byRateMs = signs.meanMs / signs.limit.soon
    const stalledMs = nowMs - this.#movedAtMs - (signs.p99Ms(nowMs) ?? UNKNOWN_P99_MS)
    return position * Math.max(byRateMs, this.#intervalMs, stalledMs)
  }

  /** Why this one must not wait any longer; undefined where it may. */
  #refusalOf({ limits, endsAtMs }: Waiting, waitMs: number, nowMs: number): UpstreamFailure | undefined {
    const { signs, refusals } = this.#options
    if (limits.shouldSend?.() === false) return NOT_STARTED
    const leftMs = endsAtMs - nowMs - signs.reserveMs(nowMs)
    if (leftMs <= 0) return refusals.refuse('upstream-time', SOON_MS)
    return waitMs > leftMs ? refusals.refuse('upstream-queue', waitMs) : undefined
  }

  async #sweep(): Promise<void> {
    const { clock } = this.#options
    this.#isSweeping = true
    while (this.length > 0) {
      await clock.sleep(SWEEP_EVERY_MS)
      const nowMs = clock.monotonic()
      this.#removeWhere((waiting, position) => this.#refusalOf(waiting, this.#expectedWaitMs(position, nowMs), nowMs))
    }
    this.#isSweeping = false
  }

  #shift(): Waiting | undefined {
    const next = this.#waiting[this.#first]
    if (!next) return undefined
    if (++this.#first * 2 > this.#waiting.length) this.#forgetFirst()
    return next
  }

  /** The first position is 1; who stays keeps the order. */
  #removeWhere(refusalOf: (waiting: Waiting, position: number) => UpstreamFailure | undefined): void {
    this.#forgetFirst()
    this.#waiting = this.#waiting.reduce<Waiting[]>((staying, waiting) => {
      const refusal = refusalOf(waiting, staying.length + 1)
      if (refusal) waiting.resolve(refusal)
      else staying.push(waiting)
      return staying
    }, [])
  }

  #forgetFirst(): void {
    this.#waiting = this.#waiting.slice(this.#first)
    this.#first = 0
  }
}
