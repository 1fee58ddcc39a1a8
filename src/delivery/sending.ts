import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { AppError, type Delivery as Verdict } from '../errors.ts'
import type { Budget } from '../upstream/attempts.ts'
import type { CometChatClient, Receiver } from '../upstream/cometchat-client.ts'
import type { ReceiverOf } from '../upstream/receivers.ts'
import { type Found, lookFor } from './lost-reply.ts'
import { asRefusal, isSettled, outcomeOf, replay, stillUnknown, storeUnavailable } from './outcomes.ts'
import { fingerprintOf, type RecordNames } from './record-names.ts'
import type { Claim, ClaimResult, Outcome, RecordStore } from './record-store.ts'
import { type DeliveredReply, noteAttempt, type ReplyOrder, replyFrom } from './reply-order.ts'
import type { Knowledge, Unsettled } from './unsettled.ts'

export interface DeliveryOptions {
  readonly cometchat: CometChatClient
  readonly receiverOf: ReceiverOf
  readonly store: RecordStore
  readonly names: RecordNames
  readonly clock: Clock
  readonly deadlineMs: number
  /** How long after the last possible write a reply that is absent counts as never sent, in milliseconds. */
  readonly quietPeriodMs: number
  /** Off: replies carry no marker, and an unknown outcome stays unknown. */
  readonly marker: boolean
}

/** A crash frees a record this long after the deadline of its owner. */
const LEASE_MARGIN_MS = 5000

/** One order on its way: what its steps share. */
export class Sending {
  readonly #options: DeliveryOptions
  readonly #order: ReplyOrder
  readonly #unsettled: Unsettled
  readonly #knowledge: Knowledge
  readonly #budget: Budget
  readonly #claim: Claim
  readonly #marker: string | undefined
  readonly #leaseEndsAtMs: number

  constructor(options: DeliveryOptions, order: ReplyOrder, unsettled: Unsettled) {
    const { clock, deadlineMs, names } = options
    const { author, parentId, facts, isWaiting, idempotencyKey } = order
    this.#options = options
    this.#order = order
    this.#unsettled = unsettled
    const leaseMs = deadlineMs + LEASE_MARGIN_MS
    // Counted from here, so it is over before the store's own is.
    this.#leaseEndsAtMs = clock.monotonic() + leaseMs
    const deadlineAtMs = clock.monotonic() + Math.min(deadlineMs, order.waitMs ?? deadlineMs)
    this.#budget = {
      deadlineAtMs,
      isShortened: order.waitMs !== undefined && order.waitMs < deadlineMs,
      // Asked in the turn of the write: a process that was stopped for longer than its lease must not send any more.
      mayStart: () => isWaiting() && clock.monotonic() < deadlineAtMs,
      onAttempt: attempt => noteAttempt(facts, attempt)
    }
    const key = names.recordKey({ ...author, parentId }, idempotencyKey)
    const fingerprint = idempotencyKey === undefined ? '' : fingerprintOf(order.message)
    this.#claim = { key, fingerprint, owner: randomUUID(), leaseMs }
    this.#marker = options.marker ? names.marker(key) : undefined
    this.#knowledge = unsettled.enter(key)
  }

  async run(): Promise<DeliveredReply> {
    try {
      return await this.#deliver()
    } finally {
      this.#unsettled.leave(this.#knowledge)
    }
  }

  async #deliver(): Promise<DeliveredReply> {
    const claimed = await this.#claimRecord()
    if (isSettled(claimed)) return this.#replay(claimed)
    if (claimed.kind === 'doubtful') return this.#reconcile(claimed)
    if (claimed.kind === 'claimed') return this.#afterClaim()
    throw claimed.kind === 'mismatch'
      ? new AppError('idempotency-key-reused', 'This Idempotency-Key was used for another reply.')
      : new AppError('idempotency-in-flight', 'A request with this key is being processed.', { retryAfterMs: 1000 })
  }

  async #claimRecord(): Promise<ClaimResult> {
    try {
      return await this.#options.store.claim(this.#claim)
    } catch {
      throw storeUnavailable(await this.#verdictWithoutRecord())
    }
  }

  /** Without its record only the thread can tell whether an earlier attempt with this key was posted. */
  async #verdictWithoutRecord(): Promise<Verdict> {
    if (!this.#isKeyed) return 'not-sent'
    const isAlone = (): boolean => this.#unsettled.isOnlyAttempt(this.#knowledge)
    // Asked again afterwards: another attempt may have begun, posted and ended while the thread was read.
    return isAlone() && (await this.#lookFor()) === 'absent' && isAlone() ? 'not-sent' : 'unknown'
  }

  /** A store that may have lost records gets a second look at the thread before a keyed reply is sent. */
  async #afterClaim(): Promise<DeliveredReply> {
    const forgetfulForMs = this.#isKeyed ? this.#options.store.forgetfulForMs() : undefined
    if (forgetfulForMs === undefined) return this.#send()
    const found = await this.#look()
    if (isSettled(found)) return this.#replay(found)
    // Whose record was lost may have gone on writing to the end of its lease; only then it became quiet.
    const restMs = this.#options.quietPeriodMs + this.#claim.leaseMs - forgetfulForMs
    if (found === 'absent' && restMs <= 0) return this.#send()
    await this.#try(store => store.release(this.#claim.key, this.#claim.owner))
    throw stillUnknown(restMs)
  }

  async #send(): Promise<DeliveredReply> {
    const { key, owner } = this.#claim
    let mayBeSent = false
    try {
      const receiver = await this.#receiver()
      if (!this.#order.isWaiting()) throw new AppError('client-closed', 'The client went away.')
      mayBeSent = await this.#ask(store => store.markSent(key, owner))
      if (!mayBeSent) throw this.#isKeyed ? stillUnknown(0) : new AppError('deadline-exceeded', 'It took too long.')
      this.#unsettled.doubt(this.#knowledge)
      const posted = await this.#options.cometchat.postReply(
        replyFrom(this.#order, this.#marker),
        receiver,
        this.#budget
      )
      await this.#settle({ kind: 'done', messageId: posted.messageId, body: posted.body })
      return this.#delivered(posted.messageId, posted.body, false)
    } catch (thrown) {
      const error = asRefusal(thrown, mayBeSent)
      const isFenced = this.#isKeyed && this.#options.clock.monotonic() >= this.#leaseEndsAtMs
      await this.#giveUp(error)
      // Without its lease this attempt knows only of itself: another one may have sent the reply meanwhile.
      throw isFenced && error.delivery === 'not-sent' ? stillUnknown(0) : error
    }
  }

  /** The first attempt ended without an answer: only the thread itself can tell. */
  async #reconcile({ owner, quietForMs }: ClaimResult & { kind: 'doubtful' }): Promise<DeliveredReply> {
    const found = await this.#look()
    if (isSettled(found)) return this.#replay(found)
    const restMs = this.#options.quietPeriodMs - quietForMs
    if (found !== 'absent' || restMs > 0) throw stillUnknown(restMs)
    // Whoever fails to get the record cannot say what another one does with it.
    const reclaimed = await this.#ask(store => store.reclaim(this.#claim.key, owner, this.#claim), 'unknown')
    if (!reclaimed) throw stillUnknown(0)
    return this.#send()
  }

  /** Searches the thread for the reply, and keeps what it finds. */
  async #look(): Promise<Found> {
    const found = await this.#lookFor()
    if (!isSettled(found)) return found
    this.#unsettled.settle(this.#knowledge)
    await this.#try(store => store.finish(this.#claim.key, undefined, found))
    return found
  }

  #lookFor(): Promise<Found> {
    return lookFor(this.#order, this.#marker, this.#options.cometchat, this.#budget)
  }

  /** After the call the caller gets the truth about it, whatever the store does. */
  async #settle(outcome: Outcome): Promise<void> {
    const { key, owner } = this.#claim
    this.#unsettled.settle(this.#knowledge)
    await this.#try(store => (this.#isKeyed ? store.finish(key, owner, outcome) : store.release(key, owner)))
  }

  async #giveUp(error: AppError): Promise<void> {
    const { key, owner } = this.#claim
    const outcome = outcomeOf(error)
    if (outcome) return this.#settle(outcome)
    // Nobody can ask for a record without a key: a doubt would only fill the store.
    const isOver = error.delivery === 'not-sent' || !this.#isKeyed
    if (isOver) this.#unsettled.settle(this.#knowledge)
    await this.#try(store => (isOver ? store.release(key, owner) : store.doubt(key, owner)))
  }

  get #isKeyed(): boolean {
    return this.#order.idempotencyKey !== undefined
  }

  #receiver(): Promise<Receiver> | Receiver {
    const { parentId, author, message } = this.#order
    const { receiver, receiverType } = message
    if (receiver !== undefined && receiverType !== undefined) return { receiver, receiverType }
    return this.#options.receiverOf(parentId, author.uid, this.#budget, author.profile)
  }

  #replay(outcome: Outcome): DeliveredReply {
    this.#order.facts.replayed = true
    const { messageId, body } = replay(outcome)
    return this.#delivered(messageId, body, true)
  }

  #delivered(messageId: string, body: string, replayed: boolean): DeliveredReply {
    this.#order.facts.delivery = 'sent'
    this.#order.facts.messageId = messageId
    return { messageId, body, replayed }
  }

  /** A transition that must have happened before anything is sent. */
  async #ask<T>(transition: (store: RecordStore) => Promise<T>, delivery: Verdict = 'not-sent'): Promise<T> {
    try {
      return await transition(this.#options.store)
    } catch {
      throw storeUnavailable(delivery)
    }
  }

  /** A transition whose failure the lease and the marker make good. */
  async #try(transition: (store: RecordStore) => Promise<void>): Promise<void> {
    await this.#ask(transition).catch(() => undefined)
  }
}
