import { isIP } from 'node:net'
import type { Redis, RedisOptions } from 'ioredis'
import type { RedisAddress, RedisHost } from '../lib/service/store-address.ts'
import { StoreError } from '../lib/service/store-error.ts'

/** The variable that an address of Redis comes from. */
export type RedisVariable = 'STORE_URL' | 'AUTH_SESSION_STORE_URL'

/** The client refuses a mapping that may be undefined, which its own type of options allows. */
export interface RedisConnection extends Omit<RedisOptions, 'replyMapping' | 'commandTimeout'> {
  /** After which a command is over; in the place of the client's own `commandTimeout`. */
  readonly patienceMs: number
}

/** A server that answers nothing for so many of them is given up, with its connection: TCP itself waits for minutes. */
const SILENT_TIMEOUTS = 2.5
const FIRST_RECONNECT_MS = 50
const MAX_RECONNECT_MS = 1000

/**
 * How every Redis is connected to. Nothing waits for a connection and nothing is sent twice: a command that fails is
 * over within its timeout, and whoever gave it decides what that means.
 */
export function redisConnection(
  address: RedisAddress,
  commandTimeoutMs: number,
  { host, port }: RedisHost = address.hosts[0]
): RedisConnection {
  const { database, username, password, isTls } = address
  return {
    host,
    port,
    db: database,
    ...(username !== undefined && { username }),
    ...(password && { password: password.reveal() }),
    // By itself ioredis does not tell a server behind a shared address which one is meant (SNI).
    ...(isTls && { tls: isIP(host) ? {} : { servername: host } }),
    lazyConnect: true,
    patienceMs: commandTimeoutMs,
    connectTimeout: commandTimeoutMs + 100,
    disconnectTimeout: commandTimeoutMs + 100,
    socketTimeout: SILENT_TIMEOUTS * commandTimeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: attempt =>
      Math.min(FIRST_RECONNECT_MS * 2 ** (attempt - 1), MAX_RECONNECT_MS) * (0.5 + Math.random()),
    // A primary that was demoted: only a new connection leads to the one that took its place.
    reconnectOnError: error => error.message.startsWith('READONLY'),
    // ioredis would print what the server says, and not every user may ask for INFO.
    enableReadyCheck: false,
    disableClientInfo: true
  }
}

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
