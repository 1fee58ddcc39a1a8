import { type RedisConnection, redisConnection } from '../redis-connection.ts'
import { SCRIPTS } from './redis-scripts.ts'

export const COMMAND_TIMEOUT_MS = 400

/** The client of the Redis that keeps records. Throws a StoreError where STORE_URL is not an address. */
export function redisOptions(storeUrl: string, commandTimeoutMs: number): RedisConnection {
  return { ...redisConnection('STORE_URL', storeUrl, commandTimeoutMs), scripts: SCRIPTS }
}
