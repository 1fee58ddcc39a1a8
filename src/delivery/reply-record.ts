import type { AppError } from '../errors.ts'
import type { StoreTransition } from '../observability/events.ts'
import type { ReplyCommand } from './command.ts'
import type { LocalAttempt, LocalAttempts } from './local-attempts.ts'
import { outcomeOf, storeUnavailable, storeUnconfirmed } from './outcome.ts'
import type { AcquiredAs, AcquireResult, Acquisition, Awaitable, RecordedOutcome, RecordStore } from './record.ts'
import { fingerprintOf, type RecordKeys } from './record-keys.ts'
import type { SearchMemory } from './search-state.ts'
import { type StoreWatch, timedTransition } from './timed-transition.ts'

export interface RecordKeeping extends StoreWatch {
  readonly recordKeys: RecordKeys
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
  readonly #keeping: RecordKeeping
  readonly #order: ReplyCommand
  readonly #acquisition: Acquisition
  readonly #localAttempts: LocalAttempts
  readonly #localAttempt: LocalAttempt | undefined

  constructor(
    keeping: RecordKeeping,
    order: ReplyCommand,
    localAttempts: LocalAttempts,
    leaseMs: number,
    search: string | undefined
  ) {
    const { recordKeys, marker, newOwner } = keeping
    const { idempotencyKey, author, parentId, message } = order
    const { issuer, subject, uid } = author
    const key = recordKeys.recordKey({ issuer, subject, uid, parentId }, idempotencyKey)
    this.isKeyed = idempotencyKey !== undefined
    this.leaseMs = leaseMs
    this.marker = marker ? recordKeys.marker(this.isKeyed ? key : undefined) : undefined
    this.#keeping = keeping
    this.#order = order
    const fingerprint = this.isKeyed ? fingerprintOf(message) : ''
    this.#acquisition = { key, fingerprint, owner: newOwner(), leaseMs, ...(this.isKeyed && { search }) }
    this.#localAttempts = localAttempts
    this.#localAttempt = this.isKeyed ? localAttempts.enter(key) : undefined
  }

  /** Rejects when the store did not answer: then it may or may not have happened. */
  acquire(as: AcquiredAs): Awaitable<AcquireResult> {
    try {
      return timedTransition(this.#keeping, this.#order, 'acquire', store => store.acquire(this.#acquisition, as))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Whether the reply may be sent; throws where that cannot be known, since nothing is sent then. */
  async markSent(): Promise<boolean> {
    const { key, owner } = this.#acquisition
    try {
      return await timedTransition(this.#keeping, this.#order, 'mark-sent', store => store.markSent(key, owner))
    } catch {
      throw storeUnavailable('not-sent')
    }
  }

  /** Throws where a failover could lose that the reply may have been sent: then it is not. Without a key nobody can ask for it. */
  confirmSent(): Promise<void> | undefined {
    if (!this.isKeyed || !this.#keeping.store.confirmSent) return undefined
    const { key, owner } = this.#acquisition
    return requireConfirmed(
      timedTransition<boolean>(this.#keeping, this.#order, 'confirm', store => store.confirmSent?.(key, owner) ?? true)
    )
  }

  /** Whether the record is ours now. An attempt that fails to get it cannot say what another attempt does with it. */
  async takeOver(previousOwner: string): Promise<boolean> {
    try {
      const { key } = this.#acquisition
      return await timedTransition(this.#keeping, this.#order, 'take-over', store =>
        store.takeOver(key, previousOwner, this.#acquisition)
      )
    } catch {
      throw storeUnavailable('unknown')
    }
  }

  /** From now on the reply may exist. */
  noteSent(): void {
    if (this.#localAttempt) this.#localAttempts.markInDoubt(this.#localAttempt)
  }

  /** After the call the caller gets the truth about it, whatever the store does. */
  complete(outcome: RecordedOutcome): Awaitable<void> {
    this.#noteResolved()
    const { key, owner } = this.#acquisition
    return this.isKeyed ? this.#quietly('complete', store => store.complete(key, owner, outcome)) : this.release()
  }

  /** Keeps what was found in the thread, whichever attempt sent it. */
  completeAsFound(outcome: RecordedOutcome): Awaitable<void> {
    this.#noteResolved()
    const { key } = this.#acquisition
    return this.#quietly('complete', store => store.complete(key, undefined, outcome))
  }

  /** Keeps what a failure says about the reply. */
  giveUp(error: AppError): Awaitable<void> {
    const outcome = outcomeOf(error)
    if (outcome) return this.complete(outcome)
    const { key, owner } = this.#acquisition
    if (error.delivery !== 'not-sent' && this.isKeyed) {
      return this.#quietly('mark-in-doubt', store => store.markInDoubt(key, owner))
    }
    this.#noteResolved()
    return this.release()
  }

  /** Nothing was sent, and nothing will be. With a `search` the record stays, for what it remembers of that. */
  release(search?: string): Awaitable<void> {
    const { key, owner } = this.#acquisition
    return this.#quietly('release', store => store.release(key, owner, search))
  }

  get owner(): string {
    return this.#acquisition.owner
  }

  /** What a new record remembers of it. */
  get firstSearch(): string | undefined {
    return this.#acquisition.search
  }

  /** What the record remembers of the search for its reply. */
  get search(): SearchMemory {
    const { key } = this.#acquisition
    return {
      note: async (former, search) =>
        timedTransition(this.#keeping, this.#order, 'note-search', store => store.noteSearch(key, former, search)),
      time: () => this.#keeping.store.time(key)
    }
  }

  /** The same without the record: for as long as this process lives. */
  get localSearch(): SearchMemory & { readonly last: string | undefined } {
    const { key } = this.#acquisition
    return this.#localAttempts.searchOf(key)
  }

  /** Milliseconds since a record of this reply may have been forgotten; undefined without a key. */
  msSinceDataLoss(): number | undefined {
    return this.isKeyed ? this.#keeping.store.msSinceDataLoss(this.#acquisition.key) : undefined
  }

  /** Whether no other attempt of this process can have to do with the reply. */
  isOnlyAttempt(): boolean {
    return this.#localAttempt === undefined || this.#localAttempts.isOnlyAttempt(this.#localAttempt)
  }

  /** The attempt is over; this must be the last call. */
  leave(): void {
    if (this.#localAttempt) this.#localAttempts.leave(this.#localAttempt)
  }

  #noteResolved(): void {
    if (this.#localAttempt) this.#localAttempts.markResolved(this.#localAttempt)
  }

  /** For a transition whose failure the lease and the marker make good. */
  #quietly(transition: StoreTransition, begin: (store: RecordStore) => Awaitable<void>): Awaitable<void> {
    try {
      return timedTransition(this.#keeping, this.#order, transition, begin)?.catch(() => undefined)
    } catch {}
  }
}

async function requireConfirmed(confirming: Awaitable<boolean>): Promise<void> {
  if (!(await confirming)) throw storeUnconfirmed()
}
