import { readOutcome } from '../../outcome.ts'
import {
  type AcquiredAs,
  type AcquireResult,
  type Acquisition,
  isFarAhead,
  isMisdated,
  isOfContent,
  judgeOpen
} from '../../record.ts'
import type { TrustedClock } from '../trusted-clock.ts'
import type { StoredRecord } from './schema.ts'

export interface Dates {
  readonly nowMs: number
  /** Up to where what may exist is forgotten. */
  readonly forgottenUpToMs: number
  readonly trusted: TrustedClock
}

/** What a record says to an acquisition; undefined when it may be overwritten. */
export function judge(
  record: StoredRecord,
  acquisition: Acquisition,
  as: AcquiredAs,
  { nowMs, forgottenUpToMs, trusted }: Dates
): AcquireResult | undefined {
  const { state, fingerprint, expiresAtMs } = record
  // A reply that may exist is remembered for its whole time; what was never sent may also be forgotten too early.
  const mayExist = state === 'done' || state === 'sent'
  if (expiresAtMs <= (mayExist ? forgottenUpToMs : nowMs)) return undefined
  // Dated before the clock jumped back; asked again, CometChat says the same or something newer.
  if (state === 'refused' && isFarAhead(record.leaseEndsAtMs, nowMs)) return undefined
  if (state === 'pending' || state === 'sent') {
    return judgeOpen({ ...record, state }, acquisition, as, nowMs, ms =>
      trusted.trustedElapsedMs(ms, acquisition.leaseMs)
    )
  }
  return isOfContent(fingerprint, acquisition) ? readOutcome(record.outcome) : { kind: 'mismatch' }
}

/** The record, with a lease that ends now where its date cannot be. */
export function withLeaseAt(record: StoredRecord, nowMs: number): StoredRecord {
  if (record.state !== 'sent' || !isMisdated({ ...record, state: 'sent' }, nowMs)) return record
  return { ...record, leaseEndsAtMs: nowMs, isLeaseEnded: true }
}

/** What an abandoned record remembers of the search for its reply. */
export function searchOf({ state, expiresAtMs, search }: StoredRecord, nowMs: number): string | undefined {
  return state === 'pending' && expiresAtMs > nowMs ? search : undefined
}
