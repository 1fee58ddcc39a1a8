import { AppError } from '../errors.ts'
import { isObject, type JsonObject } from '../lib/json.ts'
import { type DeliveryState, PROBLEMS, type ProblemCode } from '../lib/refusals/problems.ts'
import type { Violation } from '../lib/refusals/violations.ts'
import type { AcquireResult, RecordedOutcome } from './record.ts'

/** Refusals that the same request would meet again: kept, so that a retry costs CometChat nothing. */
const DETERMINISTIC: ReadonlySet<ProblemCode> = new Set([
  'thread-not-found',
  'thread-mismatch',
  'rejected-by-cometchat'
])

export function isFinal(
  result: AcquireResult | RecordedOutcome | 'absent' | 'unclear' | 'too-early' | undefined
): result is RecordedOutcome {
  return typeof result === 'object' && (result.kind === 'done' || result.kind === 'refused')
}

/** What a failure proves about a reply; undefined when it proves nothing. */
export function outcomeOf(error: unknown): RecordedOutcome | undefined {
  if (!(error instanceof AppError)) return undefined
  const { messageId, errors } = error.options
  if (error.delivery === 'sent') return { kind: 'done', ...(messageId !== undefined && { messageId }) }
  // What the plan of the app lacks may be bought within a minute.
  if (!DETERMINISTIC.has(error.code) || error.options.reason === 'feature-refused') return undefined
  return { kind: 'refused', code: error.code, detail: error.message, ...(errors && { errors }) }
}

/** The reply that a record remembers; throws the refusal where it remembers one. */
export function replay(outcome: RecordedOutcome): { messageId: string; body: string } {
  if (outcome.kind === 'refused') {
    const { code, detail, errors } = outcome
    throw new AppError(code, detail, { reason: 'recorded', ...(errors && { errors }) })
  }
  const { messageId, body } = outcome
  if (messageId !== undefined && body !== undefined) return { messageId, body }
  throw new AppError(
    'upstream-contract',
    'The reply was sent, but CometChat described it in a way that breaks its schema.',
    messageId === undefined ? {} : { messageId }
  )
}

/** Told as long as the thread cannot show it; never earlier than a second from now, so that a retry finds something new. */
export function stillUnknown(waitMs: number): AppError {
  return new AppError('idempotency-in-flight', 'What became of the first attempt is not known yet.', {
    retryAfterMs: Math.max(1000, waitMs),
    reason: 'outcome-unknown'
  })
}

/** Told after a loss of records, until no attempt that was forgotten can post any more. */
export function storeRecovering(restMs: number): AppError {
  return new AppError('store-recovering', 'Records were lost or may have been: an earlier attempt may still be sent.', {
    retryAfterMs: Math.max(1000, restMs)
  })
}

/** What an acquisition meets where another request has the key. */
export function keyRefusal(kind: 'mismatch' | 'in-flight'): AppError {
  if (kind === 'mismatch') {
    return new AppError('idempotency-key-reused', 'This Idempotency-Key was used for another reply.')
  }
  return new AppError('idempotency-in-flight', 'A request with this key is being processed.', {
    retryAfterMs: 1000,
    reason: 'other-attempt'
  })
}

export function storeUnavailable(delivery: DeliveryState): AppError {
  return new AppError('store-unavailable', 'The delivery records cannot be reached.', {
    delivery,
    retryAfterMs: 1000,
    reason: 'records'
  })
}

/** Nothing was sent: a failover could lose the record that says that it may have been. */
export function storeUnconfirmed(): AppError {
  return new AppError('store-unavailable', 'The delivery record was not confirmed by enough replicas.', {
    delivery: 'not-sent',
    retryAfterMs: 1000,
    reason: 'replicas'
  })
}

/** A bug of ours, once a call may have begun, says nothing about the reply; a refusal stays what it is. */
export function asRefusal(thrown: unknown, mayBeSent: boolean): AppError {
  if (thrown instanceof AppError) return thrown
  const error = new AppError('internal', 'Something broke in this service; the request id helps to find it.', {
    delivery: mayBeSent ? 'unknown' : 'not-sent'
  })
  error.cause = thrown
  return error
}

/** An outcome as a durable store keeps it. */
export function writeOutcome(outcome: RecordedOutcome): string {
  return JSON.stringify(outcome)
}

/**
 * Reads an outcome back. Throws when it is not what `writeOutcome` writes: a store is outside this process, and what
 * was damaged or put there by another program must not become an answer.
 */
export function readOutcome(text: unknown): RecordedOutcome {
  const stored = typeof text === 'string' ? parse(text) : undefined
  const outcome = isObject(stored) ? (readDone(stored) ?? readRefused(stored)) : undefined
  if (!outcome) throw new Error('the stored outcome is unreadable')
  return outcome
}

function readDone({ kind, messageId, body }: JsonObject): RecordedOutcome | undefined {
  if (kind !== 'done' || !isOptional(messageId, isMessageId)) return undefined
  if (body === undefined) return { kind, ...(messageId !== undefined && { messageId }) }
  if (messageId === undefined || typeof body !== 'string' || !isReplyOf(messageId, body)) return undefined
  return { kind, messageId, body }
}

function readRefused({ kind, code, detail, errors }: JsonObject): RecordedOutcome | undefined {
  if (kind !== 'refused' || !isRefusal(code) || typeof detail !== 'string') return undefined
  if (!isOptional(errors, isViolations)) return undefined
  return { kind, code, detail, ...(errors && { errors }) }
}

function isOptional<T>(value: unknown, is: (value: unknown) => value is T): value is T | undefined {
  return value === undefined || is(value)
}

function isMessageId(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value)
}

/** A body is JSON with a message, or with several when there were several receivers, and the first has this id. */
function isReplyOf(messageId: string, body: string): boolean {
  const envelope = parse(body)
  const data = isObject(envelope) ? envelope['data'] : undefined
  const message: unknown = Array.isArray(data) ? data[0] : data
  if (!isObject(message)) return false
  const { id } = message
  // Ids with more digits than a number holds are compared by CometChat alone.
  return typeof id === 'number' && !Number.isSafeInteger(id) ? true : String(id) === messageId
}

/** Only what the table says was not sent is ever kept as a refusal. */
function isRefusal(code: unknown): code is ProblemCode {
  return (
    typeof code === 'string' && Object.hasOwn(PROBLEMS, code) && PROBLEMS[code as ProblemCode].delivery === 'not-sent'
  )
}

function isViolations(value: unknown): value is readonly Violation[] {
  const isText = (text: unknown): boolean => typeof text === 'string'
  return (
    Array.isArray(value) &&
    value.every(item => isObject(item) && isText(item['pointer']) && isText(item['code']) && isText(item['detail']))
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
