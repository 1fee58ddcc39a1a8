// Redis dates records by its own clock, which no test can move. So time passes here by making every record older.
import { Redis } from 'ioredis'
import type { Awaitable, RecordStore } from '../../../src/delivery/record.ts'
import { createRedisStore } from '../../../src/delivery/stores/redis/store.ts'
import { redisAddress } from '../../lib/addresses.ts'
import { wrapStore } from '../wrap-store.ts'
import type { SharedStore, World } from './world.ts'

/** Moves the dates of a record into the past: the end of its lease, and when it is forgotten. */
const GROW_OLDER = `
  local ends = redis.call('HGET', KEYS[1], 'dl')
  if not ends then return end
  local kept = redis.call('PTTL', KEYS[1]) - ARGV[1]
  if kept <= 0 then return redis.call('DEL', KEYS[1]) end
  redis.call('HSET', KEYS[1], 'dl', string.format('%.0f', ends - ARGV[1]))
  redis.call('PEXPIRE', KEYS[1], kept)`

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Its time is that of the world, and the few real milliseconds that its work takes. */
export async function connectToRedis(url: string, world: World): Promise<SharedStore> {
  const helper = new Redis(url)
  const opened: RecordStore[] = []
  let agedAtMs = world.nowMs

  async function age(): Promise<void> {
    const passedMs = world.nowMs - agedAtMs
    agedAtMs = world.nowMs
    if (passedMs === 0) return
    for (const key of await helper.keys('reply:*')) {
      if ((await helper.type(key)) === 'hash') await helper.eval(GROW_OLDER, 1, key, passedMs)
    }
  }

  return {
    async connect(process) {
      const monotonic = (): number => world.clock(process).monotonic()
      const store = await createRedisStore({ address: redisAddress(url), monotonic, log: SILENT })
      opened.push(store)
      const aged =
        <A extends unknown[], T>(transition: (...args: A) => Awaitable<T>) =>
        async (...args: A): Promise<T> => {
          await age()
          return transition(...args)
        }
      return wrapStore(store, {
        claim: aged((claim, as) => store.claim(claim, as)),
        markSent: aged((key, owner) => store.markSent(key, owner)),
        doubt: aged((key, owner) => store.doubt(key, owner)),
        reclaim: aged((key, previous, claim) => store.reclaim(key, previous, claim)),
        finish: aged((key, owner, outcome) => store.finish(key, owner, outcome)),
        release: aged((key, owner) => store.release(key, owner))
      })
    },
    async close() {
      for (const store of opened) await store.close()
      const names = (await helper.keys('reply:*')).filter(name => name !== 'reply:meta')
      if (names.length > 0) await helper.del(...names)
      await helper.quit()
    }
  }
}
