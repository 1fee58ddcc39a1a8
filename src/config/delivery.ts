import { NOT_A_REDIS_ADDRESS, parseStoreAddress, type StoreAddress } from '../lib/service/store-address.ts'
import type { EnvReader } from './env-reader.ts'

/** How replies are delivered, and where their records are kept. */
export function loadDeliveryConfig(reader: EnvReader) {
  const store = readStore(reader)
  const secret = reader.secret('STORE_SECRET', 32)
  if (store.kind !== 'memory' && !secret && !reader.has('STORE_SECRET_FILE')) {
    reader.refuse('STORE_SECRET must be set for a store that outlives the process.')
  }
  return {
    store,
    secret,
    keyRequired: reader.choice('IDEMPOTENCY_KEY', 'optional', ['optional', 'required']) === 'required',
    marker: reader.choice('DELIVERY_MARKER', 'on', ['on', 'off']) === 'on',
    deadlineMs: reader.integer('REPLY_DEADLINE_MS', 10_000, [100, 120_000]),
    settleMs: reader.integer('SETTLE_MS', 3500, [0, 60_000]),
    quietPeriodMs: reader.integer('QUIET_PERIOD_MS', 120_000, [0, 86_400_000])
  }
}

/** The text is a secret like any other, because the address of a Redis can hold its password. */
function readStore(reader: EnvReader): StoreAddress {
  const text = reader.secretText('STORE_URL')?.text ?? 'memory:'
  const address = parseStoreAddress(text)
  if (!address) {
    const isMeantAsRedis = /^rediss?:/.test(text)
    reader.refuse(`STORE_URL ${isMeantAsRedis ? NOT_A_REDIS_ADDRESS : 'must be memory:, file:PATH or redis(s)://.'}`)
  }
  return address ?? { kind: 'memory' }
}
