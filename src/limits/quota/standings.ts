/** What is left to a user, and in how many milliseconds there is more of it. */
export interface Standing {
  readonly remaining: number
  readonly nextInMs: number
}

interface Known {
  readonly remaining: number
  readonly nextAtMs: number
}

const MAX_STANDINGS = 10_000

/** Where users stand, for answers that charge nothing; forgotten all at once, which costs nothing but a hint. */
export class Standings {
  readonly #monotonic: () => number
  readonly #byUid = new Map<string, Known>()

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  note(uid: string, { remaining, nextInMs }: Standing, nowMs: number): void {
    if (this.#byUid.size >= MAX_STANDINGS) this.#byUid.clear()
    this.#byUid.set(uid, { remaining, nextAtMs: nowMs + nextInMs })
  }

  /** Undefined for a user of whom nothing is known, or nothing that still holds. */
  of(uid: string): Standing | undefined {
    const known = this.#byUid.get(uid)
    if (!known) return undefined
    const nowMs = this.#monotonic()
    if (nowMs >= known.nextAtMs) return undefined
    return { remaining: known.remaining, nextInMs: known.nextAtMs - nowMs }
  }
}
