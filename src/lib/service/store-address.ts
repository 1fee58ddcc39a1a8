import { type PostgresAddress, readPostgresAddress } from './postgres-address.ts'
import { type RedisAddress, readRedisAddress } from './redis-address.ts'

/** Where records or sessions are kept: the only form in which a STORE_URL leaves the configuration. */
export type StoreAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  | RedisAddress
  | PostgresAddress

const NO_ADDRESS = 'must be memory:, file:PATH, redis(s)://, redis(s)+sentinel://, redis(s)+cluster:// or postgres://.'

/** Reads `memory:`, `file:PATH`, `redis(s)://…` or `postgres://…`; or says what is wrong, after the name of a variable. */
export function readStoreAddress(text: string): StoreAddress | string {
  if (text === 'memory:') return { kind: 'memory' }
  if (/^file:./.test(text)) return { kind: 'file', path: text.slice('file:'.length) }
  if (/^postgres(ql)?:/.test(text)) return readPostgresAddress(text)
  return /^rediss?(\+[^:/]*)?:/.test(text) ? readRedisAddress(text) : NO_ADDRESS
}

/** The scheme of its URL, without the colon: all that is shown of an address. */
export function schemeOf(address: StoreAddress): string {
  if (address.kind !== 'redis') return address.kind
  const scheme = address.isTls ? 'rediss' : 'redis'
  return address.topology === 'single' ? scheme : `${scheme}+${address.topology}`
}
