export interface UpkeepOptions {
  readonly monotonic: () => number
  /** Each second. */
  readonly look: () => void
  /** Forgets some of what has expired; says whether more may be left. */
  readonly sweep: () => boolean
}

const LOOK_EVERY_MS = 1000
const SWEEP_EVERY_MS = 30_000
/** A sweep keeps no request waiting for longer than a few milliseconds: what is left has to let others pass. */
const SWEEP_ON_AFTER_MS = 40

/** What is done beside transitions. None of it may fail: another program has the file for too long, or it is full. */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #timer: NodeJS.Timeout
  #sweeping: NodeJS.Timeout | undefined
  #sweepAtMs: number

  constructor(options: UpkeepOptions) {
    this.#options = options
    this.#sweepAtMs = options.monotonic() + SWEEP_EVERY_MS
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
  }

  end(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#sweeping)
  }

  #look(): void {
    const { look, monotonic } = this.#options
    try {
      look()
    } catch {
      // The next second is soon enough.
    }
    if (monotonic() < this.#sweepAtMs) return
    this.#sweepAtMs = monotonic() + SWEEP_EVERY_MS
    this.#sweepOn()
  }

  #sweepOn(): void {
    try {
      if (this.#options.sweep()) this.#sweeping = setTimeout(() => this.#sweepOn(), SWEEP_ON_AFTER_MS).unref()
    } catch {
      // The next round is soon enough.
    }
  }
}
