const TELL_AGAIN_MS = 60_000
const ACTING_MS = 10_000

interface Acting {
  /** Refusals that were not told of yet. */
  untold: number
  toldAtMs: number
  lastAtMs: number
  isEnforced: boolean
}

export interface ActingLimitsOptions<Policy extends string> {
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  /** Called for a policy's first refusal, then at most once a minute, with the number of those in between. */
  readonly tell: (policy: Policy, times: number, isEnforced: boolean) => void
}

/** Which limits refuse at the moment: counted, told of now and then, and listed while they act. */
export class ActingLimits<Policy extends string> {
  readonly #options: ActingLimitsOptions<Policy>
  readonly #acting = new Map<Policy, Acting>()

  constructor(options: ActingLimitsOptions<Policy>) {
    this.#options = options
  }

  /** One refusal; `isEnforced` is false where it is only counted. */
  note(policy: Policy, isEnforced = true): void {
    const nowMs = this.#options.monotonic()
    const acting = this.#acting.get(policy)
    if (acting && nowMs - acting.toldAtMs < TELL_AGAIN_MS) {
      acting.untold++
      acting.lastAtMs = nowMs
      acting.isEnforced = isEnforced
      return
    }
    this.#acting.set(policy, { untold: 0, toldAtMs: nowMs, lastAtMs: nowMs, isEnforced })
    this.#options.tell(policy, (acting?.untold ?? 0) + 1, isEnforced)
  }

  /** A line for each limit that refused within the last ten seconds, for `/readyz?verbose`. */
  warnings(): readonly string[] {
    const nowMs = this.#options.monotonic()
    return Array.from(this.#acting)
      .filter(([, { lastAtMs }]) => nowMs - lastAtMs < ACTING_MS)
      .map(([policy, { isEnforced }]) => `${isEnforced ? 'limit' : 'limit-observed'}: ${policy}`)
  }
}
