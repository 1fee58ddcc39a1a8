import { randomUUID } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { KeyClaim } from '../observability/events.ts'
import { noteSent } from '../observability/log-fields.ts'
import type { CometChatClient } from '../upstream/cometchat-client.ts'
import type { ReceiverOf } from '../upstream/receivers.ts'
import type { Deadline, Receiver } from '../upstream/types.ts'
import { type DeliveredReply, deadlineFor, knownReceiver, type ReplyCommand, replyFrom } from './command.ts'
import { LocalAttempts } from './local-attempts.ts'
import { asRefusal, keyRefusal, replay, stillUnknown, storeUnavailable } from './outcome.ts'
import type { DeletionNotes } from './posted/deletion-notes.ts'
import { Reconciliation } from './reconcile.ts'
import { type AcquiredAs, type AcquireResult, type Awaitable, LEASE_MARGIN_MS, type RecordedOutcome } from './record.ts'
import { type RecordKeeping, ReplyRecord } from './reply-record.ts'
import { startOfSearch } from './search-state.ts'

export interface DeliveryOptions extends RecordKeeping {
  readonly cometchat: CometChatClient
  readonly receiverOf: ReceiverOf
  readonly clock: Clock
  readonly deadlineMs: number
  /** Of replies that their authors deleted. */
  readonly notes: Pick<DeletionNotes, 'find'>
  /** How long after the last possible write a reply that is absent counts as never sent, in milliseconds. */
  readonly quietPeriodMs: number
  /** Awaited before each reply that is about to be sent; it is not sent where this throws an AppError. */
  readonly beforeSend?: (order: ReplyCommand) => Promise<void>
}

export interface Delivery {
  /** Resolves with a reply that exists; else throws an AppError that says what is known. */
  deliver(order: ReplyCommand): Promise<DeliveredReply>
  /** Resolves when no reply is under way any more. */
  idle(): Promise<void>
}

/** Sends each reply at most once for each key, and remembers what became of it. */
export function createDelivery(options: Omit<DeliveryOptions, 'newOwner'>): Delivery {
  const parts = { ...options, newOwner: randomUUID }
  const localAttempts = new LocalAttempts(() => options.clock.monotonic())
  let underWay = 0
  let whenIdle: (() => void)[] = []

  return {
    async deliver(order) {
      const run = new DeliveryRun(parts, order, localAttempts)
      underWay++
      try {
        return await run.begin()
      } finally {
        run.end()
        underWay--
        if (underWay === 0) {
          for (const tell of whenIdle) tell()
          whenIdle = []
        }
      }
    },
    async idle() {
      if (underWay > 0) await new Promise<void>(resolve => whenIdle.push(resolve))
    }
  }
}

/** What a record says, as it is told to the operator. */
const CLAIMS: Readonly<Record<AcquireResult['kind'], KeyClaim>> = {
  acquired: 'new',
  'acquired-as-sent': 'new',
  'in-flight': 'in-flight',
  'in-doubt': 'in-doubt',
  mismatch: 'reused',
  done: 'replayed',
  refused: 'replayed'
}

/** One order on its way: what its steps share. */
class DeliveryRun {
  readonly #options: DeliveryOptions
  readonly #order: ReplyCommand
  readonly #record: ReplyRecord
  readonly #deadline: Deadline
  readonly #leaseEndsAtMs: number

  constructor(options: DeliveryOptions, order: ReplyCommand, localAttempts: LocalAttempts) {
    const { clock, deadlineMs } = options
    const nowMs = clock.monotonic()
    const leaseMs = deadlineMs + LEASE_MARGIN_MS
    this.#options = options
    this.#order = order
    // Counted from here, so it is over before the store's own is.
    this.#leaseEndsAtMs = nowMs + leaseMs
    this.#deadline = deadlineFor(order, deadlineMs, nowMs, clock)
    const search = startOfSearch(options.cometchat.timeMs())
    this.#record = new ReplyRecord(options, order, localAttempts, leaseMs, search)
  }

  /** Resolves with a reply that exists; else throws what is known. */
  begin(): Awaitable<DeliveredReply> {
    // A key has to be looked up all the same: it may stand for a reply that was sent.
    const refusal = this.#refusal()
    if (refusal && !this.#record.isKeyed) throw refusal
    const receiver = knownReceiver(this.#order, this.#options.receiverOf)
    const isReadyToSend = receiver && this.#order.isWaiting() && this.#record.msSinceDataLoss() === undefined
    const acquired = this.#acquireRecord(isReadyToSend ? 'sent' : 'pending')
    return acquired instanceof Promise
      ? acquired.then(result => this.#goOn(result, receiver))
      : this.#goOn(acquired, receiver)
  }

  /** Must follow, whatever came of it. */
  end(): void {
    this.#record.leave()
  }

  #goOn(acquired: AcquireResult, receiver: Receiver | undefined): Awaitable<DeliveredReply> {
    this.#tellClaim(CLAIMS[acquired.kind])
    switch (acquired.kind) {
      case 'acquired':
      case 'acquired-as-sent': {
        // A store that may have lost records gets a look at the thread before a keyed reply is sent.
        const msSinceDataLoss = this.#record.msSinceDataLoss()
        return msSinceDataLoss === undefined
          ? this.#send(receiver, acquired.kind === 'acquired-as-sent')
          : this.#sendUnless(this.#reconciliation.afterDataLoss(acquired.search, msSinceDataLoss), receiver)
      }
      case 'in-doubt':
        return this.#sendUnless(this.#reconciliation.inDoubt(acquired), receiver)
      case 'mismatch':
      case 'in-flight':
        throw keyRefusal(acquired.kind)
      default:
        return this.#replay(acquired)
    }
  }

  #tellClaim(result: KeyClaim): void {
    if (this.#record.isKeyed) this.#options.emit({ name: 'key-claim', result })
  }

  #acquireRecord(as: AcquiredAs): Awaitable<AcquireResult> {
    const acquired = this.#record.acquire(as)
    if (!(acquired instanceof Promise)) return acquired
    return acquired.catch(async () => {
      this.#tellClaim('unavailable')
      // It may be SENT now: then a retry would have to wait for the quiet period although nothing was sent.
      const released = as === 'sent' ? this.#record.release() : undefined
      const verdict = await this.#reconciliation.withoutRecord()
      await released
      throw storeUnavailable(verdict)
    })
  }

  /** Sends the reply unless an earlier attempt was posted or refused. */
  async #sendUnless(
    earlier: Promise<RecordedOutcome | undefined>,
    receiver: Receiver | undefined
  ): Promise<DeliveredReply> {
    const outcome = await earlier
    return outcome ? this.#replay(outcome) : this.#send(receiver, false)
  }

  async #send(known: Receiver | undefined, isSent: boolean): Promise<DeliveredReply> {
    const record = this.#record
    let mayBeSent = isSent
    try {
      const admitting = this.#requireAdmission()
      if (admitting) await this.#storeTime(admitting)
      const receiver = known ?? (await this.#findReceiver())
      if (!mayBeSent) mayBeSent = await this.#markSent()
      const confirming = record.confirmSent()
      if (confirming) await confirming
      if (this.#options.beforeSend) await this.#options.beforeSend(this.#order)
      record.noteSent()
      const reply = replyFrom(this.#order, record.marker)
      const { messageId, body } = await this.#options.cometchat.postReply(reply, receiver, this.#deadline)
      const completing = record.complete({ kind: 'done', messageId, body })
      if (completing) await completing
      return this.#delivered(messageId, body, false)
    } catch (thrown) {
      const error = asRefusal(thrown, mayBeSent)
      const isFenced = record.isKeyed && this.#options.clock.monotonic() >= this.#leaseEndsAtMs
      await record.giveUp(error)
      // Without its lease this attempt knows only of itself: another one may have sent the reply meanwhile.
      throw isFenced && error.delivery === 'not-sent' ? stillUnknown(0) : error
    }
  }

  /** Budgets are kept where records are. */
  async #storeTime(pending: Promise<void>): Promise<void> {
    const { clock } = this.#options
    const beganAtMs = clock.monotonic()
    await pending.finally(() => this.#order.facts.notePart('storeMs', beganAtMs, clock.monotonic()))
  }

  /** Throws what a limit refuses the message with. */
  #requireAdmission(): Promise<void> | undefined {
    const refusal = this.#refusal()
    if (refusal) throw refusal
    return this.#order.admission?.admitted
  }

  #refusal(): AppError | undefined {
    const { refusal, admission } = this.#order
    return refusal ?? admission?.refusal
  }

  /** True, or throws: nothing may be sent then. */
  async #markSent(): Promise<boolean> {
    if (!this.#order.isWaiting()) throw new AppError('client-closed', 'The client went away.')
    if (await this.#record.markSent()) return true
    if (this.#record.isKeyed) throw stillUnknown(0)
    throw new AppError('deadline-exceeded', 'It took too long.', { reason: 'lease-over' })
  }

  get #reconciliation(): Reconciliation {
    return new Reconciliation(this.#options, this.#order, this.#record, this.#deadline)
  }

  #findReceiver(): Promise<Receiver> {
    const { parentId, author } = this.#order
    return this.#options.receiverOf(parentId, author.uid, this.#deadline, author.profile)
  }

  #replay(outcome: RecordedOutcome): DeliveredReply {
    this.#order.facts.replayed = true
    const { messageId, body } = replay(outcome)
    return this.#delivered(messageId, body, true)
  }

  #delivered(messageId: string, body: string, replayed: boolean): DeliveredReply {
    noteSent(this.#order.facts, messageId)
    return { messageId, body, replayed }
  }
}
