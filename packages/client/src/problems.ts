// Every refusal of the service, and what this client adds where the service said nothing. Types only.

/** The codes of docs/problems.md. */
export type ServiceCode =
  | 'malformed-request'
  | 'reserved-name'
  | 'ambiguous-credentials'
  | 'idempotency-key-invalid'
  | 'idempotency-key-required'
  | 'unauthenticated'
  | 'forbidden'
  | 'csrf'
  | 'identity-unmappable'
  | 'not-yours'
  | 'not-found'
  | 'thread-not-found'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'thread-mismatch'
  | 'idempotency-in-flight'
  | 'payload-too-large'
  | 'unsupported-media-type'
  | 'invalid-request'
  | 'idempotency-key-reused'
  | 'rejected-by-cometchat'
  | 'rate-limited'
  | 'headers-too-large'
  | 'client-closed'
  | 'internal'
  | 'upstream-credentials'
  | 'upstream-misconfigured'
  | 'upstream-reset'
  | 'upstream-error'
  | 'upstream-invalid'
  | 'upstream-mismatch'
  | 'upstream-contract'
  | 'upstream-unreachable'
  | 'overloaded'
  | 'draining'
  | 'store-unavailable'
  | 'store-recovering'
  | 'identity-provider-unavailable'
  | 'deadline-exceeded'

/**
 * `no-answer`: the network gave none in time. `not-ours`: something between answered, not the service. `no-token`: the
 * app could not give one. `not-stored`: the device could not keep the reply. `too-old`: its key is too old to be sent
 * again by itself. `other-account`: somebody else signed in.
 */
export type ClientCode = 'no-answer' | 'not-ours' | 'no-token' | 'not-stored' | 'too-old' | 'other-account'

export interface Violation {
  /** RFC 6901, into the body. */
  readonly pointer: string
  readonly code: string
  readonly detail: string
  readonly limit?: number
  readonly actual?: number
}

/** RFC 9457 with the members of the service. */
export interface ProblemOf<Code extends string> {
  readonly code: Code
  /** Of the answer; 0 where there was none. */
  readonly status: number
  readonly delivery: 'sent' | 'not-sent' | 'unknown'
  readonly retryable: boolean
  readonly whose?: 'user' | 'developer' | 'operator'
  readonly title?: string
  readonly detail?: string
  /** Names the line in the log of the service. */
  readonly instance?: string
  readonly retryAfterMs?: number
  readonly messageId?: string
  readonly errors?: readonly Violation[]
  readonly 'violated-policies'?: readonly string[]
}

/** By `code`. A newer service may say others: then `delivery` and `retryable` say what is known. */
export type Problem = { readonly [Code in ServiceCode | ClientCode]: ProblemOf<Code> }[ServiceCode | ClientCode]
