import type { Clock } from '../clock.ts'
import type { StoreLog } from '../store-error.ts'
import { createFileStore } from './file-store.ts'
import { createMemoryStore } from './memory-store.ts'
import type { RecordStore } from './record-store.ts'
import { createRedisStore } from './redis-store.ts'

export interface OpenStoreOptions {
  /** `memory:`, `file:PATH` or `redis(s)://…`, as the configuration has checked it. */
  readonly storeUrl: string
  readonly clock: Clock
  readonly log: StoreLog
}

/** The store that STORE_URL names; throws a StoreError, for the operator, where it cannot be used as it is. */
export async function openStore({ storeUrl, clock, log }: OpenStoreOptions): Promise<RecordStore> {
  const monotonic = (): number => clock.monotonic()
  if (storeUrl.startsWith('file:')) return createFileStore({ path: storeUrl.slice('file:'.length), clock })
  if (storeUrl.startsWith('redis')) return createRedisStore({ storeUrl, monotonic, log })
  log.warn('STORE_URL is memory: delivery records do not survive this process; use file:PATH or redis://')
  return createMemoryStore({ monotonic })
}
