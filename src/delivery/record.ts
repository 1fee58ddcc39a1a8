import type { ProblemCode } from '../lib/refusals/problems.ts'
import type { Violation } from '../lib/refusals/violations.ts'
import type { SharedPostgres } from '../postgres/shared.ts'
import type { SharedRedis } from '../redis/scripts.ts'
import type { SharedDatabase } from '../sqlite/shared.ts'

/** What became of a reply, as it is kept and told again. */
export type RecordedOutcome =
  /** `body` is the JSON text the caller got; absent when CometChat's description could not be shown. */
  | { readonly kind: 'done'; readonly messageId?: string; readonly body?: string }
  | {
      readonly kind: 'refused'
      readonly code: ProblemCode
      readonly detail: string
      readonly errors?: readonly Violation[]
    }

export interface Acquisition {
  /** Name of the record: an HMAC, so it says nothing about whose it is. */
  readonly key: string
  /** SHA-256 of the canonical body, as hex; for `peek` also ANY_CONTENT. */
  readonly fingerprint: string
  /** Random; the attempt that holds it may move the record on. */
  readonly owner: string
  /** How long the owner may take, in milliseconds; after that a crash is assumed. */
  readonly leaseMs: number
  /** What a new record remembers of the search for its reply (search-state.ts). */
  readonly search?: string | undefined
}

/** In place of a fingerprint: a question about a key whatever its body was. */
export const ANY_CONTENT = '*'

/** Whether a record is of the content that an acquisition, or a question, is about. */
export function isOfContent(fingerprint: string, asked: Pick<Acquisition, 'fingerprint'>): boolean {
  return fingerprint === asked.fingerprint || asked.fingerprint === ANY_CONTENT
}

/** How many records are in each state. */
export type RecordCounts = Readonly<Record<AcquiredAs | RecordedOutcome['kind'], number>>

/** SENT where the reply is written next, with nothing to be found out before: that saves a transition. */
export type AcquiredAs = 'pending' | 'sent'

export type AcquireResult =
  /** The record is PENDING and this owner's; also when the same owner asks twice, because a reply got lost. */
  | { readonly kind: 'acquired'; readonly search?: string }
  /** The same, and it is SENT. */
  | { readonly kind: 'acquired-as-sent'; readonly search?: string }
  /** Another owner's lease runs. */
  | { readonly kind: 'in-flight' }
  /** The key belongs to another body. */
  | { readonly kind: 'mismatch' }
  /**
   * SENT, and its owner is gone: it may have landed. `quietForMs` counts from the last possible write, as far as this
   * process has watched it pass: negative while a lease may still run that a jump of the clock has misdated.
   */
  | { readonly kind: 'in-doubt'; readonly owner: string; readonly quietForMs: number; readonly search?: string }
  | RecordedOutcome

/** At once where no other process or disk is waited for; a failure is always a rejected promise. */
export type Awaitable<T> = T | Promise<T>

/**
 * Records of replies. Every method is one atomic transition; a rejected promise means that it may or may not have
 * happened, which every caller survives.
 *
 *        ┌────────────acquire as SENT──────────┐
 *        │                                     ▼
 *     (none) ─acquire─▶ PENDING ──markSent──▶ SENT ──complete──▶ DONE | REFUSED
 *        ▲                 │                   │ ▲ markInDoubt: the owner gives up, the outcome is not known
 *        └─────release─────┴─────release───────┘ └─takeOver──▶ PENDING of a new owner
 */
export interface RecordStore {
  /**
   * Creates the record, PENDING unless SENT is asked for, or says what there is. A PENDING whose lease is over was never
   * sent and is taken over. A SENT is durable when it resolves. Rejects also when the store is full.
   */
  acquire(acquisition: Acquisition, as?: AcquiredAs): Awaitable<AcquireResult>
  /** What `acquire` as PENDING would say now; changes nothing, so another attempt may be quicker. */
  peek(acquisition: Acquisition): Awaitable<AcquireResult>
  /** PENDING → SENT, durable when it resolves. False: the lease is over or lost, and nothing may be sent. */
  markSent(key: string, owner: string): Promise<boolean>
  /**
   * Whether a failover that the operator provides for keeps a record that is SENT; false also where that cannot be known. Without
   * this, SENT is as durable as the store.
   */
  confirmSent?(key: string, owner: string): Promise<boolean>
  /** SENT stays, its lease ends now: the outcome is unknown and the quiet period begins. */
  markInDoubt(key: string, owner: string): Promise<void>
  /** SENT and abandoned → PENDING of a new owner; false when another owner was quicker. */
  takeOver(key: string, previousOwner: string, acquisition: Acquisition): Promise<boolean>
  /** PENDING or SENT → DONE or REFUSED. Without an owner: on the evidence of the marker, whichever attempt sent it. */
  complete(key: string, owner: string | undefined, outcome: RecordedOutcome): Awaitable<void>
  /**
   * Forgets a record: its reply provably does not exist, or its outcome is told and no client can ask again. With a
   * `search` it stays as long as one that is SENT, PENDING and abandoned, for what it remembers.
   */
  release(key: string, owner: string, search?: string): Awaitable<void>
  /**
   * Replaces what an open record remembers of the search for its reply; false when it is not `former` any more: another
   * attempt was quicker.
   */
  noteSearch(key: string, former: string | undefined, search: string): Promise<boolean>
  /** Of the server that holds the record with this key, where there are several. */
  time(key: string): StoreTime
  /**
   * Milliseconds since this store may have forgotten records, of the shard that a key is in; without a key, since any shard
   * last may have. Undefined when it cannot have.
   */
  msSinceDataLoss(key?: string): number | undefined
  /** Why records may be forgotten, in words for the operator. */
  whyLost?(): string | undefined
  /** For how long every finished record is remembered for certain, where that is less than its time; in milliseconds. */
  rememberedForMs?(): number
  /** How many records there are; undefined where counting them is not cheap at the moment. */
  counts?(): RecordCounts | undefined
  /** True when the next transition is likely to succeed; of several shards, that of some keys. */
  isReady(): boolean
  /** What the operator should know while it is ready. */
  warnings?(): readonly string[]
  close(): Promise<void>
  /** Where it is kept, for a store that is kept beside it: what both do in one turn is one write or one commit. */
  readonly redis?: SharedRedis
  readonly sqlite?: SharedDatabase
  readonly postgres?: SharedPostgres
}

/** The clock of records, which all that share them have in common, in milliseconds. */
export interface StoreTime {
  readonly nowMs: number
  /** How long ago it was last seen to jump; infinite for never. Of the time since a date no more is certain. */
  readonly steadyForMs: number
}

/** How long each state is kept, in milliseconds. */
export interface Retention {
  readonly sent: number
  readonly done: number
  readonly refused: number
}

/** Losing "maybe" is worse than losing "yes". */
export const KEPT_MS: Retention = {
  sent: 48 * 3_600_000,
  done: 24 * 3_600_000,
  refused: 5 * 60_000
}

/**
 * How long an acquired record is kept. A PENDING that no other attempt takes over was never sent: it is kept for as long again as
 * its lease, then forgotten.
 */
export function acquiredKeptMs(as: AcquiredAs, leaseMs: number, kept: Retention): number {
  return as === 'sent' ? kept.sent : 2 * leaseMs
}

/** A record whose outcome is not known yet: PENDING or SENT. */
export interface OpenRecord {
  readonly fingerprint: string
  readonly owner: string
  readonly state: AcquiredAs
  readonly leaseEndsAtMs: number
  /** SENT, and its owner gave it up: no date makes it leased again. */
  readonly isLeaseEnded?: boolean
  readonly search?: string | undefined
}

/** A crash frees a record this long after the deadline of its owner. */
export const LEASE_MARGIN_MS = 5000
/** The longest lease of any instance: REPLY_DEADLINE_MS is at most 120 s. */
export const MAX_LEASE_MS = 125_000
/** Clocks of one store may be read so much apart. */
export const LEASE_TOLERANCE_MS = 2000

/**
 * For how long a reply whose record was lost may still be posted: its owner may have gone on writing to the end of its lease, and
 * only then it became quiet. Negative once that is over, and where nothing was lost.
 */
export function restAfterLossMs(msSinceDataLoss: number | undefined, quietPeriodMs: number, leaseMs: number): number {
  return msSinceDataLoss === undefined ? Number.NEGATIVE_INFINITY : quietPeriodMs + leaseMs - msSinceDataLoss
}

/** `search` is what an abandoned record remembers. */
export function acquired(as: AcquiredAs, search?: string): AcquireResult {
  return { kind: as === 'sent' ? 'acquired-as-sent' : 'acquired', ...(search !== undefined && { search }) }
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

/** What a record under way says to an acquisition; undefined when the acquisition may take its place. */
export function judgeOpen(
  open: OpenRecord,
  acquisition: Acquisition,
  as: AcquiredAs,
  nowMs: number,
  trustedMs: (spanMs: number) => number = ms => ms
): AcquireResult | undefined {
  const aheadMs = open.leaseEndsAtMs - nowMs
  // Further ahead than this lease can be: the clock has jumped back, or the owner has a longer deadline than this process.
  const isLeased = aheadMs > 0 && aheadMs <= acquisition.leaseMs + LEASE_TOLERANCE_MS && !open.isLeaseEnded
  if (open.owner === acquisition.owner && open.state === 'pending')
    return as === 'pending' ? acquired(as, open.search) : undefined
  if (open.owner === acquisition.owner && as === 'sent' && isLeased) return acquired(as)
  if (!isOfContent(open.fingerprint, acquisition)) return { kind: 'mismatch' }
  if (isLeased) return { kind: 'in-flight' }
  if (open.state === 'pending') return undefined
  const { owner, search } = open
  return { kind: 'in-doubt', owner, quietForMs: trustedMs(-aheadMs), ...(search !== undefined && { search }) }
}
