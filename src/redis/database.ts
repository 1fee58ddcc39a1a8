import type { Redis } from 'ioredis'
import { StoreError } from '../lib/service/store-error.ts'

/** The variable that an address of Redis comes from. */
export type RedisVariable = 'STORE_URL' | 'AUTH_SESSION_STORE_URL'

/**
 * Makes sure that a connection is to the database that the address names: the client itself would go on with database 0,
 * and its records among those of somebody else. Throws a StoreError where that database cannot be had.
 */
export async function selectDatabase(redis: Redis, database: number, variable: RedisVariable): Promise<void> {
  if (database === 0) return
  try {
    await redis.select(database)
  } catch (error) {
    const answer = error instanceof Error && error.name === 'ReplyError' ? error.message : ''
    if (answer.startsWith('NOPERM')) {
      throw new StoreError(`${variable} names a database other than 0, and its user may not run SELECT.`)
    }
    if (!answer.startsWith('ERR ')) throw error
    throw new StoreError(`${variable} names a database that this Redis does not have: change the number at its end.`)
  }
}
