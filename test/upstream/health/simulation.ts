// A CometChat of limited strength and its callers, in virtual time: the gate is real, everything around it is simulated,
// and a seed repeats it.
import { type GateOptions, UpstreamGate } from '../../../src/upstream/health/gate.ts'
import type {
  ExchangeLimits,
  ExchangeObserver,
  ExchangeResult,
  UpstreamRequest
} from '../../../src/upstream/transport/exchange-types.ts'
import type { ObservedConnections } from '../../../src/upstream/transport/pool.ts'

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

/** Time that passes only when nothing is left to do. */
export class VirtualTime {
  #nowMs = 0
  /** A binary heap, the earliest first. */
  readonly #timers: Timer[] = []

  monotonic = (): number => this.#nowMs
  sleep = (ms: number): Promise<void> => new Promise(resolve => this.after(ms, resolve))

  after(ms: number, run: () => void): void {
    const timers = this.#timers
    timers.push({ atMs: this.#nowMs + ms, run })
    for (let child = timers.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1
      if (this.#atMs(parent) <= this.#atMs(child)) return
      this.#swap(parent, child)
      child = parent
    }
  }

  /** Lets the promises of each moment settle before the next; without promises of its own, which tap would track. */
  runUntil(endMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const step = (): void => {
      const next = this.#timers[0]
      if (!next || next.atMs > endMs) {
        this.#nowMs = endMs
        resolve()
        return
      }
      this.#nowMs = next.atMs
      while (this.#atMs(0) <= this.#nowMs) this.#takeFirst()?.run()
      setImmediate(step)
    }
    setImmediate(step)
    return promise
  }

  #takeFirst(): Timer | undefined {
    const timers = this.#timers
    const first = timers[0]
    const last = timers.pop()
    if (last && timers.length > 0) timers[0] = last
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1
      const least = this.#atMs(left + 1) < this.#atMs(left) ? left + 1 : left
      if (this.#atMs(least) >= this.#atMs(parent)) return first
      this.#swap(parent, least)
      parent = least
    }
  }

  #atMs(index: number): number {
    return this.#timers[index]?.atMs ?? Number.POSITIVE_INFINITY
  }

  #swap(one: number, other: number): void {
    const timers = this.#timers
    const [a, b] = [timers[one], timers[other]]
    if (a && b) [timers[one], timers[other]] = [b, a]
  }
}

/** How long the answer takes that begins with so many under way, its own included; `never`, or at once without a connection. */
export type Behaviour = (
  underWay: number
) =>
  | { readonly afterMs: number; readonly status?: number; readonly headers?: Readonly<Record<string, string>> }
  | 'never'
  | 'refuses'

interface Written {
  readonly request: UpstreamRequest
  readonly leftMs: number
  readonly reserveMs: number
}

export class SimulatedCometChat implements ObservedConnections {
  readonly written: Written[] = []
  behaviour: Behaviour
  underWay = 0
  mostUnderWay = 0
  readonly #time: VirtualTime

  constructor(time: VirtualTime, behaviour: Behaviour) {
    this.#time = time
    this.behaviour = behaviour
  }

  exchange(request: UpstreamRequest, limits: ExchangeLimits, observer: ExchangeObserver): Promise<ExchangeResult> {
    const { promise, resolve } = Promise.withResolvers<ExchangeResult>()
    const beganAtMs = this.#time.monotonic()
    let isOver = false
    const end = (outcome: ExchangeResult, isWritten: boolean): void => {
      if (isOver) return
      isOver = true
      if (isWritten) this.underWay--
      observer.onOutcome(outcome, this.#time.monotonic() - beganAtMs)
      observer.onReleased()
      resolve(outcome)
    }
    const begin = (): void => {
      const reserveMs = observer.reserveMs()
      if (limits.timeoutMs < reserveMs || limits.timeoutMs <= 0) {
        end(TOO_LATE, false)
        return
      }
      const answer = this.behaviour(this.underWay + 1)
      if (answer === 'refuses') {
        end(UNREACHABLE, false)
        return
      }
      this.written.push({ request, leftMs: limits.timeoutMs, reserveMs })
      this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay)
      this.#time.after(limits.timeoutMs, () => end(TIMED_OUT, true))
      if (answer === 'never') return
      const { afterMs, status = 200, headers = {} } = answer
      this.#time.after(afterMs, () => end({ kind: 'answer', status, headers, body: Buffer.from('{}') }, true))
    }
    // undici, too, starts an exchange in a later turn.
    this.#time.after(0, begin)
    return promise
  }

  reset(): void {}
  async close(): Promise<void> {}
}

const TOO_LATE: ExchangeResult = {
  kind: 'failure',
  cause: 'overloaded',
  sent: false,
  errorCode: 'TOO_LATE',
  limit: { policy: 'upstream-time', retryAfterMs: 1000 }
}
const UNREACHABLE: ExchangeResult = { kind: 'failure', cause: 'unreachable', sent: false, errorCode: 'ECONNREFUSED' }
const TIMED_OUT: ExchangeResult = { kind: 'failure', cause: 'deadline', sent: true, errorCode: 'DEADLINE' }

export interface Call {
  readonly request: UpstreamRequest
  readonly atMs: number
  endMs: number
  outcome: ExchangeResult | undefined
}

export interface World {
  readonly time: VirtualTime
  readonly cometchat: SimulatedCometChat
  readonly gate: UpstreamGate
  readonly refusals: Map<string, number>
  readonly calls: Call[]
  /** Arrivals of a Poisson process for so long; resolves when that time is over. */
  offer(perSecond: number, forMs: number, deadlineMs?: number): Promise<void>
  call(request: UpstreamRequest, deadlineMs: number): Call
}

export const READ: UpstreamRequest = { method: 'GET', path: '/v3/messages/1', headers: [] }
export const post = (): UpstreamRequest => ({
  method: 'POST',
  path: '/v3/messages/1/thread',
  headers: [],
  probe: () => READ
})

export function createWorld(random: () => number, behaviour: Behaviour, options: Partial<GateOptions> = {}): World {
  const time = new VirtualTime()
  const cometchat = new SimulatedCometChat(time, behaviour)
  const refusals = new Map<string, number>()
  const calls: Call[] = []
  const gate = new UpstreamGate({
    connections: cometchat,
    clock: time,
    random,
    maxReserveMs: Number.POSITIVE_INFINITY,
    onRefusal: policy => refusals.set(policy, (refusals.get(policy) ?? 0) + 1),
    ...options
  })
  const call = (request: UpstreamRequest, deadlineMs: number): Call => {
    const made: Call = { request, atMs: time.monotonic(), endMs: Number.NaN, outcome: undefined }
    calls.push(made)
    void gate.exchange(request, { timeoutMs: deadlineMs }).then(outcome => {
      made.outcome = outcome
      made.endMs = time.monotonic()
    })
    return made
  }
  async function offer(perSecond: number, forMs: number, deadlineMs = 10_000): Promise<void> {
    const endMs = time.monotonic() + forMs
    const arrive = (): void => {
      if (time.monotonic() >= endMs) return
      call(post(), deadlineMs)
      time.after((-Math.log(1 - random()) * 1000) / perSecond, arrive)
    }
    arrive()
    await time.runUntil(endMs)
  }
  return { time, cometchat, gate, refusals, calls, offer, call }
}

/** What came of calls that were made in a span of time. */
export function tally({ calls, cometchat }: World, fromMs = 0, toMs = Number.POSITIVE_INFINITY) {
  const written = new Set(cometchat.written.map(({ request }) => request))
  const made = calls.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
  const notSent = made.filter(({ outcome }) => outcome?.kind === 'failure' && !outcome.sent)
  const answered = made.filter(({ outcome }) => outcome?.kind === 'answer' && outcome.status < 500).length
  const unfinished = made.filter(({ outcome }) => outcome === undefined).length
  return {
    answered,
    notSent,
    unfinished,
    inDoubt: made.length - answered - notSent.length - unfinished,
    /** Called not sent, although they were written. */
    untrue: notSent.filter(({ request }) => written.has(request)).length
  }
}
