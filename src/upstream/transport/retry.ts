import type { Clock } from '../../lib/clock.ts'
import type { Secret } from '../../lib/secret.ts'
import type { Keyring } from '../keyring.ts'
import { type Attempt, type CallResult, describe, isAccepted, logged } from './call-result.ts'
import type { UpstreamRequest } from './exchange.ts'
import type { Connections } from './pool.ts'
import { AttemptPolicy } from './retry-policy.ts'

/** How long a call may take, and what it tells about itself; shared by all calls of one request. */
export interface Budget {
  /** Absolute end on the monotonic clock, in milliseconds. */
  readonly deadlineAtMs: number
  /** Whether the caller chose it: then an early end must tell them nothing. */
  readonly isShortened?: boolean
  /** False when nobody waits for the answer any more; asked before a byte is written. */
  readonly mayStart?: () => boolean
  readonly onAttempt?: (attempt: Attempt) => void
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
    const timeoutMs = budget.deadlineAtMs - startedAtMs
    const outcome = await connections.exchange(build(key), { timeoutMs, mayStart: budget.mayStart })
    const result = describe(outcome, clock)
    budget.onAttempt?.(logged(result, clock.monotonic() - startedAtMs))
    if (isAccepted(result)) keyring.accepted(key)
    const step = policy.next(result, key)
    if (step === undefined) return result
    if (step === 'out-of-time') return { ...result, outOfTime: true }
    if (step.waitMs > 0) await clock.sleep(step.waitMs)
    if (step.believe) return result
    key = step.key ?? key
  }
}
