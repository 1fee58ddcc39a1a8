// The store of delivery records, as a part.
import type { Config } from '../config/load-config.ts'
import { LEASE_MARGIN_MS, type RecordCounts, type RecordStore, restAfterLossMs } from '../delivery/record.ts'
import { type OpenStoreOptions, openStore } from '../delivery/stores/open.ts'
import type { Emit } from '../observability/events.ts'
import type { Part } from './part.ts'

export interface Records extends Part {
  readonly store: RecordStore
  /** How many there are in each state; undefined where they are too many to count, or somewhere else. */
  counts(): RecordCounts | undefined
  /** Whether records may be missing that were kept: then replies are looked for in their threads before they are sent. */
  isForgetful(): boolean
}

const LOOK_EVERY_MS = 1000

/** Throws a StoreError where the store cannot be used as it is. A `given` one is taken in its place. */
export async function openRecords(
  { delivery }: Config,
  { given, ...options }: Omit<OpenStoreOptions, 'address' | 'promise'> & { readonly given: RecordStore | undefined }
): Promise<Records> {
  const { quietPeriodMs, deadlineMs, store: address, promise } = delivery
  const store = given ?? (await openStore({ address, promise, ...options }))
  const restMs = (): number => restAfterLossMs(store.msSinceDataLoss(), quietPeriodMs, deadlineMs + LEASE_MARGIN_MS)
  const watch = watchRecovery(restMs, () => store.whyLost?.(), options.emit)
  return {
    store,
    counts: () => store.counts?.(),
    isForgetful: () => store.msSinceDataLoss() !== undefined,
    health: [{ reason: 'store', isReady: () => store.isReady() }],
    warnings: () => [
      ...(store.warnings?.() ?? []),
      ...(address.kind === 'memory' ? ['STORE_URL is memory: records do not survive this process'] : []),
      ...(restMs() > 0
        ? [`records may be lost: new keys are refused for ${seconds(restMs())} s (store-recovering)${because(store)}`]
        : [])
    ],
    async close() {
      clearInterval(watch)
      await store.close()
    }
  }
}

/** Tells when a loss of records begins to keep keyed replies from being sent, and when that is over. */
function watchRecovery(restMs: () => number, why: () => string | undefined, emit: Emit): NodeJS.Timeout {
  let isRecovering = false
  const look = (): void => {
    const rest = restMs()
    if (rest > 0 === isRecovering) return
    isRecovering = rest > 0
    const reason = isRecovering ? why() : undefined
    emit({
      name: 'store-recovering',
      ...(isRecovering && { restMs: rest }),
      ...(reason !== undefined && { why: reason })
    })
  }
  look()
  return setInterval(look, LOOK_EVERY_MS).unref()
}

function because(store: RecordStore): string {
  const why = store.whyLost?.()
  return why === undefined ? '' : `: ${why}`
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
