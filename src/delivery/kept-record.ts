import { judgeOpen, type OpenRecord } from './open-record.ts'
import type { Claim, ClaimedAs, ClaimResult, Outcome } from './record.ts'
import type { Entry } from './stores/memory/hash-table.ts'
import type { Ordered } from './stores/memory/insertion-order.ts'

/** Changed in place: a copy for each transition would be most of what a record costs. */
export interface KeptRecord extends OpenRecord, Ordered<KeptRecord>, Entry<KeptRecord> {
  readonly key: string
  owner: string
  state: ClaimedAs
  leaseEndsAtMs: number
  expiresAtMs: number
  /** DONE or REFUSED, whatever the state was before. */
  outcome: Outcome | undefined
  bytes: number
}

/** Bucket, strings and object, measured on Node 24. */
export const RECORD_BYTES = 400

/** What a record says to a claim; undefined when the claim may take its place. */
export function judge(record: KeptRecord, claim: Claim, as: ClaimedAs, nowMs: number): ClaimResult | undefined {
  const { outcome, fingerprint } = record
  if (!outcome) return judgeOpen(record, claim, as, nowMs)
  return fingerprint === claim.fingerprint ? outcome : { kind: 'mismatch' }
}

export function outcomeBytes(outcome: Outcome): number {
  return 2 * (outcome.kind === 'done' ? (outcome.body?.length ?? 0) : JSON.stringify(outcome).length)
}
