// Records in a Redis that one test file shares; every test has names of its own.
import type { Logger } from 'pino'
import type { Test } from 'tap'
import { KEPT_MS, type RecordStore } from '../../../../src/delivery/record.ts'
import { createRedisStore, type RedisStoreOptions } from '../../../../src/delivery/stores/redis/store.ts'
import { logEvents } from '../../../../src/observability/event-log.ts'
import type { RedisCluster } from '../../../helpers/redis-cluster.ts'
import type { RedisServer } from '../../../helpers/redis-server.ts'
import { until } from '../../../helpers/until.ts'
import { redisAddress } from '../../../lib/addresses.ts'
import type { StoreKit } from '../store-kit.ts'
import { ClusterClock } from './cluster-clock.ts'

export interface Told {
  readonly level: 'info' | 'warn' | 'error'
  readonly sentence: string
}

export interface OpenedStore {
  readonly store: RecordStore
  /** What the operator was told. */
  readonly told: Told[]
}

/** On a busy machine a healthy Redis may seem slow: where its slowness is not the subject, it gets more time. */
const PATIENT_MS = 5000

/** Opens a store at this address, and closes it when the test ends. */
export async function openRedisStore(
  t: Test,
  storeUrl: string,
  options: Partial<RedisStoreOptions> = {}
): Promise<OpenedStore> {
  const told: Told[] = []
  // pino takes fields before the sentence, or the sentence alone.
  const tell =
    (level: Told['level']) =>
    (...said: readonly unknown[]) =>
      void told.push({ level, sentence: String(said.at(-1)) })
  // A silent one makes no child for the lines that are always written.
  const log = { level: 'silent', info: tell('info'), warn: tell('warn'), error: tell('error') }
  const monotonic = (): number => performance.now()
  const store = await createRedisStore({
    address: redisAddress(storeUrl),
    monotonic,
    emit: logEvents(log as unknown as Logger),
    commandTimeoutMs: PATIENT_MS,
    ...options
  })
  t.teardown(() => store.close())
  return { store, told }
}

/** Resolves when this run of the server was greeted, and these stores can be used. */
export async function greeted(redis: RedisServer, ...stores: readonly RecordStore[]): Promise<void> {
  const run = /run_id:(\w+)/.exec(String(await redis.command('INFO', 'server')))?.[1]
  await until(async () => (await redis.command('HGET', 'reply:meta', 'run')) === run)
  await until(() => stores.every(store => store.isReady()))
}

/** Keys of a Redis from which the scripts learn how far its clock is ahead, and at which time it stands, if it does. */
const AHEAD = 'clock-is-ahead-by-ms'
const STOPPED_AT = 'clock-stands-at-ms'

/** A Redis whose clock is in our hands. */
export const MOVABLE_CLOCK: Partial<RedisStoreOptions> = {
  timeShim: `now = tonumber(redis.call('GET', '${STOPPED_AT}') or now) + tonumber(redis.call('GET', '${AHEAD}') or '0')`
}

/** Redis forgets records by its real clock, which no test can move: so they get so much less time. */
const FORGET_EARLIER = `
  if KEYS[1] == 'reply:meta' then return end
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 then redis.call('PEXPIRE', KEYS[1], math.max(0, left - ARGV[1])) end`

/** The clock of this Redis shows so much more than before, or less. */
export async function moveClock(redis: RedisServer, ms: number): Promise<void> {
  await redis.command('INCRBY', AHEAD, ms)
  for (const key of (await redis.command('KEYS', 'reply:*')) as string[]) {
    await redis.command('EVAL', FORGET_EARLIER, 1, key, ms)
  }
}

/** From now on only `moveClock` moves it: a busy machine takes no time. */
export async function stopClock(redis: RedisServer): Promise<void> {
  await redis.command('SET', STOPPED_AT, Date.now())
}

/** Every time it is asked, a Redis Cluster of which nobody knows anything yet. */
export async function makeClusterKit(t: Test, { url, masters }: RedisCluster): Promise<StoreKit> {
  let passedMs = 0
  const clock = new ClusterClock(masters)
  await clock.begin(Date.now())
  t.teardown(() => clock.end())
  return {
    open: async () => (await openRedisStore(t, url, { timeShim: clock.timeShim, monotonic: () => passedMs })).store,
    async pass(ms) {
      passedMs += ms
      await clock.move(ms)
    },
    kept: KEPT_MS
  }
}

export async function makeRedisKit(t: Test, redis: RedisServer, url = redis.url): Promise<StoreKit> {
  let passedMs = 0
  const monotonic = (): number => passedMs
  await stopClock(redis)
  return {
    open: async () => (await openRedisStore(t, url, { ...MOVABLE_CLOCK, monotonic })).store,
    async pass(ms) {
      passedMs += ms
      await moveClock(redis, ms)
    },
    kept: KEPT_MS
  }
}
