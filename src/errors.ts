import type { Reason } from './lib/refusals/reasons.ts'

/** What is known about the reply when an answer leaves: it exists, it does not, or this service cannot tell yet. */
export type DeliveryState = 'sent' | 'not-sent' | 'unknown'

/** `with-key`: sending the same request again is safe only under the same Idempotency-Key. */
type Retryable = 'no' | 'yes' | 'with-key'

interface ProblemType {
  readonly status: number
  readonly delivery: DeliveryState
  readonly retryable: Retryable
  readonly title: string
}

/**
 * Every refusal a caller can meet, and the whole of it: docs/problems.md explains each, and a code that is not
 * here cannot be thrown.
 */
export const PROBLEMS = {
  'malformed-request': problem(400, 'not-sent', 'no', 'The request cannot be read'),
  'reserved-name': problem(400, 'not-sent', 'no', 'The request names something only this service may set'),
  'ambiguous-credentials': problem(400, 'not-sent', 'no', 'The request carries more than one credential'),
  'idempotency-key-invalid': problem(400, 'not-sent', 'no', 'The Idempotency-Key is not valid'),
  'idempotency-key-required': problem(400, 'not-sent', 'no', 'An Idempotency-Key is required'),
  unauthenticated: problem(401, 'not-sent', 'no', 'Sign in first'),
  forbidden: problem(403, 'not-sent', 'no', 'The credential does not allow this'),
  csrf: problem(403, 'not-sent', 'no', 'The call does not prove where it comes from'),
  'identity-unmappable': problem(403, 'not-sent', 'no', 'The user has no valid CometChat UID'),
  'not-yours': problem(403, 'not-sent', 'no', "The reply is somebody else's"),
  'not-found': problem(404, 'not-sent', 'no', 'There is nothing at this address'),
  'thread-not-found': problem(404, 'not-sent', 'no', 'No such thread for this user'),
  'method-not-allowed': problem(405, 'not-sent', 'no', 'The method is not allowed here'),
  'request-timeout': problem(408, 'not-sent', 'yes', 'The request took too long to arrive'),
  'thread-mismatch': problem(409, 'not-sent', 'no', 'The reply does not belong to this thread'),
  'idempotency-in-flight': problem(409, 'unknown', 'yes', 'The same key is being processed'),
  'payload-too-large': problem(413, 'not-sent', 'no', 'The body is too large'),
  'unsupported-media-type': problem(415, 'not-sent', 'no', 'Send application/json'),
  'invalid-request': problem(422, 'not-sent', 'no', 'The request is not valid'),
  'idempotency-key-reused': problem(422, 'not-sent', 'no', 'The Idempotency-Key belongs to another request'),
  'rejected-by-cometchat': problem(422, 'not-sent', 'no', 'CometChat refused the reply'),
  'rate-limited': problem(429, 'not-sent', 'yes', 'Too many requests'),
  'headers-too-large': problem(431, 'not-sent', 'no', 'The request headers are too large'),
  'client-closed': problem(499, 'not-sent', 'yes', 'The client went away before anything was sent'),
  internal: problem(500, 'not-sent', 'no', 'Something broke in this service'),
  'upstream-credentials': problem(502, 'not-sent', 'no', 'CometChat refused the key of this service'),
  'upstream-misconfigured': problem(502, 'not-sent', 'no', 'CometChat refuses the app of this service'),
  'upstream-reset': problem(502, 'unknown', 'with-key', 'The connection to CometChat was lost after sending'),
  'upstream-error': problem(502, 'unknown', 'with-key', 'CometChat failed'),
  'upstream-invalid': problem(502, 'unknown', 'with-key', 'CometChat gave an answer that cannot be read'),
  'upstream-mismatch': problem(502, 'unknown', 'with-key', 'CometChat answered another request'),
  'upstream-contract': problem(502, 'sent', 'no', 'The reply was sent; CometChat described it wrongly'),
  'upstream-unreachable': problem(503, 'not-sent', 'yes', 'CometChat cannot be reached'),
  overloaded: problem(503, 'not-sent', 'yes', 'Too much to do at the moment'),
  draining: problem(503, 'not-sent', 'yes', 'This instance is shutting down'),
  'store-unavailable': problem(503, 'not-sent', 'yes', 'The store cannot be reached'),
  'store-recovering': problem(503, 'unknown', 'yes', 'The store may have lost records'),
  'identity-provider-unavailable': problem(503, 'not-sent', 'yes', 'The identity provider cannot be reached'),
  'deadline-exceeded': problem(504, 'not-sent', 'yes', 'There was not enough time')
} as const satisfies Record<string, ProblemType>

export type ProblemCode = keyof typeof PROBLEMS

/** The limits that a request can meet, as `violated-policies`, the log and `/readyz?verbose` name them: docs/limits.md. */
export type LimitPolicy =
  | 'address'
  | 'user'
  | 'service'
  | 'app'
  | 'upstream-queue'
  | 'upstream-time'
  | 'upstream-throttle'
  | 'upstream-breaker'
  | 'event-loop'

/** One thing that is wrong with the request; `pointer` is an RFC 6901 JSON pointer, never a value. */
export interface Violation {
  readonly pointer: string
  readonly code: string
  readonly detail: string
}

export interface AppErrorOptions {
  /** When it is known better than the table knows it. */
  readonly delivery?: DeliveryState
  readonly retryAfterMs?: number
  readonly errors?: readonly Violation[]
  /** The message that exists although the call failed. */
  readonly messageId?: string
  /** The limits that refused it. */
  readonly violatedPolicies?: readonly LimitPolicy[]
  /** `WWW-Authenticate` (RFC 9110 §11.6.1). */
  readonly challenge?: string
  /** The same request may be made again although it may have been carried out: it comes to the same. */
  readonly isRepeatable?: boolean
  /** For the log line only, never upstream text. */
  readonly reason?: Reason
}

/** Codes with a single cause, or with none that is told apart: in the log they are their own reason. */
export type PlainCode =
  | 'idempotency-key-invalid'
  | 'idempotency-key-required'
  | 'idempotency-key-reused'
  | 'not-found'
  | 'thread-not-found'
  | 'not-yours'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'payload-too-large'
  | 'headers-too-large'
  | 'rejected-by-cometchat'
  | 'client-closed'
  | 'internal'
  | 'upstream-credentials'
  | 'upstream-misconfigured'
  | 'upstream-reset'
  | 'upstream-mismatch'
  | 'upstream-contract'
  | 'draining'
  | 'store-recovering'

/** A refusal; `message` is public by construction, so it never holds a value, a host name or upstream text. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ProblemCode
  readonly options: AppErrorOptions

  constructor(code: PlainCode, publicDetail: string, options?: AppErrorOptions)
  constructor(code: ProblemCode, publicDetail: string, options: AppErrorOptions & { readonly reason: Reason })
  constructor(code: ProblemCode, publicDetail: string, options: AppErrorOptions = {}) {
    // A refusal is no bug: the trace of its stack is 90 % of what it costs (11 µs of 12), and nothing reads it.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(publicDetail)
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.options = options
  }

  /** Why, in one word, for the log. */
  get reason(): Reason | ProblemCode {
    return this.options.reason ?? this.code
  }

  get delivery(): DeliveryState {
    return this.options.delivery ?? PROBLEMS[this.code].delivery
  }

  /**
   * Whether the same request may be sent again as it is.
   * An unknown outcome makes that safe only where an Idempotency-Key lets this service look before it sends.
   */
  isRetryable(hasIdempotencyKey: boolean): boolean {
    const { retryable, delivery } = PROBLEMS[this.code]
    if (this.delivery === 'sent') return false
    if (this.delivery === 'unknown')
      return retryable !== 'no' && (hasIdempotencyKey || this.options.isRepeatable === true)
    return retryable === 'yes' || (retryable === 'with-key' && delivery !== this.delivery)
  }

  /** The same refusal of a request that comes to the same however often it is made. */
  asRepeatable(): AppError {
    // Where the code needs a reason, the options have one.
    const error = new AppError(this.code as PlainCode, this.message, { ...this.options, isRepeatable: true })
    error.cause = this.cause
    return error
  }
}

function problem(status: number, delivery: DeliveryState, retryable: Retryable, title: string): ProblemType {
  return { status, delivery, retryable, title }
}
