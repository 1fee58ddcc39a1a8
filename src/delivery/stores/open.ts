import type { Clock } from '../../lib/clock.ts'
import type { FailoverPromise } from '../../lib/service/failover.ts'
import type { StoreAddress } from '../../lib/service/store-address.ts'
import type { Emit } from '../../observability/events.ts'
import type { RecordStore } from '../record.ts'
import { createMemoryStore } from './memory/store.ts'

export interface OpenStoreOptions {
  readonly address: StoreAddress
  /** Of a Redis. */
  readonly promise?: FailoverPromise
  readonly clock: Clock
  readonly emit: Emit
}

/** The store at that address; throws a StoreError, for the operator, where it cannot be used as it is. */
export async function openStore({ address, promise, clock, emit }: OpenStoreOptions): Promise<RecordStore> {
  const monotonic = (): number => clock.monotonic()
  if (address.kind === 'file') {
    const { createFileStore } = await import('./sqlite/store.ts')
    return createFileStore({ path: address.path, clock, emit })
  }
  if (address.kind === 'redis') {
    const { createRedisStore } = await import('./redis/store.ts')
    return createRedisStore({ address, monotonic, emit, ...(promise && { promise }) })
  }
  if (address.kind === 'postgres') {
    const { createPostgresStore } = await import('./postgres/store.ts')
    return createPostgresStore({ address, monotonic, emit })
  }
  emit({ name: 'store-limit', limit: 'memory' })
  return createMemoryStore({ monotonic })
}
