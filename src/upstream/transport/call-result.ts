import type { Clock } from '../../lib/clock.ts'
import { isObject, parseJson } from '../../lib/json.ts'
import type { StepEvent } from '../../observability/events.ts'
import { type CometChatRefusal, loggableCode, refusalOf } from '../errors/cometchat-errors.ts'
import type { Attempt } from '../types.ts'
import type { CallRequest, ExchangeResult, UpstreamAnswer } from './exchange-types.ts'
import { parseRetryAfter, resetInMs } from './retry-after.ts'

/** What came of a call after every attempt that was provably safe. */
export interface CallResult {
  readonly outcome: ExchangeResult
  /** What CometChat's error code means; absent for a 2xx and for anything without an error envelope. */
  readonly refusal?: CometChatRefusal
  /** The wait CometChat asked for, in milliseconds. */
  readonly retryAfterMs?: number
  /** When its limit starts anew, in milliseconds from now: told to the caller, but no invitation to call again. */
  readonly resetsInMs?: number
  /** True when the answer was a refusal that more time might have lifted. */
  readonly outOfTime?: boolean
}

/** Reads what an outcome says about the call; of an error envelope only its code. */
export function interpret(
  outcome: ExchangeResult,
  clock: Clock,
  { refusalOf: ownRefusalOf }: Pick<CallRequest, 'refusalOf'> = {}
): CallResult {
  // Behind a 5xx or a 408 the reply may exist, whatever code the envelope names: that is no refusal to act on.
  if (outcome.kind === 'failure' || outcome.status < 400 || outcome.status >= 500 || outcome.status === 408) {
    return { outcome }
  }
  const nowMs = clock.now()
  const refusal = readRefusal(outcome, ownRefusalOf)
  const retryAfterMs = parseRetryAfter(outcome.headers['retry-after'], nowMs)
  const resetsInMs = resetInMs(outcome.headers, nowMs)
  return {
    outcome,
    ...(refusal && { refusal }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(resetsInMs !== undefined && { resetsInMs })
  }
}

function readRefusal(answer: UpstreamAnswer, ownRefusalOf: CallRequest['refusalOf']): CometChatRefusal | undefined {
  if (answer.status === 429) return { kind: 'rate-limited' }
  const code = errorCodeOf(answer)
  return code === undefined ? undefined : (ownRefusalOf?.(code, answer.status) ?? refusalOf(code))
}

/** Whether this answer shows that CometChat took the key: a server error shows nothing. */
export function isAccepted({ outcome, refusal }: CallResult): boolean {
  if (outcome.kind === 'failure' || outcome.status >= 500) return false
  // An app that is refused says nothing about the key either.
  return outcome.status < 300 || (refusal !== undefined && refusal.kind !== 'our-key' && refusal.kind !== 'app')
}

/** What the log may say of an outcome: a status, and a code of a closed vocabulary. */
export function toAttempt({ outcome }: CallResult, made: Omit<Attempt, 'status' | 'code'>): Attempt {
  if (outcome.kind === 'failure') return { ...made, code: outcome.errorCode }
  const { status } = outcome
  const code = status >= 400 ? errorCodeOf(outcome) : undefined
  return code === undefined ? { ...made, status } : { ...made, status, code: loggableCode(code) }
}

type AttemptEvent = Extract<StepEvent, { readonly name: 'upstream-attempt' }>

/** The same for those who count the calls of all requests. */
export function toAttemptEvent({ outcome }: CallResult, made: Attempt): AttemptEvent {
  const { call, askedAtMs, begunAtMs, endedAtMs } = made
  return {
    name: 'upstream-attempt',
    call,
    queueMs: (begunAtMs ?? endedAtMs) - askedAtMs,
    durationMs: begunAtMs === undefined ? undefined : endedAtMs - begunAtMs,
    ...(outcome.kind === 'failure' ? { cause: outcome.cause } : { status: outcome.status })
  }
}

/** `error.code` of CometChat's envelope, and nothing else of it: its text has been seen to hold the API key. */
function errorCodeOf(answer: UpstreamAnswer): string | undefined {
  const envelope = parseJson(answer.body)
  const error = isObject(envelope) ? envelope['error'] : undefined
  const code = isObject(error) ? error['code'] : undefined
  return typeof code === 'string' ? code : undefined
}
