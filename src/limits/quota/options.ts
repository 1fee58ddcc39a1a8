import type { LimitPolicy } from '../../errors.ts'
import type { QuotaStore } from '../quota-store.ts'
import type { UpstreamLimits } from '../upstream-limits.ts'

export interface QuotaOptions {
  readonly store: QuotaStore
  readonly upstream: UpstreamLimits
  /** Messages of one user in any minute; 0 for any. */
  readonly userLimit: number
  /** Of one service that acts for users; 0 for any. */
  readonly serviceLimit: number
  /** Operations of the app; 0 for any. */
  readonly appLimit: number
  /** Else refusals are only counted. */
  readonly isEnforced: boolean
  readonly monotonic: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Told of every refusal. */
  readonly onRefusal: (policy: LimitPolicy) => void
}
