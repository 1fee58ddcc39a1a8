import type { EnvReader } from './env-reader.ts'
import { readStore } from './files/records.ts'

/** How replies are delivered, and where their records are kept. */
export function loadDeliveryConfig(reader: EnvReader) {
  const { store, promise, directory } = readStore(reader)
  const secret = reader.secret('STORE_SECRET', 32)
  if (store.kind !== 'memory' && !directory && !secret && !reader.has('STORE_SECRET_FILE')) {
    reader.refuse('STORE_SECRET must be set for a store that outlives the process.')
  }
  return {
    store,
    promise,
    directory,
    secret,
    keyRequired: reader.choice('IDEMPOTENCY_KEY', 'optional', ['optional', 'required']) === 'required',
    marker: reader.choice('DELIVERY_MARKER', 'on', ['on', 'off']) === 'on',
    deadlineMs: reader.integer('REPLY_DEADLINE_MS', 10_000, [100, 120_000]),
    settleMs: reader.integer('SETTLE_MS', 3500, [0, 60_000]),
    quietPeriodMs: reader.integer('QUIET_PERIOD_MS', 120_000, [0, 86_400_000])
  }
}
