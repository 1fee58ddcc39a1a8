import type { ChainableCommander } from 'ioredis'
import type { RedisAddress } from '../../lib/service/store-address.ts'
import { redisServers } from '../../redis/open-servers.ts'
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
  const servers = redisServers({
    variable: 'STORE_URL',
    address,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
    // Nothing has this name; only a server that takes writes says so.
    handshake: ({ redis }, _isSame, keyAt) => redis.del(keyAt(`${PREFIX}nothing`)),
    ...(onChange && { onChange })
  })
  await servers.open()

  /** In one turn, one command of one key each: keys of one session may be on several servers. */
  async function forget(name: string, text: string | null): Promise<void> {
    const key = sessionKey(name)
    await servers.run(key, redis => redis.del(key))
    const indexKeys = recordFrom(text)?.indexKeys ?? []
    await Promise.all(indexKeys.map(indexedAt).map(at => servers.run(at, redis => redis.zrem(at, name))))
  }

  function read(name: string): Promise<string | null> {
    const key = sessionKey(name)
    return servers.run(key, redis => redis.get(key))
  }

  return {
    async put(name, record, nowMs) {
      const ttlMs = Math.max(1, Math.ceil(record.endsAtMs - nowMs) + GRACE_MS)
      // First where a logout finds it: a session that none finds must not be.
      await Promise.all(
        record.indexKeys.map(indexedAt).map(at =>
          servers.run(at, redis =>
            allDone(
              redis
                .multi()
                .zremrangebyscore(at, '-inf', nowMs - GRACE_MS)
                .zadd(at, record.endsAtMs, name)
                .pexpire(at, ttlMs)
            )
          )
        )
      )
      const key = sessionKey(name)
      await servers.run(key, redis => redis.set(key, JSON.stringify(record), 'PX', ttlMs))
    },
    get: async name => recordFrom(await read(name)),
    async touch(name, record) {
      const key = sessionKey(name)
      await servers.run(key, redis => redis.set(key, JSON.stringify(record), 'KEEPTTL', 'XX'))
    },
    delete: async name => forget(name, await read(name)),
    async deleteIndexed(indexKey) {
      const at = indexedAt(indexKey)
      const names = await servers.run(at, redis => redis.zrange(at, '0', '-1'))
      const texts = await Promise.all(names.map(read))
      await Promise.all(names.map((name, index) => forget(name, texts[index] ?? null)))
      // Only the members that were read are taken out: one that joins meanwhile must stay findable.
      if (names.length > 0) await servers.run(at, redis => redis.zrem(at, ...names))
      // What has ended in Redis by itself is named by its owner for a while.
      return names.filter((_, index) => texts[index] !== null)
    },
    async consumeOnce(name, untilMs, nowMs) {
      const key = claimKey(name)
      const ttlMs = Math.max(1, Math.ceil(untilMs - nowMs))
      return (await servers.run(key, redis => redis.set(key, '1', 'PX', ttlMs, 'NX'))) === 'OK'
    },
    async forgetConsumed(name) {
      const key = claimKey(name)
      await servers.run(key, redis => redis.del(key))
    },
    isReady: () => servers.isReady(),
    close: async () => servers.close()
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
async function allDone(batch: ChainableCommander): Promise<void> {
  for (const [error] of (await batch.exec()) ?? []) if (error) throw error
}
