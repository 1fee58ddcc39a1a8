import type { Claim, ClaimedAs, ClaimResult } from './record.ts'

/** A record whose outcome is not known yet: PENDING or SENT. */
export interface OpenRecord {
  readonly fingerprint: string
  readonly owner: string
  readonly state: ClaimedAs
  readonly leaseEndsAtMs: number
}

export function claimed(as: ClaimedAs): ClaimResult {
  return { kind: as === 'sent' ? 'claimed-as-sent' : 'claimed' }
}

/** What a record under way says to a claim; undefined when the claim may take its place. */
export function judgeOpen(
  open: OpenRecord,
  claim: Claim,
  as: ClaimedAs,
  nowMs: number,
  believedMs: (spanMs: number) => number = ms => ms
): ClaimResult | undefined {
  const isLeased = nowMs < open.leaseEndsAtMs
  if (open.owner === claim.owner && open.state === 'pending') return as === 'pending' ? claimed(as) : undefined
  if (open.owner === claim.owner && as === 'sent' && isLeased) return claimed(as)
  if (open.fingerprint !== claim.fingerprint) return { kind: 'mismatch' }
  if (isLeased) return { kind: 'in-flight' }
  if (open.state === 'pending') return undefined
  return { kind: 'doubtful', owner: open.owner, quietForMs: believedMs(nowMs - open.leaseEndsAtMs) }
}
