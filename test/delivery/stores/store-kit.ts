// A store to be tested, and records in every state a record can be in.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import {
  type AcquireResult,
  type Acquisition,
  MAX_LEASE_MS,
  type RecordedOutcome,
  type RecordStore,
  type Retention
} from '../../../src/delivery/record.ts'

/** A store under test, with its time in our hands. */
export interface StoreKit {
  /** Another handle on the same records; closed when the test ends. */
  open(): Promise<RecordStore>
  /** Lets so many milliseconds pass for every record. */
  pass(ms: number): Promise<void>
  readonly kept: Retention
}

export type MakeKit = (t: Test) => Promise<StoreKit>

export const LEASE_MS = 15_000
export const DONE: RecordedOutcome = { kind: 'done', messageId: '101', body: '{"data":{"id":"101"}}' }
export const REFUSED: RecordedOutcome = { kind: 'refused', code: 'thread-not-found', detail: 'No such thread.' }

export const HOUR_MS = 3_600_000
const BODY = 'a'.repeat(64)

/** A claim on a record of its own, by an owner called A. */
export function newClaim(change: Partial<Acquisition> = {}): Acquisition {
  return { key: `record-${randomUUID()}`, fingerprint: BODY, owner: 'A', leaseMs: LEASE_MS, ...change }
}

/** One whose lease outlasts a failover, also on a busy machine. */
export function lastingClaim(): Acquisition {
  return newClaim({ leaseMs: MAX_LEASE_MS })
}

/** A record in each state that a jump of the store's clock could be mistaken about. */
export async function claimInEachState(store: RecordStore) {
  const [ended, running, pending, refused, done] = [newClaim(), newClaim(), newClaim(), newClaim(), newClaim()]
  await store.acquire(ended, 'sent')
  await store.markInDoubt(ended.key, ended.owner)
  await store.acquire(running, 'sent')
  await store.acquire(pending)
  for (const [claim, outcome] of [
    [refused, REFUSED],
    [done, DONE]
  ] as const) {
    await store.acquire(claim)
    await store.complete(claim.key, claim.owner, outcome)
  }
  return { ended, running, pending, refused, done }
}

export type State = 'none' | 'pending' | 'abandoned' | 'sent' | 'in-doubt' | 'done' | 'refused'

type BringInto = (store: RecordStore, claim: Acquisition, kit: StoreKit) => Promise<void>

/** Brings a new record into a state; the owner is always A. */
export const STATES: Readonly<Record<State, BringInto>> = {
  none: async () => undefined,
  pending: async (store, claim) => {
    await store.acquire(claim)
  },
  abandoned: async (store, claim, kit) => {
    await store.acquire(claim)
    await kit.pass(LEASE_MS)
  },
  sent: async (store, claim) => {
    await store.acquire(claim)
    await store.markSent(claim.key, 'A')
  },
  'in-doubt': async (store, claim, kit) => {
    await STATES.sent(store, claim, kit)
    await store.markInDoubt(claim.key, 'A')
  },
  done: async (store, claim, kit) => {
    await STATES.sent(store, claim, kit)
    await store.complete(claim.key, 'A', DONE)
  },
  refused: async (store, claim) => {
    await store.acquire(claim)
    await store.complete(claim.key, 'A', REFUSED)
  }
}

/** What a stranger with the same body is told in each state. */
export const SEEN: Readonly<Record<State, AcquireResult>> = {
  none: { kind: 'acquired' },
  pending: { kind: 'in-flight' },
  abandoned: { kind: 'acquired' },
  sent: { kind: 'in-flight' },
  'in-doubt': { kind: 'in-doubt', owner: 'A', quietForMs: 0 },
  done: DONE,
  refused: REFUSED
}
