// Addresses of stores, as the configuration hands them over; a test that is given none of them has a mistake.
import { type PostgresAddress, readPostgresAddress } from '../../src/lib/service/postgres-address.ts'
import {
  type RedisAddress,
  readRedisAddress,
  readStoreAddress,
  type StoreAddress
} from '../../src/lib/service/store-address.ts'

export function storeAddress(text: string): StoreAddress {
  const address = readStoreAddress(text)
  return typeof address === 'string' ? noAddress(text) : address
}

export function postgresAddress(text: string, schema?: string): PostgresAddress {
  const address = readPostgresAddress(text)
  return typeof address === 'string' ? noAddress(text) : { ...address, ...(schema !== undefined && { schema }) }
}

export function redisAddress(text: string): RedisAddress {
  const address = readRedisAddress(text)
  return typeof address === 'string' ? noAddress(text) : address
}

function noAddress(text: string): never {
  throw new TypeError(`not the address of a store: ${text}`)
}
