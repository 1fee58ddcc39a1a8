// The clock of a Redis Cluster in our hands. A script may touch the keys of its own slot alone, so each shard is told the
// time where the scripts remember their server.
import { Redis } from 'ioredis'
import { type Shard, Shards } from '../../../../src/delivery/stores/redis/shards.ts'
import { ServerRun } from '../../../../src/delivery/stores/server-run.ts'
import type { RedisServer } from '../../../helpers/redis-server.ts'
import type { ServerClock } from '../../model/redis-in-virtual-time.ts'

/** Lua that tells the scripts the time of their shard. */
export const CLUSTER_TIME = `
local clock = redis.call('HMGET', KEYS[#KEYS], 'at', 'ahead')
now = tonumber(clock[1] or now) + tonumber(clock[2] or '0')`

const SHARDS = new Shards(true, () => new ServerRun(() => 0, 0))
const MEMORIES = SHARDS.all.map(({ memory }) => memory)

/** What is done on a node with each key of ours there. */
const each = (memory: string, record: string): string => `
for _, key in ipairs(redis.call('KEYS', 'reply:*')) do
  if string.sub(key, -4) == 'meta' then ${memory} else ${record} end
end`
const BEGIN = `for index = 2, #ARGV do redis.pcall('HSET', ARGV[index], 'at', ARGV[1]) end`
const FORGET = each(
  '',
  `local left = redis.call('PTTL', key)
   if left >= 0 then redis.call('PEXPIRE', key, math.max(0, left - ARGV[1])) end`
)
const MOVE = each("redis.call('HINCRBY', key, 'ahead', ARGV[1])", '')
const SHOW = each("redis.call('HSET', key, 'at', ARGV[1])", '')
const CLEAN = each("redis.call('DEL', key)", "redis.call('DEL', key)")

export class ClusterClock implements ServerClock {
  readonly timeShim = CLUSTER_TIME
  readonly beats = namesOfAllShards()
  readonly #masters: readonly Redis[]

  constructor(masters: readonly RedisServer[]) {
    this.#masters = masters.map(({ url }) => new Redis(url))
  }

  /** From now on it stands at this time. */
  begin(nowMs: number): Promise<void> {
    return this.#everywhere(BEGIN, nowMs, ...MEMORIES)
  }

  show(nowMs: number): Promise<void> {
    return this.#everywhere(SHOW, nowMs)
  }

  forgetEarlier(passedMs: number): Promise<void> {
    return this.#everywhere(FORGET, passedMs)
  }

  /** Shows so much more than before, or less. */
  async move(ms: number): Promise<void> {
    await this.#everywhere(MOVE, ms)
    await this.forgetEarlier(ms)
  }

  async end(): Promise<void> {
    await this.#everywhere(CLEAN)
    for (const master of this.#masters) master.disconnect()
  }

  async #everywhere(lua: string, ...args: readonly (string | number)[]): Promise<void> {
    await Promise.all(this.#masters.map(master => master.eval(lua, 0, ...args)))
  }
}

function namesOfAllShards(): readonly string[] {
  const names = new Map<Shard, string>()
  for (let number = 0; names.size < SHARDS.all.length; number++) {
    const shard = SHARDS.of(`name-${number}`)
    if (!names.has(shard)) names.set(shard, `name-${number}`)
  }
  return [...names.values()]
}
