// A quota whose store has a clock in our hands, and counts what is asked of it.
import type { LimitPolicy } from '../../src/errors.ts'
import type { QuotaOptions } from '../../src/limits/quota/options.ts'
import { Quota } from '../../src/limits/quota/quota.ts'
import type { QuotaStore } from '../../src/limits/quota-store.ts'
import { MemoryQuotas } from '../../src/limits/stores/memory.ts'
import { UpstreamLimits } from '../../src/limits/upstream-limits.ts'

export const ALICE = { uid: 'alice' }
export const SENT = { delivery: 'sent', isFresh: true } as const

/** A call for a user, or for the app itself. */
export function callFor(uid: string | undefined) {
  return { uid, chargedTo: uid }
}

export interface Sender {
  readonly uid: string
  readonly service?: string
}

export function createQuota(options: Partial<QuotaOptions> = {}, wrap = (store: QuotaStore): QuotaStore => store) {
  const world = { nowMs: 1_000_000, refusals: [] as LimitPolicy[] }
  const monotonic = (): number => world.nowMs
  const upstream = new UpstreamLimits({ monotonic, userLimit: 30 })
  const quota = new Quota({
    store: wrap(new MemoryQuotas(monotonic)),
    upstream,
    userLimit: 30,
    serviceLimit: 100,
    appLimit: 1000,
    isEnforced: true,
    monotonic,
    random: () => 0,
    onRefusal: policy => void world.refusals.push(policy),
    ...options
  })
  return { world, quota, upstream, left: (uid = 'alice') => quota.standingOf(uid)?.remaining }
}
