import type { Clock } from '../clock.ts'
import type { Secret } from '../secret.ts'
import { loggableCode, type Refusal, refusalOf } from './cometchat-errors.ts'
import type { Connections } from './connections.ts'
import type { Outcome, UpstreamAnswer, UpstreamRequest } from './exchange.ts'
import { isObject, parseJson } from './json.ts'
import type { Keyring } from './keyring.ts'
import { parseRetryAfter, resetInMs } from './retry-after.ts'

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
  /** When its limit starts anew, in milliseconds from now: told to the caller, but no invitation to call again. */
  readonly resetsInMs?: number
  /** True when the answer was a refusal that more time might have lifted. */
  readonly outOfTime?: boolean
}

interface Again {
  readonly waitMs: number
  readonly key?: Secret
  /** Only the time is waited for: the answer would be the same. */
  readonly believe?: boolean
}

type Step = Again | 'out-of-time' | undefined

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
  const { keyring, clock } = options
  const policy = new AttemptPolicy(options, budget, safe)
  for (let key = keyring.current(); ; ) {
    const result = await attempt(options, build(key), budget)
    if (isAccepted(result)) keyring.accepted(key)
    const step = policy.next(result, key)
    if (step === undefined) return result
    if (step === 'out-of-time') return { ...result, outOfTime: true }
    if (step.waitMs > 0) await clock.sleep(step.waitMs)
    if (step.believe) return result
    key = step.key ?? key
  }
}

async function attempt(
  { connections, clock }: AttemptsOptions,
  request: UpstreamRequest,
  { deadlineAtMs, mayStart, onAttempt }: Budget
): Promise<CallResult> {
  const startedAtMs = clock.monotonic()
  const limits = { timeoutMs: deadlineAtMs - startedAtMs, ...(mayStart && { mayStart }) }
  const result = describe(await connections.exchange(request, limits), clock.now())
  onAttempt?.({ durationMs: clock.monotonic() - startedAtMs, ...logged(result) })
  return result
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

  next(result: CallResult, key: Secret): Step {
    const { outcome, refusal } = result
    if (outcome.kind === 'failure') return this.#afterFailure(outcome.sent, outcome.cause)
    if (refusal?.kind === 'our-key') return this.#withOtherKey(key)
    if (refusal?.kind === 'rate-limited') return this.#afterLimit(result.retryAfterMs)
    if (refusal?.kind === 'no-access') return this.#untilSettled()
    if (refusal?.kind === 'refused' && refusal.code === 'thread-not-found') return this.#asLateAsHidden()
    return undefined
  }

  #afterFailure(sent: boolean, cause: string): Step {
    const repeatable = sent ? this.#safe && cause === 'reset' : cause === 'unreachable'
    if (!repeatable || this.#resends >= MAX_RESENDS) return undefined
    this.#resends++
    const waitMs = 50 + this.#options.random() * 200
    return this.#leftMs() > waitMs + MIN_ATTEMPT_MS ? { waitMs } : undefined
  }

  #withOtherKey(key: Secret): Step {
    this.#triedKeys.add(key)
    const other = this.#options.keyring.untried(this.#triedKeys)
    if (other) return this.#leftMs() > MIN_ATTEMPT_MS ? { waitMs: 0, key: other } : 'out-of-time'
    this.#options.keyring.refused()
    return undefined
  }

  #afterLimit(retryAfterMs: number | undefined): Step {
    if (this.#waitedForLimit || retryAfterMs === undefined) return undefined
    this.#waitedForLimit = true
    return this.#leftMs() > retryAfterMs + MIN_ATTEMPT_MS ? { waitMs: retryAfterMs } : undefined
  }

  #untilSettled(): Step {
    const restMs = this.#settlesInMs()
    if (restMs <= 0) return undefined
    const step = SETTLE_STEPS_MS[Math.min(this.#settleTries++, SETTLE_STEPS_MS.length - 1)] ?? 0
    // The last try before the deadline still leaves as much time again for its answer.
    const waitMs = Math.min(step, restMs, this.#leftMs() / 2)
    return waitMs > MIN_ATTEMPT_MS || waitMs === restMs ? { waitMs } : 'out-of-time'
  }

  /** A thread that does not exist is told as late as one that is hidden: otherwise the time would tell them apart. */
  #asLateAsHidden(): Step {
    const restMs = this.#settlesInMs()
    if (restMs <= 0) return undefined
    return this.#leftMs() > restMs ? { waitMs: restMs, believe: true } : 'out-of-time'
  }

  #settlesInMs(): number {
    const { clock, settleMs } = this.#options
    this.#settleEndsAtMs ??= clock.monotonic() + settleMs
    return this.#settleEndsAtMs - clock.monotonic()
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
  const refusal = readRefusal(outcome)
  const retryAfterMs = parseRetryAfter(outcome.headers['retry-after'], nowMs)
  const resetsInMs = resetInMs(outcome.headers, nowMs)
  return {
    outcome,
    ...(refusal && { refusal }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(resetsInMs !== undefined && { resetsInMs })
  }
}

function readRefusal(answer: UpstreamAnswer): Refusal | undefined {
  if (answer.status === 429) return { kind: 'rate-limited' }
  const code = errorCodeOf(answer)
  return code === undefined ? undefined : refusalOf(code)
}

/** Whether this answer shows that CometChat took the key: a server error shows nothing. */
function isAccepted({ outcome, refusal }: CallResult): boolean {
  if (outcome.kind === 'failure' || outcome.status >= 500) return false
  return outcome.status < 300 || (refusal !== undefined && refusal.kind !== 'our-key')
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
