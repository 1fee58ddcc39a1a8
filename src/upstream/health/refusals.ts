import type { UpstreamFailure, UpstreamPolicy } from '../transport/exchange-types.ts'

/** `observe` lets through what `enforce` would refuse, and only counts it; `off` does not even do that. */
export type GateMode = 'enforce' | 'observe' | 'off'

export interface RefusalOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly mode?: GateMode
  /** Told of every refusal. */
  readonly onRefusal?: (policy: UpstreamPolicy, isEnforced: boolean) => void
}

/** The wait that is told where nothing is known about it. */
export const SOON_MS = 1000
const LATEST_MS = 30_000
/** Callers come back at times of their own, not all at once. */
const JITTER = 0.5

/** Writes what the gate refuses, or counts it only. */
export class Refusals {
  readonly isEnforced: boolean
  readonly random: () => number
  readonly #onRefusal: RefusalOptions['onRefusal']

  constructor({ random, mode = 'enforce', onRefusal }: RefusalOptions) {
    this.isEnforced = mode === 'enforce'
    this.random = random
    this.#onRefusal = mode === 'off' ? undefined : onRefusal
  }

  note(policy: UpstreamPolicy): void {
    this.#onRefusal?.(policy, this.isEnforced)
  }

  /** Undefined where it is only counted. */
  refuse(policy: UpstreamPolicy, waitMs: number, cause: 'overloaded' | 'unreachable' = 'overloaded') {
    this.note(policy)
    return this.isEnforced ? this.refusal(policy, waitMs, cause) : undefined
  }

  refusal(policy: UpstreamPolicy, waitMs: number, cause: 'overloaded' | 'unreachable' = 'overloaded'): UpstreamFailure {
    const retryAfterMs = Math.min(LATEST_MS, Math.max(SOON_MS, waitMs)) * (1 + this.random() * JITTER)
    return { kind: 'failure', cause, sent: false, errorCode: 'LIMITED', limit: { policy, retryAfterMs } }
  }
}
