import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Attempt, Budget } from '../upstream/attempts.ts'
import type { CometChatClient, Receiver, ReplyMessage } from '../upstream/cometchat-client.ts'
import type { CometChatUid } from '../upstream/cometchat-uid.ts'
import type { ReceiverOf } from '../upstream/receivers.ts'

/** Who a reply belongs to. */
export interface Author {
  readonly issuer: string
  readonly subject: string
  readonly uid: CometChatUid
}

/** What came of the calls to CometChat, for the log line. */
export interface DeliveryFacts {
  delivery?: 'sent' | 'not-sent' | 'unknown'
  messageId?: string
  replayed?: boolean
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
  readonly clock: Clock
  readonly deadlineMs: number
  readonly marker: boolean
}

export type Deliver = (order: ReplyOrder) => Promise<DeliveredReply>

/** Sends replies; each promise ends in the stored truth or in an AppError that says what is known. */
export function createDelivery(options: DeliveryOptions): Deliver {
  const { cometchat, receiverOf, clock, deadlineMs } = options

  return async order => {
    const { parentId, message, author, facts, traceparent } = order
    const budget: Budget = {
      deadlineAtMs: clock.monotonic() + Math.min(deadlineMs, order.waitMs ?? deadlineMs),
      mayStart: order.isWaiting,
      onAttempt: attempt => note(facts, attempt)
    }
    const marker = options.marker ? randomBytes(16).toString('base64url') : undefined
    const { receiver, receiverType } = message
    const given = receiver !== undefined && receiverType !== undefined
    const to = given ? { receiver, receiverType } : await receiverOf(parentId, author.uid, budget)
    const reply = { parentId, uid: author.uid, message, ...(marker && { marker }), ...(traceparent && { traceparent }) }
    const posted = await cometchat.postReply(reply, to, budget)
    facts.delivery = 'sent'
    facts.messageId = posted.messageId
    return { ...posted, replayed: false }
  }
}

function note(facts: DeliveryFacts, { durationMs, status, code }: Attempt): void {
  facts.attempts = (facts.attempts ?? 0) + 1
  facts.upstreamMs = Math.round((facts.upstreamMs ?? 0) + durationMs)
  if (status !== undefined) facts.upstreamStatus = status
  if (code !== undefined) facts.upstreamCode = code
}
