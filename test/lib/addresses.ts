// Addresses of stores, as the configuration hands them over; a test that is given none of them has a mistake.
import {
  parseRedisAddress,
  parseStoreAddress,
  type RedisAddress,
  type StoreAddress
} from '../../src/lib/service/store-address.ts'

export function storeAddress(text: string): StoreAddress {
  return parseStoreAddress(text) ?? noAddress(text)
}

export function redisAddress(text: string): RedisAddress {
  return parseRedisAddress(text) ?? noAddress(text)
}

function noAddress(text: string): never {
  throw new TypeError(`not the address of a store: ${text}`)
}
