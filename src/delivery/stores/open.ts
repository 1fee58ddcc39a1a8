import type { Clock } from '../../lib/clock.ts'
import type { StoreLog } from '../../lib/store-error.ts'
import type { RecordStore } from '../record.ts'
import { createMemoryStore } from './memory/store.ts'

export interface OpenStoreOptions {
  /** `memory:`, `file:PATH` or `redis(s)://…`, as the configuration has checked it. */
  readonly storeUrl: string
  readonly clock: Clock
  readonly log: StoreLog
}

/** The store that STORE_URL names; throws a StoreError, for the operator, where it cannot be used as it is. */
export async function openStore({ storeUrl, clock, log }: OpenStoreOptions): Promise<RecordStore> {
  const monotonic = (): number => clock.monotonic()
  if (storeUrl.startsWith('file:')) {
    const { createFileStore } = await import('./sqlite/store.ts')
    return createFileStore({ path: storeUrl.slice('file:'.length), clock })
  }
  if (storeUrl.startsWith('redis')) {
    const { createRedisStore } = await import('./redis/store.ts')
    return createRedisStore({ storeUrl, monotonic, log })
  }
  log.warn('STORE_URL is memory: delivery records do not survive this process; use file:PATH or redis://')
  return createMemoryStore({ monotonic })
}
