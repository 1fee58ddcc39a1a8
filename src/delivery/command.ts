import type { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import type { RequestTrace } from '../observability/events.ts'
import { type LogFields, noteAttempt } from '../observability/log-fields.ts'
import type { ReceiverOf } from '../upstream/receivers.ts'
import type { Deadline, Receiver, Reply, ReplyMessage, SenderProfile } from '../upstream/types.ts'

/** Who a reply belongs to. */
export interface Author {
  readonly issuer: string
  readonly subject: string
  readonly uid: CometChatUid
  /** How the identity provider describes them. */
  readonly profile?: SenderProfile
  /** Services that act for them, nearest first. */
  readonly actors?: readonly string[]
}

/** Whether a message may be sent as far as limits go: asked when its record is, and answered before it is sent. */
export interface Admission {
  /** Rejects with the refusal; undefined where the answer is there already. */
  readonly admitted: Promise<void> | undefined
  readonly refusal: AppError | undefined
}

/** A reply whose every part was checked, on its way to CometChat. */
export interface ReplyCommand {
  readonly parentId: string
  readonly message: ReplyMessage & Partial<Receiver>
  readonly author: Author
  readonly idempotencyKey?: string
  readonly traceparent?: string
  /** Undefined where there are no traces. */
  readonly trace?: RequestTrace
  /** The caller's own, shorter deadline, in milliseconds. */
  readonly waitMs?: number
  /** False once the client has gone. */
  readonly isWaiting: () => boolean
  readonly facts: LogFields
  /** Undefined without limits. */
  readonly admission?: Admission
  /** What it is refused with if it is new; what became of an earlier attempt is told all the same. */
  readonly refusal?: AppError
}

export interface DeliveredReply {
  /** JSON text of `{"data": Message}`. */
  readonly body: string
  readonly messageId: string
  readonly replayed: boolean
}

/** How long the calls for an order may take together, from now on; the caller may ask for less than there is. */
export function deadlineFor(
  { facts, isWaiting, waitMs, trace }: Pick<ReplyCommand, 'facts' | 'isWaiting' | 'waitMs' | 'trace'>,
  deadlineMs: number,
  nowMs: number,
  clock: Pick<Clock, 'monotonic'>
): Deadline {
  const isShortened = waitMs !== undefined && waitMs < deadlineMs
  const deadlineAtMs = nowMs + (isShortened ? waitMs : deadlineMs)
  return {
    atMs: deadlineAtMs,
    isShortened,
    // Asked in the turn of the write: a process that was stopped for longer than its lease must not send any more.
    shouldSend: () => isWaiting() && clock.monotonic() < deadlineAtMs,
    onAttempt: attempt => noteAttempt(facts, attempt),
    ...(trace && { trace })
  }
}

/** What CometChat is asked to post: the order without what only this service needs. */
export function replyFrom({ parentId, author, message, traceparent }: ReplyCommand, marker: string | undefined): Reply {
  const { uid, profile } = author
  return {
    parentId,
    uid,
    message,
    ...(profile && { profile }),
    ...(marker !== undefined && { marker }),
    ...(traceparent !== undefined && { traceparent })
  }
}

/** Who receives a reply; undefined when CometChat would have to be asked. */
export function knownReceiver(
  { parentId, author, message }: ReplyCommand,
  receiverOf: ReceiverOf
): Receiver | undefined {
  const { receiver, receiverType } = message
  if (receiver !== undefined && receiverType !== undefined) return { receiver, receiverType }
  return receiverOf.known?.(parentId, author.uid)
}
