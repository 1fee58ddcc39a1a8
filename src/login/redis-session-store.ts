import { Redis } from 'ioredis'
import { isSessionRecord, type SessionRecord, type SessionStore } from './session-store.ts'

const PREFIX = 'thread-reply-bff:login:'
/** Clocks of instances differ a little; whether a session is over is judged by its own times, not by this. */
const GRACE_MS = 60_000

/** Sessions that all instances share. Calls fail at once while Redis is away, and so does nothing for ever. */
export async function createRedisSessionStore(url: string): Promise<SessionStore> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2000,
    commandTimeout: 2000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false
  })
  // Every call tells its own failure; an unheard event would end the process.
  redis.on('error', () => undefined)
  await redis.connect().catch(() => undefined)

  return {
    async put(name, record, nowMs) {
      const ttlMs = Math.max(1, Math.ceil(record.endsAtMs - nowMs) + GRACE_MS)
      const batch = redis.multi().set(sessionKey(name), JSON.stringify(record), 'PX', ttlMs)
      for (const owner of record.owners) batch.sadd(ownerKey(owner), name).pexpire(ownerKey(owner), ttlMs)
      await allDone(batch.exec())
    },
    async get(name) {
      return recordFrom(await redis.get(sessionKey(name)))
    },
    async touch(name, record) {
      await redis.set(sessionKey(name), JSON.stringify(record), 'KEEPTTL', 'XX')
    },
    async delete(name) {
      await redis.del(sessionKey(name))
    },
    async deleteOwnedBy(owner) {
      const names = await redis.smembers(ownerKey(owner))
      if (names.length === 0) return 0
      // Only the members that were read are taken out: one that joins meanwhile must stay findable.
      const deleted = await redis.del(names.map(sessionKey))
      await redis.srem(ownerKey(owner), names)
      return deleted
    },
    async claimOnce(name, untilMs, nowMs) {
      return (await redis.set(claimKey(name), '1', 'PX', Math.max(1, Math.ceil(untilMs - nowMs)), 'NX')) === 'OK'
    },
    async disclaim(name) {
      await redis.del(claimKey(name))
    },
    async close() {
      redis.disconnect()
    }
  }
}

function sessionKey(name: string): string {
  return `${PREFIX}session:${name}`
}

function ownerKey(owner: string): string {
  return `${PREFIX}owner:${owner}`
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
async function allDone(results: Promise<[error: Error | null, result: unknown][] | null>): Promise<void> {
  const failed = (await results)?.find(([error]) => error)
  if (failed?.[0]) throw failed[0]
}
