// The store of delivery records, as a part.
import type { Config } from '../config/load-config.ts'
import type { RecordCounts, RecordStore } from '../delivery/record.ts'
import { type OpenStoreOptions, openStore } from '../delivery/stores/open.ts'
import type { Part } from './part.ts'

export interface Records extends Part {
  readonly store: RecordStore
  /** How many there are in each state; undefined where they are too many to count, or somewhere else. */
  counts(): RecordCounts | undefined
  /** Whether records may be missing that were kept: then replies are looked for in their threads before they are sent. */
  isForgetful(): boolean
}

/** Throws a StoreError where the store cannot be used as it is. A `given` one is taken in its place. */
export async function openRecords(
  { delivery }: Config,
  { given, ...options }: Omit<OpenStoreOptions, 'address'> & { readonly given: RecordStore | undefined }
): Promise<Records> {
  const store = given ?? (await openStore({ address: delivery.store, ...options }))
  return {
    store,
    counts: () => store.counts?.(),
    isForgetful: () => store.msSinceDataLoss() !== undefined,
    health: [{ reason: 'store', isReady: () => store.isReady() }],
    warnings: () =>
      delivery.store.kind === 'memory' ? ['STORE_URL is memory: records do not survive this process'] : [],
    close: () => store.close()
  }
}
