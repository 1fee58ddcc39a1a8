import type { Clock } from '../clock.ts'
import type { Secret } from '../secret.ts'
import { loggableCode, type Refusal, refusalOf } from './cometchat-errors.ts'
import type { Connections } from './connections.ts'
import type { Outcome, UpstreamAnswer, UpstreamRequest } from './exchange.ts'
import { isObject, parseJson } from './json.ts'
import type { Keyring } from './keyring.ts'
import { parseRetryAfter } from './retry-after.ts'

/** How long a call may take, and what it tells about itself; shared by all calls of one request. */
export interface Budget {
  /** Absolute end on the monotonic clock, in milliseconds. */
  readonly deadlineAtMs: number
  /** False when nobody waits for the answer any more; asked before a byte is written. */
  readonly mayStart?: () => boolean
  readonly onAttempt?: (attempt: Attempt) => void
}

/** One exchange, for the log line. */
export interface Attempt {
  readonly durationMs: number
  readonly status?: number
  /** CometChat's error code when it is a known one, or undici's. */
  readonly code?: string
}

export interface AttemptsOptions {
  readonly connections: Connections
  readonly keyring: Keyring
  readonly clock: Clock
  /** How long CometChat's "no access" may still mean "not settled yet", in milliseconds. */
  readonly settleMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** What came of a call after every attempt that was provably safe. */
export interface CallResult {
  readonly outcome: Outcome
  /** What CometChat's error code means; absent for a 2xx and for anything without an error envelope. */
  readonly refusal?: Refusal
  /** The wait CometChat asked for, in milliseconds. */
  readonly retryAfterMs?: number
  /** True when the answer was a refusal that more time might have lifted. */
  readonly outOfTime?: boolean
}

type Again = { readonly waitMs: number; readonly key?: Secret } | 'out-of-time' | undefined

const MAX_RESENDS = 2
const SETTLE_STEPS_MS = [400, 600, 1000]
const MIN_ATTEMPT_MS = 20

/**
 * Makes a call, and makes it again only where that cannot double anything: the first one provably never left, or
 * CometChat said that it refused it (RFC 9110 §9.2.2). `safe` calls, which only read, may also be repeated after
 * a lost connection.
 */
export async function callWithAttempts(
  options: AttemptsOptions,
  build: (key: Secret) => UpstreamRequest,
  budget: Budget,
  safe: boolean
): Promise<CallResult> {
  const { connections, keyring, clock } = options
  const policy = new AttemptPolicy(options, budget, safe)
  for (let key = keyring.current(); ; ) {
    const startedAtMs = clock.monotonic()
    const outcome = await connections.exchange(build(key), {
      timeoutMs: budget.deadlineAtMs - startedAtMs,
      ...(budget.mayStart && { mayStart: budget.mayStart })
    })
    const result = describe(outcome, clock.now())
    budget.onAttempt?.({ durationMs: clock.monotonic() - startedAtMs, ...logged(result) })
    if (outcome.kind === 'answer' && result.refusal?.kind !== 'our-key') keyring.accepted(key)
    const again = policy.next(result, key)
    if (again === undefined) return result
    if (again === 'out-of-time') return { ...result, outOfTime: true }
    if (again.waitMs > 0) await clock.sleep(again.waitMs)
    key = again.key ?? key
  }
}

/** Counts what was tried and decides whether once more is allowed. */
class AttemptPolicy {
  readonly #options: AttemptsOptions
  readonly #budget: Budget
  readonly #safe: boolean
  readonly #triedKeys = new Set<Secret>()
  #resends = 0
  #waitedForLimit = false
  #settleEndsAtMs: number | undefined
  #settleTries = 0

  constructor(options: AttemptsOptions, budget: Budget, safe: boolean) {
    this.#options = options
    this.#budget = budget
    this.#safe = safe
  }

  next(result: CallResult, key: Secret): Again {
    const { outcome, refusal } = result
    if (outcome.kind === 'failure') return this.#afterFailure(outcome.sent, outcome.cause)
    if (refusal?.kind === 'our-key') return this.#withOtherKey(key)
    if (refusal?.kind === 'rate-limited') return this.#afterLimit(result.retryAfterMs)
    if (refusal?.kind === 'no-access') return this.#untilSettled()
    return undefined
  }

  #afterFailure(sent: boolean, cause: string): Again {
    const repeatable = sent ? this.#safe && cause === 'reset' : cause === 'unreachable'
    if (!repeatable || this.#resends >= MAX_RESENDS) return undefined
    this.#resends++
    const waitMs = 50 + this.#options.random() * 200
    return this.#leftMs() > waitMs + MIN_ATTEMPT_MS ? { waitMs } : undefined
  }

  #withOtherKey(key: Secret): Again {
    this.#triedKeys.add(key)
    const other = this.#options.keyring.untried(this.#triedKeys)
    if (other) return this.#leftMs() > MIN_ATTEMPT_MS ? { waitMs: 0, key: other } : 'out-of-time'
    this.#options.keyring.refused()
    return undefined
  }

  #afterLimit(retryAfterMs: number | undefined): Again {
    if (this.#waitedForLimit || retryAfterMs === undefined) return undefined
    this.#waitedForLimit = true
    return this.#leftMs() > retryAfterMs + MIN_ATTEMPT_MS ? { waitMs: retryAfterMs } : undefined
  }

  #untilSettled(): Again {
    const { clock, settleMs } = this.#options
    const nowMs = clock.monotonic()
    this.#settleEndsAtMs ??= nowMs + settleMs
    const step = SETTLE_STEPS_MS[Math.min(this.#settleTries++, SETTLE_STEPS_MS.length - 1)] ?? 0
    const waitMs = Math.min(step, this.#settleEndsAtMs - nowMs)
    if (waitMs <= 0) return undefined
    return this.#leftMs() > waitMs + MIN_ATTEMPT_MS ? { waitMs } : 'out-of-time'
  }

  #leftMs(): number {
    return this.#budget.deadlineAtMs - this.#options.clock.monotonic()
  }
}

function describe(outcome: Outcome, nowMs: number): CallResult {
  // Behind a 5xx or a 408 the reply may exist, whatever code the envelope names: that is no refusal to act on.
  if (outcome.kind === 'failure' || outcome.status < 400 || outcome.status >= 500 || outcome.status === 408) {
    return { outcome }
  }
  const code = errorCodeOf(outcome)
  const limited = outcome.status === 429
  const refusal: Refusal | undefined = limited
    ? { kind: 'rate-limited' }
    : code === undefined
      ? undefined
      : refusalOf(code)
  const retryAfterMs = parseRetryAfter(outcome.headers['retry-after'], nowMs)
  return { outcome, ...(refusal && { refusal }), ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

function logged({ outcome }: CallResult): Omit<Attempt, 'durationMs'> {
  if (outcome.kind === 'failure') return { code: outcome.errorCode }
  const code = outcome.status >= 400 ? errorCodeOf(outcome) : undefined
  return { status: outcome.status, ...(code !== undefined && { code: loggableCode(code) }) }
}

/** `error.code` of CometChat's envelope, and nothing else of it: its text has been seen to hold the API key. */
function errorCodeOf(answer: UpstreamAnswer): string | undefined {
  const envelope = parseJson(answer.body)
  const error = isObject(envelope) ? envelope['error'] : undefined
  const code = isObject(error) ? error['code'] : undefined
  return typeof code === 'string' ? code : undefined
}
