import type { Redis } from 'ioredis'

/** Forbidden, renamed, or not known to a server or a proxy that is not quite Redis. */
export const NOT_ANSWERED = /^(NOPERM|ERR (unknown|unsupported|command|this|invalid command))/i

/**
 * Whether a Redis puts each write on its disk before it answers: `appendfsync always`, and not interrupted while a child
 * writes (`no-appendfsync-on-rewrite no`; redis.conf, flushAppendOnlyFile in aof.c). Undefined where CONFIG may not be
 * asked.
 */
export async function isSynced(redis: Redis): Promise<boolean | undefined> {
  try {
    // A pattern: several names in one question are known from Redis 7 on.
    const answer: unknown = await redis.config('GET', '*appendfsync*')
    if (!Array.isArray(answer)) return undefined
    const settingOf = (name: string): unknown => answer[answer.indexOf(name) + 1]
    if (!answer.includes('appendfsync')) return undefined
    return settingOf('appendfsync') === 'always' && settingOf('no-appendfsync-on-rewrite') === 'no'
  } catch (error) {
    if (error instanceof Error && NOT_ANSWERED.test(error.message)) return undefined
    throw error
  }
}
