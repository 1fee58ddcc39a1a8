import type { Redis } from 'ioredis'
import { AppError } from '../../errors.ts'
import { asciiLowerCase } from '../../lib/ascii.ts'
import type { RedisAddress } from '../../lib/service/store-address.ts'
import { redisServers } from '../../redis/open-servers.ts'

export interface StoredSession {
  /** Undefined where the key holds something of another type. */
  readonly text: string | undefined
  /** Until the key expires; undefined where it never does. */
  readonly ttlMs: number | undefined
}

export interface AppSessionStore {
  /** Undefined for a session that does not exist; throws `store-unavailable` when that cannot be known. */
  read(id: string): Promise<StoredSession | undefined>
  isReady(): boolean
  close(): void
}

export interface AppSessionRedisOptions {
  readonly address: RedisAddress
  /** What connect-redis puts before the session id. */
  readonly prefix: string
  /** Told whenever the store turns from reachable to not, and back. */
  readonly onChange?: (isReachable: boolean, reason: string) => void
  /** Told why sessions cannot be looked for there at all, where that shows after the start. */
  readonly onRefusal?: (problem: string) => void
}

const COMMAND_TIMEOUT_MS = 1000
/** This Redis is one of a cluster: it has not the session, or not the cluster's leave to answer. */
const CLUSTER_REPLIES = /^(MOVED|ASK|CLUSTERDOWN|TRYAGAIN)\b/

/**
 * Reads sessions where connect-redis keeps them; writes nothing. While Redis is away every read fails at once. Throws a
 * StoreError where it has no such database.
 */
export async function createAppSessionRedis(options: AppSessionRedisOptions): Promise<AppSessionStore> {
  const { address, prefix, onChange, onRefusal } = options
  const servers = redisServers({
    variable: 'AUTH_SESSION_STORE_URL',
    address,
    commandTimeoutMs: COMMAND_TIMEOUT_MS,
    // Not PING: a Redis user who may only read sessions needs no other right, and one without that right shows here.
    handshake: ({ redis }, _isSame, keyAt) => redis.pttl(keyAt(prefix)),
    ...(onChange && { onChange }),
    onTrouble: onRefusal
  })
  await servers.open()

  return {
    async read(id) {
      const key = prefix + id
      try {
        const [text, ttlMs] = await servers.run(key, redis => Promise.all([textAt(redis, key), redis.pttl(key)]))
        // -2: the key ended between the two; -1: it never does.
        return text === null || ttlMs === -2 ? undefined : { text, ttlMs: ttlMs < 0 ? undefined : ttlMs }
      } catch (error) {
        throw unavailable(error)
      }
    },
    isReady: () => servers.isReady(),
    close: () => servers.close()
  }
}

/** One key of another type is one session that cannot be read: Redis is as well as before. */
async function textAt(redis: Redis, key: string): Promise<string | null | undefined> {
  try {
    return await redis.get(key)
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return undefined
    throw error
  }
}

function unavailable(error: unknown): AppError {
  const [code] = (error instanceof Error && CLUSTER_REPLIES.exec(error.message)) || []
  return new AppError('store-unavailable', 'Sessions cannot be read at the moment.', {
    retryAfterMs: 1000,
    reason: code === undefined ? 'session-store' : `session-store-${asciiLowerCase(code)}`
  })
}
