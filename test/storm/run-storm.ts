// Real processes in bad weather: CometChat fails, instances are killed and stopped, clients leave, and all of them keep
// the one rule. At the end the ledger says whether anything was doubled or lost.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createCometChatEmulator } from '../../emulator/cometchat-emulator.ts'
import { type FaultName, QUICK_FAULTS } from '../../emulator/faults.ts'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import { createRandom } from '../../emulator/random.ts'
import { startRedis, withoutRedis } from '../helpers/redis-server.ts'
import type { ServiceEnv } from '../helpers/service-process.ts'
import { Instance } from './instance.ts'
import { Judge, type Score } from './judge.ts'
import { Meddlers, MODERATED, PAGINGS } from './meddlers.ts'
import { PostgresWeather } from './postgres-weather.ts'
import { RedisWeather } from './redis-weather.ts'
import { sleep } from './sleep.ts'
import type { StoreWeather } from './store-weather.ts'
import { type Place, StormClients } from './storm-clients.ts'
import { clusterWeather, sentinelWeather } from './topology-weather.ts'

export interface StormOptions {
  readonly replies: number
  /** How long replies are begun and processes killed; then everything comes to rest. */
  readonly seconds: number
  readonly seed: number
  /** `memory` shows what the storm does to instances that share nothing and forget: it must double replies. */
  readonly store: 'file' | 'redis' | 'both' | 'failing-redis' | 'sentinel' | 'cluster' | 'postgres' | 'memory'
  /** How CometChat pages its threads: a name of PAGINGS; by the seed unless given. */
  readonly paging?: string | undefined
  /** How long it may take to come to rest, at the most. */
  readonly restSeconds?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Score & StormFacts) => void
}

export interface StormFacts {
  readonly kills: number
  readonly pauses: number
  /** Of the store, and whether a server took its place that had not received everything. */
  readonly storeKills: number
  readonly hasFailedOver: boolean
  /** Messages that others wrote, deleted, removed or edited. */
  readonly changes: number
  readonly paging: string
  readonly seconds: number
  /** The longest time that CometChat, which lives in this process, could not do anything. */
  readonly lagMs: number
  /** What was told wrongly, in words. */
  readonly lies: readonly string[]
  /** Why there was no Redis. */
  readonly missing?: string
}

const USERS = 40
const FAULT_RATE = 0.2
const FAULTS: readonly FaultName[] = [
  // A revoked key is the operator's business: no client may resend after it.
  ...QUICK_FAULTS.filter(name => !name.startsWith('key-') && name !== 'giant-body'),
  'stall',
  'stall-after-commit'
]
const DEADLINE_MS = 1000
/** A reply that used up its reads in the storm has further ones after ten minutes (docs/delivery.md). */
const LONGEST_REST_S = 660
export const QUIET_MS = 2000
/** Longer than the lease of a reply, which is its deadline and 5 s, and the quiet period after it. */
const LONGEST_PAUSE_MS = DEADLINE_MS + 5000 + QUIET_MS + 2000
/** Few enough for a busy machine to answer them within the deadline; more where replies shall be doubled. */
const CLIENTS_PER_PLACE = { proving: 60, doubling: 150 } as const
const MEDDLE_EVERY_MS = 20

export async function runStorm(options: StormOptions): Promise<Score & StormFacts> {
  const storm = new Storm(options)
  try {
    await storm.begin()
    return await storm.run()
  } finally {
    await storm.end()
  }
}

class Storm {
  readonly #options: StormOptions
  readonly #random: () => number
  readonly #emulator: CometChatEmulator
  readonly #judge: Judge
  readonly #lag = monitorEventLoopDelay({ resolution: 20 })
  readonly #ends: (() => unknown)[] = []
  readonly #instances: Instance[] = []
  readonly #places: Place[] = []
  readonly #beganAtMs = performance.now()
  readonly #paging: string
  #meddlers: Meddlers | undefined
  #storeWeather: StoreWeather | undefined
  #missing: string | undefined
  #kills = 0
  #pauses = 0

  constructor(options: StormOptions) {
    this.#options = options
    this.#random = createRandom(options.seed)
    this.#emulator = createCometChatEmulator({ seed: options.seed })
    const pagings = Object.keys(PAGINGS)
    this.#paging = options.paging ?? pagings[options.seed % pagings.length] ?? 'either'
    // An edit takes the mark with it.
    Object.assign(this.#emulator.switches, { editedData: 'replaced', ...PAGINGS[this.#paging] })
    this.#judge = new Judge(this.#emulator)
  }

  async begin(): Promise<void> {
    const { url } = await this.#emulator.start()
    this.#ends.push(() => this.#emulator.stop())
    const env = {
      COMETCHAT_BASE_URL: url,
      COMETCHAT_API_KEY: this.#emulator.apiKey,
      STORE_SECRET: randomBytes(32).toString('hex'),
      REPLY_DEADLINE_MS: `${DEADLINE_MS}`,
      QUIET_PERIOD_MS: `${QUIET_MS}`
    }
    const { store } = this.#options
    if (store === 'redis' || store === 'both') await this.#placeOnRedis(env)
    if (store === 'file' || store === 'both') this.#placeOnFile(env)
    if (store === 'postgres') this.#placeInWeather('postgres', await PostgresWeather.begin(), env)
    if (store === 'failing-redis') this.#placeInWeather('redis', await RedisWeather.begin(), env)
    if (store === 'sentinel') this.#placeInWeather(store, await sentinelWeather(), env)
    if (store === 'cluster') this.#placeInWeather(store, await clusterWeather(), env)
    if (store === 'memory')
      this.#place(
        'memory',
        [1, 2].map(number => this.#instance(`memory-${number}`, env))
      )
    this.#ends.push(() => Promise.all(this.#instances.map(instance => instance.end())))
    await Promise.all(this.#instances.map(instance => instance.start()))
    this.#lag.enable()
    this.#emulator.failWithSeed(this.#options.seed, FAULT_RATE, FAULTS)
  }

  async run(): Promise<Score & StormFacts> {
    const { replies, seconds, seed, signal, store, restSeconds = LONGEST_REST_S } = this.#options
    const calm = new AbortController()
    const over = new AbortController()
    const signals = signal ? [signal] : []
    const parents = this.#addThreads()
    const threads = [...parents].map(([user, parent]) => ({ user, parent }))
    const meddlers = new Meddlers({
      emulator: this.#emulator,
      random: createRandom(seed + 2),
      threads,
      moderated: this.#storeWeather ? 0 : MODERATED,
      beforeEdit: () => this.#judge.notePosts()
    })
    this.#meddlers = meddlers
    const progress = setInterval(() => this.#options.onProgress?.(this.#facts()), 1000)
    const ending = setTimeout(() => calm.abort(), seconds * 1000)
    const clients = new StormClients({
      places: this.#places,
      judge: this.#judge,
      parents,
      staysUnknown: parent => this.#paging === 'ignored' || meddlers.isModerated(parent),
      random: createRandom(seed + 1),
      replies,
      calm: AbortSignal.any([calm.signal, ...signals]),
      over: AbortSignal.any([over.signal, ...signals])
    })
    const weather = this.#batter(AbortSignal.any([calm.signal, ...signals]))
    const meddling = setInterval(() => meddlers.meddle(), MEDDLE_EVERY_MS)
    const done = clients.run(CLIENTS_PER_PLACE[store === 'memory' ? 'doubling' : 'proving']).finally(() => calm.abort())
    // It is waited for below; a defect must not end this process before its children.
    done.catch(() => undefined)
    await weather
    this.#emulator.stopFailing()
    clearInterval(meddling)
    const patience = setTimeout(() => over.abort(), restSeconds * 1000)
    await done
    for (const timer of [progress, ending, patience]) clearTimeout(timer)
    return this.#facts()
  }

  async end(): Promise<void> {
    this.#lag.disable()
    for (const end of this.#ends.reverse()) await end()
  }

  async #placeOnRedis(env: ServiceEnv): Promise<void> {
    this.#missing = withoutRedis()
    if (this.#missing !== undefined) return
    const redis = await startRedis()
    this.#ends.push(() => redis.stop())
    this.#place(
      'redis',
      [1, 2].map(number => this.#instance(`redis-${number}`, { ...env, STORE_URL: redis.url }))
    )
  }

  #placeInWeather(name: string, weather: StoreWeather, env: ServiceEnv): void {
    this.#ends.push(() => weather.end())
    this.#storeWeather = weather
    this.#place(
      name,
      weather.urls.map((url, index) => this.#instance(`${name}-${index + 1}`, { ...env, STORE_URL: url }))
    )
  }

  #placeOnFile(env: ServiceEnv): void {
    const directory = mkdtempSync(join(tmpdir(), 'storm-'))
    this.#ends.push(() => rmSync(directory, { recursive: true, force: true }))
    this.#place('file', [this.#instance('file-1', { ...env, STORE_URL: `file:${join(directory, 'records.db')}` })])
  }

  #place(name: string, instances: readonly Instance[]): void {
    this.#places.push({ name, urls: () => instances.flatMap(({ url }) => url ?? []) })
  }

  #instance(name: string, env: ServiceEnv): Instance {
    const instance = new Instance(name, env)
    this.#instances.push(instance)
    return instance
  }

  /** Each user with a thread of their own. */
  #addThreads(): ReadonlyMap<string, string> {
    this.#emulator.addUser({ uid: 'host' })
    const users = Array.from({ length: USERS }, (_, number) => `user-${number}`)
    const parentOf = (uid: string): string => {
      this.#emulator.addUser({ uid })
      return this.#emulator.addMessage({ sender: 'host', receiver: uid, receiverType: 'user' }).id
    }
    return new Map(users.map(uid => [uid, parentOf(uid)]))
  }

  /** Every instance meets its own weather until it is calm. */
  async #batter(calm: AbortSignal): Promise<void> {
    await Promise.all([
      ...this.#instances.map(instance => this.#batterOne(instance, calm)),
      this.#storeWeather?.blow(this.#options.seconds, this.#random, calm)
    ])
  }

  async #batterOne(instance: Instance, calm: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(500 + this.#random() * 5000, calm)
      if (calm.aborted) return
      if (this.#random() < 0.15) {
        this.#pauses++
        await instance.pause(sleep(this.#random() * LONGEST_PAUSE_MS, calm))
      } else {
        this.#kills++
        await instance.killAndRestart()
      }
    }
  }

  #facts(): Score & StormFacts {
    const seconds = (performance.now() - this.#beganAtMs) / 1000
    const missing = this.#missing !== undefined && { missing: this.#missing }
    const lagMs = Math.round(this.#lag.max / 1e6)
    const lies = this.#judge.lies()
    return { ...this.#judge.score(), lies, ...this.#weather(), seconds, lagMs, ...missing }
  }

  #weather(): Pick<StormFacts, 'kills' | 'pauses' | 'changes' | 'paging' | 'storeKills' | 'hasFailedOver'> {
    const changes = this.#meddlers?.changes ?? 0
    const { kills: storeKills = 0, hasFailedOver = false } = this.#storeWeather ?? {}
    return { kills: this.#kills, pauses: this.#pauses, changes, paging: this.#paging, storeKills, hasFailedOver }
  }
}
