// The same load for a long time: what grows with it, and what becomes slower.
import { freePort } from '../../test/helpers/free-port.ts'
import { scrape } from '../../test/helpers/metrics.ts'
import type { Call } from '../callers.ts'
import { cpuMicroseconds, residentMiB } from '../process-time.ts'
import { medianOf, p99Of } from '../rounds.ts'
import { type Callers, startCallers, startService, startWorld, type World } from '../world.ts'
import type { Stretch } from './figures.ts'
import { type Cumulative, quantileOf, since } from './histogram.ts'
import { type Place, placeOn, type StoreName } from './places.ts'

export interface SoakOptions {
  readonly store: StoreName
  readonly perSecond: number
  readonly forMs: number
  /** Of a hundred posts so many meet a fault of CometChat, or of the way to it. */
  readonly faultPercent: number
  /** Ends it early, with what it has. */
  readonly stopping: AbortSignal
  readonly onStretch: (stretches: readonly Stretch[]) => void
}

export interface Soak {
  readonly stretches: readonly Stretch[]
  /** Posts of the counted time that CometChat has seen, more than callers were told of. */
  readonly unheardPosts: number
  readonly faultPercent: number
  readonly hardship?: string
}

const STRETCH_MS = 10_000
/** A short soak has so many stretches. */
const STRETCHES = 8
const WARM_UP_SHARE = 0.1
const MAX_WARM_UP_MS = 20_000
/** Limits are kept, and nobody meets them: all callers have one address. */
const LIMITS = {
  LIMIT_MODE: 'enforce',
  LIMIT_ADDRESS_PER_MINUTE: '0',
  LIMIT_USER_PER_MINUTE: '10000',
  LIMIT_APP_PER_MINUTE: '100000000'
}

/** Throws where it cannot begin; once it has, an abort ends it. */
export async function runSoak(options: SoakOptions): Promise<Soak> {
  await using stack = new AsyncDisposableStack()
  const world = await startWorld(stack)
  const place = await placeOn(options.store, world)
  return await new Run(options, world, place).toEnd()
}

class Run {
  readonly #options: SoakOptions
  readonly #world: World
  readonly #place: Place
  readonly #stretches: Stretch[] = []
  #sent = 0
  #adminUrl = ''
  #claims: Cumulative = new Map()

  constructor(options: SoakOptions, world: World, place: Place) {
    this.#options = options
    this.#world = world
    this.#place = place
  }

  async toEnd(): Promise<Soak> {
    const { forMs, stopping, onStretch, perSecond, faultPercent } = this.#options
    const adminPort = await freePort()
    this.#adminUrl = `http://127.0.0.1:${adminPort}`
    const env = { STORE_URL: this.#place.url, ADMIN_PORT: String(adminPort), ...LIMITS }
    const { subject } = await startService(this.#world, { name: 'The service', env })
    const callers = await startCallers(this.#world, { port: subject.port, isKeyed: true })
    const warmUpMs = Math.min(MAX_WARM_UP_MS, forMs * WARM_UP_SHARE)
    await this.#world.outside.ask('fail', faultPercent)
    await callers.offer('warm-up', warmUpMs, { perSecond })
    await callers.seen()
    this.#claims = await this.#claimsSoFar()
    const postsBefore = await this.#posts()
    let posts = postsBefore
    const stretchMs = Math.min(STRETCH_MS, forMs / STRETCHES)
    const aborted = abortOf(stopping)
    try {
      for (let atMs = 0; atMs < forMs && !stopping.aborted; atMs += stretchMs) {
        const stretch = this.#stretch(callers, subject.pid, Math.min(stretchMs, forMs - atMs), atMs)
        this.#stretches.push(await Promise.race([stretch, aborted]))
        posts = await Promise.race([this.#posts(), aborted])
        onStretch(this.#stretches)
      }
    } catch (error) {
      // Ctrl-C ends what was started, too.
      if (!stopping.aborted) throw error
    }
    const { hardship } = this.#place
    const unheardPosts = posts - postsBefore - this.#sent
    return { stretches: this.#stretches, unheardPosts, faultPercent, ...(hardship !== undefined && { hardship }) }
  }

  async #stretch(callers: Callers, pid: number, forMs: number, atMs: number): Promise<Stretch> {
    const usedBefore = cpuMicroseconds(pid)
    await callers.offer(`from ${atMs} ms`, forMs, { perSecond: this.#options.perSecond })
    const { calls } = await callers.seen()
    const used = cpuMicroseconds(pid) - usedBefore
    const claimsBefore = this.#claims
    this.#claims = await this.#claimsSoFar()
    const took = calls.map(({ tookMs }) => tookMs)
    this.#sent += calls.filter(isSent).length
    return {
      atSeconds: (atMs + forMs) / 1000,
      replies: calls.length,
      failures: countBy(calls.filter(call => !isSent(call))),
      p50Ms: medianOf(took),
      p99Ms: p99Of(took),
      claimP99Ms: quantileOf(since(this.#claims, claimsBefore), 0.99) * 1000,
      cpuMicroseconds: used / calls.length,
      residentMiB: residentMiB(pid),
      tables: await this.#place.sizes()
    }
  }

  #posts(): Promise<number> {
    return this.#world.outside.ask<number>('posts')
  }

  async #claimsSoFar(): Promise<Cumulative> {
    const { figures } = await scrape(this.#adminUrl)
    return new Map(
      [...figures].flatMap(([name, count]) => {
        const [, bound] =
          /^store_transition_duration_seconds_bucket\{le="([^"]+)",.*transition="acquire"/.exec(name) ?? []
        return bound === undefined
          ? []
          : [[bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), count] as const]
      })
    )
  }
}

function isSent({ status }: Call): boolean {
  return status === 201
}

function countBy(calls: readonly Call[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, delivery } of calls) {
    const kind = status === 0 ? 'no answer' : `${status} ${delivery}`.trim()
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** Never resolves. */
function abortOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => undefined)
  signal.addEventListener('abort', () => reject(signal.reason))
  return promise
}
