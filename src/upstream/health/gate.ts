import type { Clock } from '../../lib/clock.ts'
import type {
  ExchangeLimits,
  ExchangeObserver,
  ExchangeResult,
  UpstreamFailure,
  UpstreamRequest
} from '../transport/exchange-types.ts'
import { type Connections, MAX_CONNECTIONS, type ObservedConnections } from '../transport/pool.ts'
import type { Outage } from './breaker.ts'
import type { ConcurrencyBounds } from './concurrency-limit.ts'
import { type RefusalOptions, Refusals, SOON_MS } from './refusals.ts'
import { VitalSigns } from './vital-signs.ts'
import { WaitingLine } from './waiting-line.ts'

export interface GateOptions extends RefusalOptions {
  readonly connections: ObservedConnections
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  /** Told when CometChat ceases to answer at all, and, with undefined, when it answers again. */
  readonly onOutage?: (outage: Outage | undefined) => void
  /**
   * The most that must be left of its time when something is written, in milliseconds: where answers take nearly as long
   * as callers wait, demanding more would refuse everything.
   */
  readonly maxReserveMs: number
  readonly bounds?: ConcurrencyBounds
  readonly maxWaiting?: number
  readonly maxInFlight?: number
}

/** How it is at the moment. */
export interface GateState {
  readonly inFlight: number
  readonly limit: number
  readonly waiting: number
  readonly outage: Outage | undefined
}

/** The ceiling is the number of connections: more would only wait inside undici. */
const BOUNDS: ConcurrencyBounds = { floor: 8, ceiling: MAX_CONNECTIONS, initial: 16 }
/** Time bounds the line long before; this bounds its memory whatever the deadline is. */
const MAX_WAITING = 4000
/** Where nothing is enforced, the rest waits inside undici. */
const MAX_IN_FLIGHT = 10_000
/** A probe has the time in which nearly every answer came before. */
const PROBE_P99S = 1.5

/**
 * Connections that are used only as far as CometChat keeps up. What is refused here was not written, so its reply was
 * certainly not sent; what was written is never called so, and takes its course.
 */
export class UpstreamGate implements Connections, ExchangeObserver {
  readonly #connections: ObservedConnections
  readonly #clock: GateOptions['clock']
  readonly #onOutage: GateOptions['onOutage']
  readonly #signs: VitalSigns
  readonly #refusals: Refusals
  readonly #line: WaitingLine
  readonly #maxInFlight: number
  #inFlight = 0
  /** What began before was on connections that were destroyed on purpose. */
  #resetAtMs = Number.NEGATIVE_INFINITY

  constructor(options: GateOptions) {
    const { connections, clock, onOutage, bounds = BOUNDS } = options
    this.#connections = connections
    this.#clock = clock
    this.#onOutage = onOutage
    this.#signs = new VitalSigns(bounds, options.maxReserveMs)
    this.#refusals = new Refusals(options)
    this.#line = new WaitingLine({
      clock,
      signs: this.#signs,
      refusals: this.#refusals,
      maxLength: options.maxWaiting ?? MAX_WAITING,
      begin: (request, limits, nowMs) => this.#begin(request, limits, nowMs)
    })
    this.#maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT
  }

  exchange(request: UpstreamRequest, limits: ExchangeLimits): Promise<ExchangeResult> {
    const nowMs = this.#clock.monotonic()
    const { breaker, throttle } = this.#signs
    if (breaker.outage !== undefined) return this.#duringOutage(request, limits, nowMs)
    const share = throttle.share(nowMs)
    if (share > 0 && this.#refusals.random() < share) {
      const refusal = this.#refusals.refuse('upstream-throttle', SOON_MS)
      if (refusal) throttle.note(false, nowMs)
      if (refusal) return Promise.resolve(refusal)
    }
    if (this.#isTurn()) return this.#begin(request, limits, nowMs)
    return this.#line.join(request, limits, this.#excess(), nowMs)
  }

  /**
   * What an exchange with so much time would be refused with if it came now: asked before anything else is done for it.
   * Undefined where it may be let through.
   */
  refusalAhead(timeoutMs: number): UpstreamFailure | undefined {
    if (!this.#refusals.isEnforced) return undefined
    const nowMs = this.#clock.monotonic()
    const { breaker } = this.#signs
    if (breaker.outage !== undefined) return breaker.isProbeDue(nowMs) ? undefined : this.#refuseInOutage()
    return this.#isTurn() ? undefined : this.#line.refusalOfNext(timeoutMs, this.#excess(), nowMs)
  }

  reset(): void {
    this.#resetAtMs = this.#clock.monotonic()
    this.#connections.reset()
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  state(): GateState {
    const { limit, breaker } = this.#signs
    return {
      inFlight: this.#inFlight,
      limit: Math.floor(limit.value),
      waiting: this.#line.length,
      outage: breaker.outage
    }
  }

  reserveMs(): number {
    return this.#refusals.isEnforced ? this.#signs.reserveMs(this.#clock.monotonic()) : 0
  }

  onOutcome(outcome: ExchangeResult, tookMs: number): void {
    const nowMs = this.#clock.monotonic()
    this.#line.moved(nowMs)
    const isFailure = outcome.kind === 'failure'
    if (isFailure && outcome.limit) this.#refusals.note(outcome.limit.policy)
    if (isFailure && nowMs - tookMs < this.#resetAtMs) return
    if (this.#signs.note(outcome, nowMs - tookMs, this.#inFlight, nowMs)) this.#outageChanged()
  }

  onReleased(): void {
    this.#inFlight--
    this.#line.advance(this.#hasRoom)
  }

  #isTurn(): boolean {
    return this.#line.length === 0 && this.#hasRoom()
  }

  /** How many are under way beyond the limit. */
  #excess(): number {
    return Math.max(0, Math.ceil(this.#inFlight - this.#signs.limit.value))
  }

  readonly #hasRoom = (): boolean => this.#inFlight < this.#signs.limit.value

  #begin(request: UpstreamRequest, limits: ExchangeLimits, nowMs: number): Promise<ExchangeResult> {
    if (this.#inFlight >= this.#maxInFlight) return Promise.resolve(this.#refusals.refusal('upstream-queue', SOON_MS))
    this.#inFlight++
    this.#line.moved(nowMs)
    limits.onTurn?.(nowMs)
    return this.#connections.exchange(request, limits, this)
  }

  /** One call at a time looks whether CometChat is back, by reading; a post waits for what its read shows. */
  async #duringOutage(request: UpstreamRequest, limits: ExchangeLimits, nowMs: number): Promise<ExchangeResult> {
    const { breaker } = this.#signs
    const read = request.method === 'GET' ? request : request.probe?.()
    if (!this.#refusals.isEnforced || !read || !breaker.takeProbe(nowMs)) {
      return this.#refuseInOutage() ?? this.#begin(request, limits, nowMs)
    }
    const patienceMs = Math.max(breaker.patienceMs, this.#signs.reserveMs(nowMs) * PROBE_P99S)
    const timeoutMs = Math.min(limits.timeoutMs, patienceMs)
    // A post that waits for what its probe shows has its turn after it.
    const onTurn = read === request ? limits.onTurn : undefined
    const outcome = await this.#begin(read, { ...limits, timeoutMs, onTurn }, nowMs)
    const endedAtMs = this.#clock.monotonic()
    breaker.probeEnded(endedAtMs)
    const refusal = breaker.outage === undefined ? undefined : this.#refuseInOutage()
    if (refusal || read === request) return refusal ?? outcome
    return this.exchange(request, { ...limits, timeoutMs: limits.timeoutMs - (endedAtMs - nowMs) })
  }

  #refuseInOutage() {
    const cause = this.#signs.breaker.outage === 'unreachable' ? 'unreachable' : 'overloaded'
    return this.#refusals.refuse('upstream-breaker', SOON_MS, cause)
  }

  #outageChanged(): void {
    const { outage } = this.#signs.breaker
    this.#onOutage?.(outage)
    if (outage !== undefined) this.#line.refuseAll(() => this.#refuseInOutage())
  }
}
