import type { Claim, ClaimResult } from './record-store.ts'

/** A record whose outcome is not known yet: PENDING or SENT. */
export interface OpenRecord {
  readonly fingerprint: string
  readonly owner: string
  readonly state: 'pending' | 'sent'
  readonly leaseEndsAtMs: number
}

/** What a record under way says to a claim; undefined when it may be taken over. */
export function judgeOpen(
  open: OpenRecord,
  claim: Claim,
  nowMs: number,
  believedMs: (spanMs: number) => number = ms => ms
): ClaimResult | undefined {
  if (open.owner === claim.owner && open.state === 'pending') return { kind: 'claimed' }
  if (open.fingerprint !== claim.fingerprint) return { kind: 'mismatch' }
  if (nowMs < open.leaseEndsAtMs) return { kind: 'in-flight' }
  if (open.state === 'pending') return undefined
  return { kind: 'doubtful', owner: open.owner, quietForMs: believedMs(nowMs - open.leaseEndsAtMs) }
}
