interface Standing {
  readonly remaining: number
  readonly nextAtMs: number
}

const MAX_STANDINGS = 10_000

/** Where users stand, for answers that charge nothing; forgotten all at once, which costs nothing but a hint. */
export class Standings {
  readonly #monotonic: () => number
  readonly #byUid = new Map<string, Standing>()

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  note(uid: string, remaining: number, nextInMs: number): void {
    if (this.#byUid.size >= MAX_STANDINGS) this.#byUid.clear()
    this.#byUid.set(uid, { remaining, nextAtMs: this.#monotonic() + nextInMs })
  }

  /** Undefined for a user of whom nothing is known, or nothing that still holds. */
  of(uid: string): { readonly remaining: number; readonly nextInMs: number } | undefined {
    const known = this.#byUid.get(uid)
    const nowMs = this.#monotonic()
    if (!known || nowMs >= known.nextAtMs) return undefined
    return { remaining: known.remaining, nextInMs: known.nextAtMs - nowMs }
  }
}
