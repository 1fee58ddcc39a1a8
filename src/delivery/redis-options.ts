import { isIP } from 'node:net'
import type { RedisOptions } from 'ioredis'
import { SCRIPTS } from './redis-scripts.ts'
import { StoreError } from './store-error.ts'

/** The client refuses a mapping that may be undefined, which its own type of options allows. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>

export const COMMAND_TIMEOUT_MS = 400
/** A server that answers nothing for so many of them is given up, with its connection: TCP itself waits for minutes. */
const SILENT_TIMEOUTS = 2.5
const FIRST_RECONNECT_MS = 50
const MAX_RECONNECT_MS = 1000

/**
 * The client of one Redis. Nothing waits for a connection and nothing is sent twice: a transition that fails is over
 * within the command timeout, and whoever asked for it decides what that means.
 */
export function redisOptions(storeUrl: string, commandTimeoutMs: number): ClientOptions {
  return {
    ...addressOf(storeUrl),
    scripts: SCRIPTS,
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
    // A primary that was demoted: see #beatIn in redis-link.ts.
    reconnectOnError: error => error.message.startsWith('READONLY'),
    // Done by redis-link.ts, which has to know more; ioredis would print what the server says.
    enableReadyCheck: false,
    disableClientInfo: true
  }
}

/** Throws a StoreError. Options in the query, which ioredis would take, are refused: they could undo the ones above. */
function addressOf(storeUrl: string): ClientOptions {
  const url = URL.canParse(storeUrl) ? new URL(storeUrl) : undefined
  const path = url && /^\/?(\d{0,4})$/.exec(url.pathname)
  if (!url?.hostname || !path || url.search || url.hash) throw malformed()
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(path[1]),
    ...(url.username && { username: decoded(url.username) }),
    ...(url.password && { password: decoded(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: isIP(host) ? {} : { servername: host } })
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed()
  }
}

function malformed(): StoreError {
  return new StoreError(
    'STORE_URL is not redis(s)://[user:password@]host[:port][/database]; encode reserved characters in the password.'
  )
}
