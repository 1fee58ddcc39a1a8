import { parseUrl } from '../node20/parse-url.ts'
import { Secret } from '../secret.ts'
import { type PostgresAddress, readPostgresAddress } from './postgres-address.ts'

/** Where records or sessions are kept: the only form in which a STORE_URL leaves the configuration. */
export type StoreAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  | RedisAddress
  | PostgresAddress

export interface RedisAddress {
  readonly kind: 'redis'
  /** A name, or an IP address without brackets. */
  readonly host: string
  readonly port: number
  readonly database: number
  readonly username?: string
  readonly password?: Secret
  /** `rediss://`. */
  readonly isTls: boolean
}

/** What to say of a variable whose value is not such an address, after its name. */
export const NOT_A_REDIS_ADDRESS =
  'is not redis(s)://[user:password@]host[:port][/database]; encode reserved characters in the password.'

const DEFAULT_PORT = 6379

const NO_ADDRESS = 'must be memory:, file:PATH, redis(s):// or postgres://.'

/** Reads `memory:`, `file:PATH`, `redis(s)://…` or `postgres://…`; or says what is wrong, after the name of a variable. */
export function readStoreAddress(text: string): StoreAddress | string {
  if (text === 'memory:') return { kind: 'memory' }
  if (/^file:./.test(text)) return { kind: 'file', path: text.slice('file:'.length) }
  if (/^postgres(ql)?:/.test(text)) return readPostgresAddress(text)
  return parseRedisAddress(text) ?? (/^rediss?:/.test(text) ? NOT_A_REDIS_ADDRESS : NO_ADDRESS)
}

/** Options in the query, which a client would take, are refused: they could undo those of this service. */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const url = parseUrl(text)
  const isTls = url?.protocol === 'rediss:'
  const database = url && /^\/?(\d{0,4})$/.exec(url.pathname)
  if (!url?.hostname || !(isTls || url.protocol === 'redis:') || !database || url.search || url.hash) return undefined
  const username = decoded(url.username)
  const password = decoded(url.password)
  if (username === undefined || password === undefined) return undefined
  return {
    kind: 'redis',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    database: Number(database[1]),
    ...(username && { username }),
    ...(password && { password: new Secret(password) }),
    isTls
  }
}

/** The scheme of its URL, without the colon: all that is shown of an address. */
export function schemeOf(address: StoreAddress): string {
  return address.kind === 'redis' && address.isTls ? 'rediss' : address.kind
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
