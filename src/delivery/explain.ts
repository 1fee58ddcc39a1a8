// What would become of a reply. Nothing here can send one: what is given to this file holds no client of CometChat, no key
// and no transition of a record, only a way to read the parent message and a way to look at a record.
import { randomUUID } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { ReceiverOf } from '../upstream/receivers.ts'
import type { ShownRequest } from '../upstream/shown-request.ts'
import type { Receiver, Reply } from '../upstream/types.ts'
import { deadlineFor, knownReceiver, type ReplyCommand, replyFrom } from './command.ts'
import { keyRefusal, replay, storeUnavailable } from './outcome.ts'
import { type AcquireResult, LEASE_MARGIN_MS, type RecordedOutcome, type RecordStore } from './record.ts'
import { fingerprintOf, type RecordKeys } from './record-keys.ts'

export interface ExplainOptions {
  readonly store: Pick<RecordStore, 'peek' | 'msSinceDataLoss'>
  readonly recordKeys: RecordKeys
  readonly marker: boolean
  /** Reads the parent where its receiver is not remembered. */
  readonly receiverOf: ReceiverOf
  readonly requestOf: (reply: Reply, receiver: Receiver) => ShownRequest
  readonly clock: Pick<Clock, 'monotonic'>
  readonly deadlineMs: number
  /** What is refused in the last moment before a reply is sent. */
  readonly refusalBeforeSend?: () => AppError | undefined
}

export type Decision =
  | { readonly action: 'send' }
  /** The record of the key has the answer: the reply that was sent, or the refusal that its first attempt met. */
  | { readonly action: 'replay'; readonly messageId?: string; readonly refusal?: AppError }
  /** Whether an earlier attempt was posted is not known: the thread would be searched for it before anything is sent. */
  | { readonly action: 'search' }
  | { readonly action: 'refuse'; readonly refusal: AppError }

export interface ExplainedReply {
  readonly decision: Decision
  /** What CometChat would be sent; undefined where its receiver is not known and nothing would be sent. */
  readonly request: ShownRequest | undefined
}

export type Explain = (order: ReplyCommand) => Promise<ExplainedReply>

export function createExplain(options: ExplainOptions): Explain {
  return async order => {
    const { refusal, idempotencyKey } = order
    // As in a delivery: of an earlier attempt with this key the truth is told all the same.
    const isRefusedAtOnce = refusal !== undefined && idempotencyKey === undefined
    const found = isRefusedAtOnce ? undefined : await lookUp(order, options)
    const decision = found ?? decisionFor(refusal)
    return decision.action === 'send'
      ? explainSending(order, options)
      : { decision, request: shownIfKnown(order, options) }
  }
}

/** What is between a reply that may be sent and its sending. */
async function explainSending(order: ReplyCommand, options: ExplainOptions): Promise<ExplainedReply> {
  const { receiverOf, clock, deadlineMs, refusalBeforeSend } = options
  const { parentId, author } = order
  const deadline = deadlineFor(order, deadlineMs, clock.monotonic(), clock)
  try {
    const known = knownReceiver(order, receiverOf)
    const receiver = known ?? (await receiverOf(parentId, author.uid, deadline, author.profile))
    return { request: shown(order, receiver, options), decision: decisionFor(refusalBeforeSend?.()) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { decision: refuse(error), request: undefined }
  }
}

/** Undefined where CometChat would have to be asked for the receiver, or the message is too long for any. */
function shownIfKnown(order: ReplyCommand, options: ExplainOptions): ShownRequest | undefined {
  const receiver = knownReceiver(order, options.receiverOf)
  try {
    return receiver && shown(order, receiver, options)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return undefined
  }
}

function shown(order: ReplyCommand, receiver: Receiver, options: ExplainOptions): ShownRequest {
  return options.requestOf(replyFrom(order, markerOf(order, options)), receiver)
}

/** Undefined where the record of a new reply could be begun. */
async function lookUp(order: ReplyCommand, options: ExplainOptions): Promise<Decision | undefined> {
  const { idempotencyKey, message } = order
  const { store, recordKeys, deadlineMs } = options
  const isKeyed = idempotencyKey !== undefined
  const acquisition = {
    key: recordKeyOf(order, recordKeys),
    fingerprint: isKeyed ? fingerprintOf(message) : '',
    owner: randomUUID(),
    leaseMs: deadlineMs + LEASE_MARGIN_MS
  }
  let found: AcquireResult
  try {
    found = await store.peek(acquisition)
  } catch {
    return refuse(storeUnavailable(isKeyed ? 'unknown' : 'not-sent'))
  }
  switch (found.kind) {
    case 'acquired':
    case 'acquired-as-sent':
      return isKeyed && store.msSinceDataLoss(acquisition.key) !== undefined ? { action: 'search' } : undefined
    case 'in-doubt':
      return { action: 'search' }
    case 'mismatch':
    case 'in-flight':
      return refuse(keyRefusal(found.kind))
    default:
      return replayed(found)
  }
}

function replayed(outcome: RecordedOutcome): Decision {
  try {
    return { action: 'replay', messageId: replay(outcome).messageId }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { action: 'replay', refusal: error }
  }
}

function decisionFor(refusal: AppError | undefined): Decision {
  return refusal ? refuse(refusal) : { action: 'send' }
}

function refuse(refusal: AppError): Decision {
  return { action: 'refuse', refusal }
}

function markerOf(order: ReplyCommand, { marker, recordKeys }: ExplainOptions): string | undefined {
  if (!marker) return undefined
  return recordKeys.marker(order.idempotencyKey === undefined ? undefined : recordKeyOf(order, recordKeys))
}

function recordKeyOf({ author, parentId, idempotencyKey }: ReplyCommand, recordKeys: RecordKeys): string {
  const { issuer, subject, uid } = author
  return recordKeys.recordKey({ issuer, subject, uid, parentId }, idempotencyKey)
}
