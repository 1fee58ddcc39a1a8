// Records in a Redis that one test file shares; every test has names of its own.
import type { Test } from 'tap'
import { KEPT_MS, type RecordStore } from '../../../../src/delivery/record.ts'
import { createRedisStore, type RedisStoreOptions } from '../../../../src/delivery/stores/redis/store.ts'
import type { RedisServer } from '../../../helpers/redis-server.ts'
import { redisAddress } from '../../../lib/addresses.ts'
import type { StoreKit } from '../store-kit.ts'

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
  const tell = (level: Told['level']) => (sentence: string) => void told.push({ level, sentence })
  const log = { info: tell('info'), warn: tell('warn'), error: tell('error') }
  const monotonic = (): number => performance.now()
  const store = await createRedisStore({
    address: redisAddress(storeUrl),
    monotonic,
    log,
    commandTimeoutMs: PATIENT_MS,
    ...options
  })
  t.teardown(() => store.close())
  return { store, told }
}

/** Moves the dates of a record into the past: Redis has its own clock, which no test can move. */
const GROW_OLDER = `
  if redis.call('TYPE', KEYS[1]).ok ~= 'hash' or KEYS[1] == 'reply:meta' then return end
  local kept = redis.call('PTTL', KEYS[1]) - ARGV[1]
  if kept <= 0 then return redis.call('DEL', KEYS[1]) end
  local ends = redis.call('HGET', KEYS[1], 'dl')
  redis.call('HSET', KEYS[1], 'dl', string.format('%.0f', ends - ARGV[1]))
  redis.call('PEXPIRE', KEYS[1], kept)`

/** Makes every record older by so much. */
export async function growOlder(redis: RedisServer, ms: number): Promise<void> {
  for (const key of (await redis.command('KEYS', 'reply:*')) as string[]) {
    await redis.command('EVAL', GROW_OLDER, 1, key, ms)
  }
}

export async function makeRedisKit(t: Test, redis: RedisServer): Promise<StoreKit> {
  let passedMs = 0
  const monotonic = (): number => performance.now() + passedMs
  return {
    open: async () => (await openRedisStore(t, redis.url, { monotonic })).store,
    async pass(ms) {
      passedMs += ms
      await growOlder(redis, ms)
    },
    kept: KEPT_MS
  }
}
