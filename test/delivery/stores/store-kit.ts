// A store to be tested, and records in every state a record can be in.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { Claim, ClaimResult, Outcome, RecordStore, Retention } from '../../../src/delivery/record.ts'

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
export const DONE: Outcome = { kind: 'done', messageId: '101', body: '{"data":{"id":"101"}}' }
export const REFUSED: Outcome = { kind: 'refused', code: 'thread-not-found', detail: 'No such thread.' }

export const HOUR_MS = 3_600_000
const BODY = 'a'.repeat(64)

/** A claim on a record of its own, by an owner called A. */
export function newClaim(change: Partial<Claim> = {}): Claim {
  return { key: `record-${randomUUID()}`, fingerprint: BODY, owner: 'A', leaseMs: LEASE_MS, ...change }
}

export type State = 'none' | 'pending' | 'abandoned' | 'sent' | 'doubtful' | 'done' | 'refused'

type BringInto = (store: RecordStore, claim: Claim, kit: StoreKit) => Promise<void>

/** Brings a new record into a state; the owner is always A. */
export const STATES: Readonly<Record<State, BringInto>> = {
  none: async () => undefined,
  pending: async (store, claim) => {
    await store.claim(claim)
  },
  abandoned: async (store, claim, kit) => {
    await store.claim(claim)
    await kit.pass(LEASE_MS)
  },
  sent: async (store, claim) => {
    await store.claim(claim)
    await store.markSent(claim.key, 'A')
  },
  doubtful: async (store, claim, kit) => {
    await STATES.sent(store, claim, kit)
    await store.doubt(claim.key, 'A')
  },
  done: async (store, claim, kit) => {
    await STATES.sent(store, claim, kit)
    await store.finish(claim.key, 'A', DONE)
  },
  refused: async (store, claim) => {
    await store.claim(claim)
    await store.finish(claim.key, 'A', REFUSED)
  }
}

/** What a stranger with the same body is told in each state. */
export const SEEN: Readonly<Record<State, ClaimResult>> = {
  none: { kind: 'claimed' },
  pending: { kind: 'in-flight' },
  abandoned: { kind: 'claimed' },
  sent: { kind: 'in-flight' },
  doubtful: { kind: 'doubtful', owner: 'A', quietForMs: 0 },
  done: DONE,
  refused: REFUSED
}
