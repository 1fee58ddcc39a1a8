import { AppError, type DeliveryState, type ProblemCode } from '../errors.ts'
import type { ClaimResult, Outcome } from './record.ts'

/** Refusals that the same request would meet again: kept, so that a retry costs CometChat nothing. */
const DETERMINISTIC: ReadonlySet<ProblemCode> = new Set([
  'thread-not-found',
  'thread-mismatch',
  'rejected-by-cometchat'
])

export function isSettled(result: ClaimResult | Outcome | 'absent' | 'unclear' | undefined): result is Outcome {
  return typeof result === 'object' && (result.kind === 'done' || result.kind === 'refused')
}

/** What a failure settles about a reply; undefined when it settles nothing. */
export function outcomeOf(error: unknown): Outcome | undefined {
  if (!(error instanceof AppError)) return undefined
  const { messageId, errors } = error.options
  if (error.delivery === 'sent') return { kind: 'done', ...(messageId !== undefined && { messageId }) }
  if (!DETERMINISTIC.has(error.code)) return undefined
  return { kind: 'refused', code: error.code, detail: error.message, ...(errors && { errors }) }
}

/** The reply that a record remembers; throws the refusal where it remembers one. */
export function replay(outcome: Outcome): { messageId: string; body: string } {
  if (outcome.kind === 'refused') {
    throw new AppError(outcome.code, outcome.detail, outcome.errors ? { errors: outcome.errors } : {})
  }
  const { messageId, body } = outcome
  if (messageId !== undefined && body !== undefined) return { messageId, body }
  throw new AppError(
    'upstream-contract',
    'The reply was sent, but CometChat described it in a way that breaks its schema.',
    messageId === undefined ? {} : { messageId }
  )
}

/** Told as long as nobody can know; never earlier than a second from now, so that a retry finds something new. */
export function stillUnknown(waitMs: number): AppError {
  return new AppError('idempotency-in-flight', 'What became of the first attempt is not known yet.', {
    retryAfterMs: Math.max(1000, waitMs)
  })
}

export function storeUnavailable(delivery: DeliveryState): AppError {
  return new AppError('store-unavailable', 'The delivery records cannot be reached.', { delivery, retryAfterMs: 1000 })
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
