import { isIP } from 'node:net'
import type { RedisOptions } from 'ioredis'
import { StoreError } from '../lib/store-error.ts'

/** The client refuses a mapping that may be undefined, which its own type of options allows. */
export type RedisConnection = Omit<RedisOptions, 'replyMapping'>

/** A server that answers nothing for so many of them is given up, with its connection: TCP itself waits for minutes. */
const SILENT_TIMEOUTS = 2.5
const FIRST_RECONNECT_MS = 50
const MAX_RECONNECT_MS = 1000

/**
 * How every Redis is connected to. Nothing waits for a connection and nothing is sent twice: a command that fails is
 * over within its timeout, and whoever gave it decides what that means.
 * Throws a StoreError, which names the variable that the address comes from, where it is not an address.
 */
export function redisConnection(variable: string, address: string, commandTimeoutMs: number): RedisConnection {
  const server = serverOf(address)
  if (!server) throw new StoreError(`${variable} ${NOT_AN_ADDRESS}`)
  return {
    ...server,
    lazyConnect: true,
    commandTimeout: commandTimeoutMs,
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

/** What to say of a variable whose value is not an address, after its name. */
export const NOT_AN_ADDRESS =
  'is not redis(s)://[user:password@]host[:port][/database]; encode reserved characters in the password.'

export function isRedisAddress(text: string): boolean {
  return serverOf(text) !== undefined
}

/** Options in the query, which ioredis would take, are refused: they could undo the ones above. */
function serverOf(address: string): RedisConnection | undefined {
  const url = URL.parse(address)
  const isTls = url?.protocol === 'rediss:'
  const database = url && /^\/?(\d{0,4})$/.exec(url.pathname)
  if (!url?.hostname || !(isTls || url.protocol === 'redis:') || !database || url.search || url.hash) return undefined
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const username = decoded(url.username)
  const password = decoded(url.password)
  if (username === undefined || password === undefined) return undefined
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(database[1]),
    ...(username && { username }),
    ...(password && { password }),
    // By itself ioredis does not tell a server behind a shared address which one is meant (SNI).
    ...(isTls && { tls: isIP(host) ? {} : { servername: host } })
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
