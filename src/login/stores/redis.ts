import type { ChainableCommander } from 'ioredis'
import type { RedisAddress } from '../../lib/service/store-address.ts'
import { redisConnection } from '../../redis/address.ts'
import { RedisClient } from '../../redis/client.ts'
import { isSessionRecord, type SessionRecord, type SessionStore } from './session-store.ts'

const PREFIX = 'thread-reply-bff:login:'
const COMMAND_TIMEOUT_MS = 1000
/** Clocks of instances differ a little; whether a session is over is judged by its own times, not by this. */
const GRACE_MS = 60_000

/**
 * Sessions that all instances share. An index key leads to a sorted set of the names of its sessions, each with the
 * time when it ends. While Redis is away every call fails at once.
 */
export async function createRedisSessionStore(
  address: RedisAddress,
  onChange?: (isReachable: boolean) => void
): Promise<SessionStore> {
  const client = new RedisClient({
    variable: 'STORE_URL',
    connection: redisConnection(address, COMMAND_TIMEOUT_MS),
    // Nothing has this name; only a server that takes writes says so.
    handshake: redis => redis.del(`${PREFIX}nothing`),
    onChange
  })
  await client.open()

  return {
    put: (name, record, nowMs) =>
      client.run(async redis => {
        const ttlMs = Math.max(1, Math.ceil(record.endsAtMs - nowMs) + GRACE_MS)
        const batch = redis.multi().set(sessionKey(name), JSON.stringify(record), 'PX', ttlMs)
        for (const key of record.indexKeys.map(indexedAt)) {
          batch
            .zremrangebyscore(key, '-inf', nowMs - GRACE_MS)
            .zadd(key, record.endsAtMs, name)
            .pexpire(key, ttlMs)
        }
        await allDone(batch)
      }),
    get: name => client.run(async redis => recordFrom(await redis.get(sessionKey(name)))),
    touch: (name, record) =>
      client.run(async redis => {
        await redis.set(sessionKey(name), JSON.stringify(record), 'KEEPTTL', 'XX')
      }),
    delete: name =>
      client.run(async redis => {
        const batch = redis.multi()
        forget(batch, name, recordFrom(await redis.get(sessionKey(name))))
        await allDone(batch)
      }),
    deleteIndexed: indexKey =>
      client.run(async redis => {
        const names = await redis.zrange(indexedAt(indexKey), '0', '-1')
        if (names.length === 0) return []
        const texts = await redis.mget(names.map(sessionKey))
        const batch = redis.multi().del(names.map(sessionKey))
        // Only the members that were read are taken out: one that joins meanwhile must stay findable.
        batch.zrem(indexedAt(indexKey), ...names)
        for (const [index, name] of names.entries()) forget(batch, name, recordFrom(texts[index] ?? null))
        await allDone(batch)
        // What has ended in Redis by itself is named by its owner for a while.
        return names.filter((_, index) => texts[index] !== null)
      }),
    consumeOnce: (name, untilMs, nowMs) =>
      client.run(async redis => {
        const ttlMs = Math.max(1, Math.ceil(untilMs - nowMs))
        return (await redis.set(claimKey(name), '1', 'PX', ttlMs, 'NX')) === 'OK'
      }),
    forgetConsumed: name => client.run(async redis => void (await redis.del(claimKey(name)))),
    isReady: () => client.isReady(),
    close: async () => client.close()
  }
}

function sessionKey(name: string): string {
  return `${PREFIX}session:${name}`
}

function indexedAt(indexKey: string): string {
  return `${PREFIX}owner:${indexKey}`
}

function claimKey(name: string): string {
  return `${PREFIX}claim:${name}`
}

/** Deletes a session and its name under every index key: such a set must not only grow. */
function forget(batch: ChainableCommander, name: string, record: SessionRecord | undefined): void {
  batch.del(sessionKey(name))
  for (const indexKey of record?.indexKeys ?? []) batch.zrem(indexedAt(indexKey), name)
}

function recordFrom(text: string | null): SessionRecord | undefined {
  if (text === null) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isSessionRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** A transaction rejects as a whole, but each command in it may also fail by itself. */
async function allDone(batch: ChainableCommander): Promise<unknown[]> {
  const results = (await batch.exec()) ?? []
  for (const [error] of results) if (error) throw error
  return results.map(([, result]) => result)
}
