import { AppError } from '../../errors.ts'
import type { Reason } from '../../lib/refusals/reasons.ts'

/** A limit that the quota knows. */
export type QuotaPolicy = 'user' | 'service' | 'app'

const JITTER = 0.1

const DETAILS: Readonly<Record<QuotaPolicy, string>> = {
  user: 'This user has sent as many messages as are allowed in a minute.',
  service: 'This service has sent as many messages as one may in a minute.',
  app: 'The app has done as much as is allowed in a minute.'
}

/** By a limit of ours; `policy` is named first, and `violated` names it, too. */
export function limitRefusal(
  policy: QuotaPolicy,
  retryAfterMs: number,
  violated: readonly QuotaPolicy[] = [policy]
): AppError {
  return refused(policy, { retryAfterMs, reason: `limit-${policy}`, violatedPolicies: violated })
}

/** By what CometChat said, with a time that is not the same for all. */
export function blockRefusal(policy: QuotaPolicy, forMs: number, random: () => number): AppError {
  const waitMs = forMs * (1 + random() * JITTER)
  const retryAfterMs = Math.max(1, Math.ceil(waitMs / 1000)) * 1000
  return refused(policy, { retryAfterMs, reason: 'cometchat', violatedPolicies: [policy] })
}

/** Where the store of the limits cannot be asked. */
export function limitsAway(): AppError {
  return new AppError('store-unavailable', 'The limits cannot be reached.', { retryAfterMs: 1000, reason: 'quotas' })
}

function refused(
  policy: QuotaPolicy,
  options: { retryAfterMs: number; reason: Reason; violatedPolicies: readonly QuotaPolicy[] }
): AppError {
  return new AppError('rate-limited', DETAILS[policy], options)
}
