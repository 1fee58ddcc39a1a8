import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import type { Attempt, Budget } from '../upstream/attempts.ts'
import type { CometChatClient, Receiver, ReplyMessage } from '../upstream/cometchat-client.ts'
import type { CometChatUid } from '../upstream/cometchat-uid.ts'
import type { ReceiverOf } from '../upstream/receivers.ts'
import { isSettled, outcomeOf, replay, stillUnknown, storeUnavailable } from './outcomes.ts'
import { fingerprintOf, type RecordNames } from './record-names.ts'
import type { Claim, ClaimResult, RecordStore } from './record-store.ts'

/** Who a reply belongs to. */
export interface Author {
  readonly issuer: string
  readonly subject: string
  readonly uid: CometChatUid
}

/** What came of a reply, for the log line. */
export interface DeliveryFacts {
  delivery?: 'sent' | 'not-sent' | 'unknown'
  messageId?: string
  replayed?: boolean
  reconciled?: 'found' | 'absent' | 'unclear'
  attempts?: number
  upstreamMs?: number
  upstreamStatus?: number
  upstreamCode?: string
}

/** A reply whose every part was checked, on its way to CometChat. */
export interface ReplyOrder {
  readonly parentId: string
  readonly message: ReplyMessage & Partial<Receiver>
  readonly author: Author
  readonly idempotencyKey?: string
  readonly traceparent?: string
  /** The caller's own, shorter deadline, in milliseconds. */
  readonly waitMs?: number
  /** False once the client has gone. */
  readonly isWaiting: () => boolean
  readonly facts: DeliveryFacts
}

export interface DeliveredReply {
  /** JSON text of `{"data": Message}`. */
  readonly body: string
  readonly messageId: string
  readonly replayed: boolean
}

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

export interface Delivery {
  /** Resolves with a reply that exists; else throws an AppError that says what is known. */
  deliver(order: ReplyOrder): Promise<DeliveredReply>
  /** Resolves when no reply is under way any more. */
  idle(): Promise<void>
}

/** A crash frees a record this long after the deadline of its owner. */
const LEASE_MARGIN_MS = 5000

/** Sends each reply at most once for each key, and remembers what became of it. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const underWay = new Set<Promise<unknown>>()
  return {
    deliver(order) {
      const delivered = new Sending(options, order).run()
      underWay.add(delivered)
      return delivered.finally(() => underWay.delete(delivered))
    },
    async idle() {
      await Promise.allSettled(underWay)
    }
  }
}

/** One order on its way: what its steps share. */
class Sending {
  readonly #options: DeliveryOptions
  readonly #order: ReplyOrder
  readonly #budget: Budget
  readonly #claim: Claim
  readonly #marker: string | undefined

  constructor(options: DeliveryOptions, order: ReplyOrder) {
    const { clock, deadlineMs, names } = options
    const { author, parentId, facts, isWaiting } = order
    this.#options = options
    this.#order = order
    const deadlineAtMs = clock.monotonic() + Math.min(deadlineMs, order.waitMs ?? deadlineMs)
    this.#budget = {
      deadlineAtMs,
      // Asked in the turn of the write: a process that was stopped for longer than its lease must not send any more.
      mayStart: () => isWaiting() && clock.monotonic() < deadlineAtMs,
      onAttempt: attempt => note(facts, attempt)
    }
    const key = names.recordKey({ ...author, parentId }, order.idempotencyKey)
    const fingerprint = order.idempotencyKey === undefined ? '' : fingerprintOf(order.message)
    this.#claim = { key, fingerprint, owner: randomUUID(), leaseMs: deadlineMs + LEASE_MARGIN_MS }
    this.#marker = options.marker ? names.marker(key) : undefined
  }

  async run(): Promise<DeliveredReply> {
    const claimed = await this.#ask(store => store.claim(this.#claim))
    if (isSettled(claimed)) return this.#replay(claimed)
    if (claimed.kind === 'doubtful') return this.#reconcile(claimed)
    if (claimed.kind === 'claimed') return this.#afterClaim()
    throw claimed.kind === 'mismatch'
      ? new AppError('idempotency-key-reused', 'This Idempotency-Key was used for another reply.')
      : new AppError('idempotency-in-flight', 'A request with this key is being processed.', { retryAfterMs: 1000 })
  }

  /** A store that may have lost records gets a second look at the thread before a keyed reply is sent. */
  async #afterClaim(): Promise<DeliveredReply> {
    const forgetfulForMs = this.#order.idempotencyKey === undefined ? undefined : this.#options.store.forgetfulForMs()
    if (forgetfulForMs === undefined) return this.#send()
    const found = await this.#look()
    if (isSettled(found)) return this.#replay(found)
    if (found === 'absent' && forgetfulForMs >= this.#options.quietPeriodMs) return this.#send()
    await this.#try(store => store.release(this.#claim.key, this.#claim.owner))
    throw stillUnknown(this.#options.quietPeriodMs - forgetfulForMs)
  }

  async #send(): Promise<DeliveredReply> {
    const { key, owner } = this.#claim
    let mayBeSent = false
    try {
      const receiver = await this.#receiver()
      if (!this.#order.isWaiting()) throw new AppError('client-closed', 'The client went away.')
      mayBeSent = await this.#ask(store => store.markSent(key, owner))
      if (!mayBeSent) throw new AppError('deadline-exceeded', 'The reply took too long to prepare.')
      const posted = await this.#options.cometchat.postReply(this.#reply(), receiver, this.#budget)
      await this.#settle({ kind: 'done', messageId: posted.messageId, body: posted.body })
      return this.#delivered(posted.messageId, posted.body, false)
    } catch (error) {
      await this.#giveUp(error)
      throw mayBeSent && !(error instanceof AppError) ? bugAfterSending(error) : error
    }
  }

  /** The first attempt ended without an answer: only the thread itself can tell. */
  async #reconcile({ owner, quietForMs }: ClaimResult & { kind: 'doubtful' }): Promise<DeliveredReply> {
    const found = await this.#look()
    if (isSettled(found)) return this.#replay(found)
    const restMs = this.#options.quietPeriodMs - quietForMs
    if (found !== 'absent' || restMs > 0) throw stillUnknown(restMs)
    const reclaimed = await this.#ask(store => store.reclaim(this.#claim.key, owner, this.#claim))
    if (!reclaimed) throw stillUnknown(0)
    return this.#send()
  }

  /** Searches the thread for the marker, and keeps what it finds. */
  async #look(): Promise<'absent' | 'unclear' | ReturnType<typeof outcomeOf>> {
    const marker = this.#marker
    const { parentId, author, facts } = this.#order
    facts.reconciled = 'unclear'
    if (marker === undefined) return 'unclear'
    try {
      const found = await this.#options.cometchat.findReply({ parentId, uid: author.uid, marker }, this.#budget)
      facts.reconciled = found === 'absent' ? 'absent' : 'found'
      if (found === 'absent') return 'absent'
      return await this.#keep({ kind: 'done', messageId: found.messageId, body: found.body })
    } catch (error) {
      const outcome = outcomeOf(error)
      if (outcome?.kind !== 'done') return 'unclear'
      facts.reconciled = 'found'
      return this.#keep(outcome)
    }
  }

  async #keep<T extends ReturnType<typeof outcomeOf>>(outcome: T): Promise<T> {
    if (outcome) await this.#try(store => store.finish(this.#claim.key, undefined, outcome))
    return outcome
  }

  /** After the call the caller gets the truth about it, whatever the store does. */
  async #settle(outcome: NonNullable<ReturnType<typeof outcomeOf>>): Promise<void> {
    const { key, owner } = this.#claim
    if (this.#order.idempotencyKey === undefined) await this.#try(store => store.release(key, owner))
    else await this.#try(store => store.finish(key, owner, outcome))
  }

  async #giveUp(error: unknown): Promise<void> {
    const { key, owner } = this.#claim
    const outcome = outcomeOf(error)
    if (outcome) return this.#settle(outcome)
    const isKnown = error instanceof AppError && error.delivery === 'not-sent'
    await this.#try(store => (isKnown ? store.release(key, owner) : store.doubt(key, owner)))
  }

  #receiver(): Promise<Receiver> | Receiver {
    const { parentId, author, message } = this.#order
    const { receiver, receiverType } = message
    if (receiver !== undefined && receiverType !== undefined) return { receiver, receiverType }
    return this.#options.receiverOf(parentId, author.uid, this.#budget)
  }

  #reply() {
    const { parentId, author, message, traceparent } = this.#order
    const marker = this.#marker
    return { parentId, uid: author.uid, message, ...(marker && { marker }), ...(traceparent && { traceparent }) }
  }

  #replay(outcome: NonNullable<ReturnType<typeof outcomeOf>>): DeliveredReply {
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
  async #ask<T>(transition: (store: RecordStore) => Promise<T>): Promise<T> {
    try {
      return await transition(this.#options.store)
    } catch {
      throw storeUnavailable()
    }
  }

  /** A transition whose failure the lease and the marker make good. */
  async #try(transition: (store: RecordStore) => Promise<void>): Promise<void> {
    await transition(this.#options.store).catch(() => undefined)
  }
}

/** A bug of ours once the call may have begun: it says nothing about the reply. */
function bugAfterSending(cause: unknown): AppError {
  const error = new AppError('internal', 'Something broke in this service; the request id helps to find it.', {
    delivery: 'unknown'
  })
  error.cause = cause
  return error
}

function note(facts: DeliveryFacts, { durationMs, status, code }: Attempt): void {
  facts.attempts = (facts.attempts ?? 0) + 1
  facts.upstreamMs = Math.round((facts.upstreamMs ?? 0) + durationMs)
  if (status !== undefined) facts.upstreamStatus = status
  if (code !== undefined) facts.upstreamCode = code
}
