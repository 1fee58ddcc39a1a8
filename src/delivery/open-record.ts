import type { Claim, ClaimedAs, ClaimResult } from './record.ts'

/** A record whose outcome is not known yet: PENDING or SENT. */
export interface OpenRecord {
  readonly fingerprint: string
  readonly owner: string
  readonly state: ClaimedAs
  readonly leaseEndsAtMs: number
  /** SENT, and its owner gave it up: no date makes it leased again. */
  readonly isLeaseEnded?: boolean
}

/** The longest lease of any instance: REPLY_DEADLINE_MS is at most 120 s. */
export const MAX_LEASE_MS = 125_000
/** Clocks of one store may be read so much apart. */
export const LEASE_TOLERANCE_MS = 2000

export function claimed(as: ClaimedAs): ClaimResult {
  return { kind: as === 'sent' ? 'claimed-as-sent' : 'claimed' }
}

/** Whether the end of a lease is further ahead than that of any lease can be: the clock has jumped back since. */
export function isFarAhead(leaseEndsAtMs: number, nowMs: number): boolean {
  return leaseEndsAtMs - nowMs > MAX_LEASE_MS + LEASE_TOLERANCE_MS
}

/**
 * Whether the end of a SENT record's lease has a date that cannot be: the clock has jumped back since. The store then
 * ends the lease in the transition that saw it, so that every process counts the quiet period from there.
 */
export function isMisdated({ state, leaseEndsAtMs, isLeaseEnded }: OpenRecord, nowMs: number): boolean {
  return state === 'sent' && (isFarAhead(leaseEndsAtMs, nowMs) || (isLeaseEnded === true && leaseEndsAtMs > nowMs))
}

/** What a record under way says to a claim; undefined when the claim may take its place. */
export function judgeOpen(
  open: OpenRecord,
  claim: Claim,
  as: ClaimedAs,
  nowMs: number,
  trustedMs: (spanMs: number) => number = ms => ms
): ClaimResult | undefined {
  const aheadMs = open.leaseEndsAtMs - nowMs
  // Further ahead than this lease can be: the clock has jumped back, or the owner has a longer deadline than this process.
  const isLeased = aheadMs > 0 && aheadMs <= claim.leaseMs + LEASE_TOLERANCE_MS && !open.isLeaseEnded
  if (open.owner === claim.owner && open.state === 'pending') return as === 'pending' ? claimed(as) : undefined
  if (open.owner === claim.owner && as === 'sent' && isLeased) return claimed(as)
  if (open.fingerprint !== claim.fingerprint) return { kind: 'mismatch' }
  if (isLeased) return { kind: 'in-flight' }
  if (open.state === 'pending') return undefined
  return { kind: 'doubtful', owner: open.owner, quietForMs: trustedMs(-aheadMs) }
}
