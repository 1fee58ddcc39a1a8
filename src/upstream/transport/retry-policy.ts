import type { Secret } from '../../lib/secret.ts'
import type { CallResult } from './call-result.ts'
import type { AttemptsOptions, Budget } from './retry.ts'

interface Again {
  readonly waitMs: number
  readonly key?: Secret
  /** Only the time is waited for: the answer would be the same. */
  readonly believe?: boolean
}

export type Step = Again | 'out-of-time' | undefined

const MAX_RESENDS = 2
const SETTLE_STEPS_MS = [400, 600, 1000]
const MIN_ATTEMPT_MS = 20

/** Counts what was tried and decides whether once more is allowed. */
export class AttemptPolicy {
  readonly #options: AttemptsOptions
  readonly #budget: Budget
  readonly #safe: boolean
  #triedKeys: readonly Secret[] = []
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
    this.#triedKeys = [...this.#triedKeys, key]
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
    const leftMs = this.#leftMs() - MIN_ATTEMPT_MS
    if (leftMs < restMs && this.#budget.isShortened) return 'out-of-time'
    return { waitMs: Math.max(0, Math.min(restMs, leftMs)), believe: true }
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
