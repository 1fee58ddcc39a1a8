import type { Clock } from '../clock.ts'
import type { StoreLog } from '../store-error.ts'
import { createMemoryStore } from './memory-store.ts'
import type { RecordStore } from './record-store.ts'

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
    const { createFileStore } = await import('./file-store.ts')
    return createFileStore({ path: storeUrl.slice('file:'.length), clock })
  }
  if (storeUrl.startsWith('redis')) {
    const { createRedisStore } = await import('./redis-store.ts')
    return createRedisStore({ storeUrl, monotonic, log })
  }
  log.warn('STORE_URL is memory: delivery records do not survive this process; use file:PATH or redis://')
  return createMemoryStore({ monotonic })
}
