import type { LimitPolicy } from '../../errors.ts'
import type { UpstreamCall } from '../../observability/events.ts'
import type { CometChatRefusal } from '../errors/cometchat-errors.ts'

/** One HTTP/1.1 request, complete: nothing is added to it on the way. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** Name, value, name, value…: spelled as CometChat documents them, from nothing. */
  readonly headers: readonly string[]
  readonly body?: string
  /** More than this is not read; the answer to one message fits into the default. */
  readonly maxAnswerBytes?: number
  /** The user whose request it serves, also where CometChat is not told: it comes out of their share of the app. */
  readonly chargedTo?: string
  /** A read for the same user that shows whether CometChat answers at all; where this is no read itself. */
  readonly probe?: () => UpstreamRequest
}

/** A request that says which call it is. */
export interface CallRequest extends UpstreamRequest {
  readonly call: UpstreamCall
  readonly chargedTo: string
  /** What a refusal means to this call, where that is not what it means to every other. */
  readonly refusalOf?: (errorCode: string, status: number) => CometChatRefusal | undefined
}

export interface UpstreamAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Why there is no answer; `untrusted` is a TLS failure, which no second attempt can mend. */
export type FailureCause =
  | 'unreachable'
  | 'untrusted'
  | 'overloaded'
  | 'deadline'
  | 'reset'
  | 'unreadable'
  | 'client-closed'

/** The limits of this service on what it asks of CometChat. */
export type UpstreamPolicy = Extract<LimitPolicy, `upstream-${string}`>

export interface UpstreamFailure {
  readonly kind: 'failure'
  readonly cause: FailureCause
  /**
   * Whether a byte of the request may have left this process.
   * Error codes cannot tell (ECONNRESET means both); undici calls onRequestStart in the same turn in which it
   * writes, so this is exact: false proves that nothing was written.
   */
  readonly sent: boolean
  /** undici's or Node's code: a closed vocabulary, fit for a log line. */
  readonly errorCode: string
  /** Set where a limit of this service kept it from being written. */
  readonly limit?: { readonly policy: UpstreamPolicy; readonly retryAfterMs: number }
  /** How the body of an answer began that is too large to be read. */
  readonly beginning?: Buffer
}

export type ExchangeResult = UpstreamAnswer | UpstreamFailure

export interface ExchangeLimits {
  /** Ends the exchange so many milliseconds from now, whatever state it is in. */
  readonly timeoutMs: number
  /** Asked in the turn in which the first byte would be written; false keeps it from being written. */
  readonly shouldSend?: (() => boolean) | undefined
  /** Told on the monotonic clock when its turn comes; never where it is refused before. What follows is CometChat's time. */
  readonly onTurn?: ((atMs: number) => void) | undefined
}

/** Who is told how exchanges go; one for all of them. */
export interface ExchangeObserver {
  /** How much of its time must be left in the turn in which the first byte would be written, in milliseconds. */
  reserveMs(): number
  /** Once for each exchange; the time counts from its first byte, or from its begin where none was written. */
  onOutcome(outcome: ExchangeResult, tookMs: number): void
  /**
   * Once for each, when undici holds nothing of the request any more: later than the outcome, where a deadline ends a
   * request that still waits for a connection.
   */
  onReleased(): void
}
