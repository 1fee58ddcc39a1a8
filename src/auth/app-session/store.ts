import { AppError } from '../../errors.ts'
import type { RedisAddress } from '../../lib/service/store-address.ts'
import { redisConnection } from '../../redis/address.ts'
import { RedisClient } from '../../redis/client.ts'

export interface StoredSession {
  readonly text: string
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
  readonly onChange?: (isReachable: boolean) => void
}

const COMMAND_TIMEOUT_MS = 1000

/** Reads sessions where connect-redis keeps them; writes nothing. While Redis is away every read fails at once. */
export async function createAppSessionRedis(options: AppSessionRedisOptions): Promise<AppSessionStore> {
  const { address, prefix, onChange } = options
  const client = new RedisClient({
    connection: redisConnection(address, COMMAND_TIMEOUT_MS),
    // Not PING: a Redis user who may only read sessions needs no other right, and one without that right shows here.
    handshake: redis => redis.pttl(prefix),
    onChange
  })
  await client.open()

  return {
    async read(id) {
      const key = prefix + id
      try {
        const [text, ttlMs] = await client.run(redis => Promise.all([redis.get(key), redis.pttl(key)]))
        // -2: the key ended between the two; -1: it never does.
        return text === null || ttlMs === -2 ? undefined : { text, ttlMs: ttlMs < 0 ? undefined : ttlMs }
      } catch {
        throw unavailable()
      }
    },
    isReady: () => client.isReady(),
    close: () => client.close()
  }
}

function unavailable(): AppError {
  return new AppError('store-unavailable', 'Sessions cannot be read at the moment.', {
    retryAfterMs: 1000,
    reason: 'session-store'
  })
}
