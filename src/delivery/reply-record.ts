import type { AppError } from '../errors.ts'
import type { ReplyOrder } from './command.ts'
import type { Knowledge, Unsettled } from './local-attempts.ts'
import { outcomeOf, storeUnavailable } from './outcome.ts'
import type { Awaitable, Claim, ClaimedAs, ClaimResult, Outcome, RecordStore } from './record.ts'
import { fingerprintOf, type RecordNames } from './record-keys.ts'

export interface RecordKeeping {
  readonly store: RecordStore
  readonly names: RecordNames
  /** Off: replies carry no marker, and an unknown outcome stays unknown. */
  readonly marker: boolean
  /** Tells each attempt from every other one, of this process or another. */
  readonly newOwner: () => string
}

/** The record of one order, and what this process knows of the reply without it. */
export class ReplyRecord {
  /** Nobody can ask for a record without a key: it guards nothing, and goes when its attempt ends. */
  readonly isKeyed: boolean
  readonly leaseMs: number
  readonly marker: string | undefined
  readonly #store: RecordStore
  readonly #claim: Claim
  readonly #unsettled: Unsettled
  readonly #knowledge: Knowledge | undefined

  constructor(
    { store, names, marker, newOwner }: RecordKeeping,
    order: ReplyOrder,
    unsettled: Unsettled,
    leaseMs: number
  ) {
    const { idempotencyKey, author, parentId, message } = order
    const { issuer, subject, uid } = author
    const key = names.recordKey({ issuer, subject, uid, parentId }, idempotencyKey)
    this.isKeyed = idempotencyKey !== undefined
    this.leaseMs = leaseMs
    this.marker = marker ? names.marker(this.isKeyed ? key : undefined) : undefined
    this.#store = store
    this.#claim = { key, fingerprint: this.isKeyed ? fingerprintOf(message) : '', owner: newOwner(), leaseMs }
    this.#unsettled = unsettled
    this.#knowledge = this.isKeyed ? unsettled.enter(key) : undefined
  }

  /** Rejects when the store did not answer: then it may or may not have happened. */
  claim(as: ClaimedAs): Awaitable<ClaimResult> {
    try {
      return this.#store.claim(this.#claim, as)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Whether the reply may be sent; throws where that cannot be known, since nothing is sent then. */
  async markSent(): Promise<boolean> {
    const { key, owner } = this.#claim
    try {
      return await this.#store.markSent(key, owner)
    } catch {
      throw storeUnavailable('not-sent')
    }
  }

  /** Whether the record is ours now. Whoever fails to get it cannot say what another one does with it. */
  async reclaim(previousOwner: string): Promise<boolean> {
    try {
      return await this.#store.reclaim(this.#claim.key, previousOwner, this.#claim)
    } catch {
      throw storeUnavailable('unknown')
    }
  }

  /** From now on the reply may exist. */
  noteSent(): void {
    if (this.#knowledge) this.#unsettled.doubt(this.#knowledge)
  }

  /** After the call the caller gets the truth about it, whatever the store does. */
  settle(outcome: Outcome): Awaitable<void> {
    this.#noteSettled()
    const { key, owner } = this.#claim
    return this.isKeyed ? quietly(() => this.#store.finish(key, owner, outcome)) : this.release()
  }

  /** Keeps what was found in the thread, whoever sent it. */
  settleAsFound(outcome: Outcome): Awaitable<void> {
    this.#noteSettled()
    return quietly(() => this.#store.finish(this.#claim.key, undefined, outcome))
  }

  /** Keeps what a failure says about the reply. */
  giveUp(error: AppError): Awaitable<void> {
    const outcome = outcomeOf(error)
    if (outcome) return this.settle(outcome)
    const { key, owner } = this.#claim
    if (error.delivery !== 'not-sent' && this.isKeyed) return quietly(() => this.#store.doubt(key, owner))
    this.#noteSettled()
    return this.release()
  }

  /** Nothing was sent, and nothing will be. */
  release(): Awaitable<void> {
    return quietly(() => this.#store.release(this.#claim.key, this.#claim.owner))
  }

  /** Milliseconds since a record of this reply may have been forgotten; undefined when that matters to nobody. */
  forgetfulForMs(): number | undefined {
    return this.isKeyed ? this.#store.forgetfulForMs() : undefined
  }

  /** Whether no other attempt of this process can have to do with the reply. */
  isOnlyAttempt(): boolean {
    return this.#knowledge === undefined || this.#unsettled.isOnlyAttempt(this.#knowledge)
  }

  /** The attempt is over; this must be the last call. */
  leave(): void {
    if (this.#knowledge) this.#unsettled.leave(this.#knowledge)
  }

  #noteSettled(): void {
    if (this.#knowledge) this.#unsettled.settle(this.#knowledge)
  }
}

/** For a transition whose failure the lease and the marker make good. */
function quietly(transition: () => Awaitable<void>): Awaitable<void> {
  try {
    return transition()?.catch(() => undefined)
  } catch {}
}
