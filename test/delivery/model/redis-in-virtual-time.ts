// Redis dates records by its own clock, which no test can move. So the scripts are told the time of the world.
import { Redis } from 'ioredis'
import type { RecordStore } from '../../../src/delivery/record.ts'
import { createRedisStore } from '../../../src/delivery/stores/redis/store.ts'
import { redisAddress } from '../../lib/addresses.ts'
import { inTime } from './in-time.ts'
import type { SharedStore, World } from './world.ts'

const NOW = 'now-in-the-world'
const TIME_SHIM = `now = tonumber(redis.call('GET', '${NOW}'))`
/** Redis forgets records by its real clock: so they get so much less time. */
const FORGET_EARLIER = `
  if KEYS[1] == 'reply:meta' then return end
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 then redis.call('PEXPIRE', KEYS[1], math.max(0, left - ARGV[1])) end`

/** How the servers behind an address are told the time. */
export interface ServerClock {
  readonly timeShim: string
  begin(nowMs: number): Promise<void>
  show(nowMs: number): Promise<void>
  /** Records have so much less time. */
  forgetEarlier(passedMs: number): Promise<void>
  /** Names of which each instance hears the time of another shard. */
  readonly beats: readonly string[]
  /** Nothing may stay for the next world. */
  end(): Promise<void>
}

/** Of one server. */
export function clockOf(url: string): ServerClock {
  const helper = new Redis(url)
  return {
    timeShim: TIME_SHIM,
    beats: ['nothing'],
    begin: async nowMs => void (await helper.set(NOW, nowMs)),
    show: async nowMs => void (await helper.set(NOW, nowMs)),
    async forgetEarlier(passedMs) {
      for (const key of await helper.keys('reply:*')) await helper.eval(FORGET_EARLIER, 1, key, passedMs)
    },
    async end() {
      await helper.del(NOW, ...(await helper.keys('reply:*')))
      await helper.quit()
    }
  }
}

/** Its time is that of the world, jumps of the clock included. `clock` is of the server at the address unless given. */
export async function connectToRedis(url: string, world: World, clock = clockOf(url)): Promise<SharedStore> {
  const opened: RecordStore[] = []
  const wallMs = (): number => world.nowMs + world.wallOffsetMs
  let shownMs = wallMs()
  let passedToMs = world.nowMs
  await clock.begin(shownMs)

  async function showTime(): Promise<void> {
    const passedMs = wallMs() - shownMs
    if (passedMs === 0) return
    shownMs += passedMs
    await clock.show(shownMs)
    passedToMs = world.nowMs
    await clock.forgetEarlier(passedMs)
  }

  // A beat of every instance; what no running instance sees is a limit that docs/delivery.md names.
  world.onJump.push(async () => {
    await showTime()
    await Promise.all(opened.flatMap(store => clock.beats.map(async name => store.release(name, 'nobody'))))
  })

  return {
    forgetsByClock: true,
    async connect(process) {
      // No further than the Redis has been shown: a beat in between would see a jump.
      const monotonic = (): number => passedToMs - process.bootedAtMs
      await showTime()
      const store = await createRedisStore({
        address: redisAddress(url),
        monotonic,
        emit: () => undefined,
        timeShim: clock.timeShim,
        commandTimeoutMs: 5000
      })
      opened.push(store)
      return inTime(store, showTime)
    },
    async close() {
      for (const store of opened) await store.close()
      // The next world has a time of its own: nothing of this one, the memory of losses neither, may stay.
      await clock.end()
    }
  }
}
