import { type DeliveryState, PROBLEMS, type ProblemCode, type Whose } from './lib/refusals/problems.ts'
import type { Reason } from './lib/refusals/reasons.ts'
import type { Violation } from './lib/refusals/violations.ts'

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

export interface AppErrorOptions {
  /** When it is known better than the table knows it. */
  readonly delivery?: DeliveryState
  readonly retryAfterMs?: number
  readonly errors?: readonly Violation[]
  /** The message that exists although the call failed. */
  readonly messageId?: string
  /** When it is known better than the table knows it. */
  readonly whose?: Whose
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
