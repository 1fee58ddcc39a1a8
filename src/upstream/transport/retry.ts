import type { Clock } from '../../lib/clock.ts'
import type { Secret } from '../../lib/secret.ts'
import type { Emit } from '../../observability/events.ts'
import type { Keyring } from '../keyring.ts'
import type { Deadline } from '../types.ts'
import { type CallResult, interpret, isAccepted, toAttempt, toAttemptEvent } from './call-result.ts'
import type { CallRequest } from './exchange-types.ts'
import type { Connections } from './pool.ts'

export interface RetryOptions {
  readonly connections: Connections
  readonly keyring: Keyring
  readonly clock: Clock
  /** How long CometChat's "no access" may still mean "not settled yet", in milliseconds. */
  readonly settleMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Told of the result of every exchange. */
  readonly onResult?: (result: CallResult) => void
  readonly emit: Emit
}

/** Undefined where the result stands as it is; `out-of-time` where more time might have changed it. */
type RetryDecision =
  | { readonly waitMs: number; readonly key?: Secret; readonly final?: false }
  /** The result stands, but is told only after this time. */
  | { readonly waitMs: number; readonly final: true }
  | 'out-of-time'
  | undefined

const MAX_RESENDS = 2
const SETTLE_STEPS_MS = [400, 600, 1000]
const MIN_ATTEMPT_MS = 20

/**
 * Makes a call, and makes it again only where that cannot double anything: the first one provably never left, or
 * CometChat said that it refused it (RFC 9110 §9.2.2). `safe` calls, which only read, may also be repeated after
 * a lost connection.
 */
export async function requestWithRetries(
  options: RetryOptions,
  build: (key: Secret) => CallRequest,
  deadline: Deadline,
  safe: boolean
): Promise<CallResult> {
  const { keyring, clock } = options
  const policy = new RetryPolicy(options, deadline, safe)
  for (let key = keyring.current(), resends = 0; ; resends++) {
    const result = await attempt(options, build(key), { deadline, key, resends })
    options.onResult?.(result)
    if (isAccepted(result)) keyring.accepted(key)
    const decision = policy.next(result, key)
    if (decision === undefined) return result
    if (decision === 'out-of-time') return { ...result, outOfTime: true }
    if (decision.waitMs > 0) await clock.sleep(decision.waitMs)
    if (decision.final) return result
    key = decision.key ?? key
  }
}

interface AttemptMade {
  readonly deadline: Deadline
  readonly key: Secret
  readonly resends: number
}

/** One exchange, timed, and told of to those who want to know. */
async function attempt(
  { connections, clock, emit }: RetryOptions,
  request: CallRequest,
  { deadline, key, resends }: AttemptMade
): Promise<CallResult> {
  const { call } = request
  const span = deadline.trace?.beginAttempt(call, resends)
  const askedAtMs = clock.monotonic()
  let begunAtMs: number | undefined
  const onTurn = (turnAtMs: number): void => {
    begunAtMs = turnAtMs
  }
  const limits = { timeoutMs: deadline.atMs - askedAtMs, shouldSend: deadline.shouldSend, onTurn }
  const outcome = await connections.exchange(span ? traced(request, span.traceparent) : request, limits)
  const result = interpret(outcome, clock, request)
  const endedAtMs = clock.monotonic()
  const made = toAttempt(result, { call, askedAtMs, begunAtMs, endedAtMs, keyFingerprint: key.fingerprint })
  const event = toAttemptEvent(result, made)
  deadline.onAttempt?.(made)
  emit(event)
  span?.end(event, endedAtMs)
  return result
}

function traced(request: CallRequest, traceparent: string): CallRequest {
  return { ...request, headers: [...request.headers, 'traceparent', traceparent] }
}

/** Counts what was tried and decides whether once more is allowed. */
export class RetryPolicy {
  readonly #options: RetryOptions
  readonly #deadline: Deadline
  readonly #safe: boolean
  #triedKeys: readonly Secret[] = []
  #resends = 0
  #waitedForLimit = false
  #settleEndsAtMs: number | undefined
  #settleTries = 0

  constructor(options: RetryOptions, deadline: Deadline, safe: boolean) {
    this.#options = options
    this.#deadline = deadline
    this.#safe = safe
  }

  next(result: CallResult, key: Secret): RetryDecision {
    const { outcome, refusal } = result
    if (outcome.kind === 'failure') {
      // A limit of ours says when to come back: that is for the caller to do.
      return outcome.limit ? undefined : this.#afterFailure(outcome.sent, outcome.cause)
    }
    if (refusal?.kind === 'our-key') return this.#withOtherKey(key)
    if (refusal?.kind === 'rate-limited') return this.#afterLimit(result.retryAfterMs)
    if (refusal?.kind === 'no-access') return this.#untilSettled()
    if (refusal?.kind === 'refused' && refusal.code === 'thread-not-found') return this.#asLateAsHidden()
    return undefined
  }

  #afterFailure(sent: boolean, cause: string): RetryDecision {
    const repeatable = sent ? this.#safe && cause === 'reset' : cause === 'unreachable'
    if (!repeatable || this.#resends >= MAX_RESENDS) return undefined
    this.#resends++
    const waitMs = 50 + this.#options.random() * 200
    return this.#leftMs() > waitMs + MIN_ATTEMPT_MS ? { waitMs } : undefined
  }

  #withOtherKey(key: Secret): RetryDecision {
    this.#triedKeys = [...this.#triedKeys, key]
    const other = this.#options.keyring.untried(this.#triedKeys)
    if (other) return this.#leftMs() > MIN_ATTEMPT_MS ? { waitMs: 0, key: other } : 'out-of-time'
    this.#options.keyring.refused()
    return undefined
  }

  #afterLimit(retryAfterMs: number | undefined): RetryDecision {
    if (this.#waitedForLimit || retryAfterMs === undefined) return undefined
    this.#waitedForLimit = true
    return this.#leftMs() > retryAfterMs + MIN_ATTEMPT_MS ? { waitMs: retryAfterMs } : undefined
  }

  #untilSettled(): RetryDecision {
    const restMs = this.#settlesInMs()
    if (restMs <= 0) return undefined
    const step = SETTLE_STEPS_MS[Math.min(this.#settleTries++, SETTLE_STEPS_MS.length - 1)] ?? 0
    // The last try before the deadline still leaves as much time again for its answer.
    const waitMs = Math.min(step, restMs, this.#leftMs() / 2)
    return waitMs > MIN_ATTEMPT_MS || waitMs === restMs ? { waitMs } : 'out-of-time'
  }

  /** A thread that does not exist is told as late as one that is hidden: otherwise the time would tell them apart. */
  #asLateAsHidden(): RetryDecision {
    const restMs = this.#settlesInMs()
    if (restMs <= 0) return undefined
    const leftMs = this.#leftMs() - MIN_ATTEMPT_MS
    if (leftMs < restMs && this.#deadline.isShortened) return 'out-of-time'
    return { waitMs: Math.max(0, Math.min(restMs, leftMs)), final: true }
  }

  #settlesInMs(): number {
    const { clock, settleMs } = this.#options
    this.#settleEndsAtMs ??= clock.monotonic() + settleMs
    return this.#settleEndsAtMs - clock.monotonic()
  }

  #leftMs(): number {
    return this.#deadline.atMs - this.#options.clock.monotonic()
  }
}
