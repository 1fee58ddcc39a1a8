import type { EnvReader } from './env-reader.ts'

const STORE_URL = /^(memory:$|file:.|rediss?:\/\/.)/

/** How replies are delivered, and where their records are kept. */
export function loadDeliveryConfig(reader: EnvReader) {
  const storeUrl = readStoreUrl(reader)
  const secret = reader.secret('STORE_SECRET', 32)
  if (storeUrl !== 'memory:' && !secret && !reader.has('STORE_SECRET_FILE')) {
    reader.refuse('STORE_SECRET must be set for a store that outlives the process.')
  }
  return {
    storeUrl,
    secret,
    keyRequired: reader.choice('IDEMPOTENCY_KEY', 'optional', ['optional', 'required']) === 'required',
    marker: reader.choice('DELIVERY_MARKER', 'on', ['on', 'off']) === 'on',
    deadlineMs: reader.integer('REPLY_DEADLINE_MS', 10_000, [100, 120_000]),
    settleMs: reader.integer('SETTLE_MS', 3500, [0, 60_000]),
    quietPeriodMs: reader.integer('QUIET_PERIOD_MS', 120_000, [0, 86_400_000])
  }
}

/** A secret like any other, because the address of a Redis can hold its password. */
function readStoreUrl(reader: EnvReader): string {
  const found = reader.secretText('STORE_URL')
  if (found && !STORE_URL.test(found.text)) reader.refuse('STORE_URL must be memory:, file:PATH or redis(s)://.')
  return found?.text ?? 'memory:'
}
