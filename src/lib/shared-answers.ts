import type { Clock } from './clock.ts'

/** An answer and how long it may be believed, in milliseconds. */
export interface Answer<T> {
  readonly value: T
  readonly ttlMs: number
}

export interface SharedAnswersOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly maxEntries: number
  /** Questions under way at once; one more is refused with `tooMany`. */
  readonly maxAsking: number
  readonly tooMany: () => Error
}

/**
 * Remembers what somebody else answered, for a while and bounded: the oldest goes first.
 * Callers that ask the same at the same time share one question; a failure is shared too, but never remembered.
 */
export class SharedAnswers<T> {
  readonly #options: SharedAnswersOptions
  readonly #known = new Map<string, { readonly value: T; readonly untilMs: number }>()
  readonly #asking = new Map<string, Promise<T>>()

  constructor(options: SharedAnswersOptions) {
    this.#options = options
  }

  async get(key: string, ask: () => Promise<Answer<T>>): Promise<T> {
    const known = this.#known.get(key)
    if (known && this.#options.clock.monotonic() < known.untilMs) return known.value
    const asking = this.#asking.get(key)
    if (asking) return asking
    if (this.#asking.size >= this.#options.maxAsking) throw this.#options.tooMany()
    const asked = ask()
      .then(answer => this.#remember(key, answer))
      .finally(() => this.#asking.delete(key))
    this.#asking.set(key, asked)
    return asked
  }

  get size(): number {
    return this.#known.size
  }

  #remember(key: string, { value, ttlMs }: Answer<T>): T {
    this.#known.delete(key)
    if (ttlMs > 0) this.#known.set(key, { value, untilMs: this.#options.clock.monotonic() + ttlMs })
    const oldest = this.#known.size > this.#options.maxEntries ? this.#known.keys().next().value : undefined
    if (oldest !== undefined) this.#known.delete(oldest)
    return value
  }
}
