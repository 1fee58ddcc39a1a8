import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'

/** Calls for the same key that overlap are one call; its failure is shared, too. */
export class SingleFlight<V> {
  readonly #calls = new Map<string, Promise<V>>()

  run(key: string, call: () => Promise<V>): Promise<V> {
    const underWay = this.#calls.get(key)
    if (underWay) return underWay
    const started = call().finally(() => this.#calls.delete(key))
    this.#calls.set(key, started)
    return started
  }

  has(key: string): boolean {
    return this.#calls.has(key)
  }

  get size(): number {
    return this.#calls.size
  }
}

/**
 * A bounded memory of what is believed for a while. The ages are kept here and not by lru-cache, whose entries live
 * through the last millisecond of their time, which for `exp` is one too many.
 */
export class TtlCache<V> {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #entries: LRUCache<string, { readonly value: V; readonly untilMs: number }>

  constructor(clock: Pick<Clock, 'monotonic'>, maxEntries: number) {
    this.#clock = clock
    this.#entries = new LRUCache({ max: maxEntries })
  }

  /** Wrapped, because a value may be undefined. */
  get(key: string): { readonly value: V } | undefined {
    const entry = this.#entries.get(key)
    return entry && this.#clock.monotonic() < entry.untilMs ? entry : undefined
  }

  /** Forgets what was there when there is no time to live. */
  set(key: string, value: V, ttlMs: number): void {
    if (ttlMs > 0) this.#entries.set(key, { value, untilMs: this.#clock.monotonic() + ttlMs })
    else this.#entries.delete(key)
  }

  get size(): number {
    return this.#entries.size
  }
}

/** An answer and how long it may be believed, in milliseconds. */
export interface Answer<V> {
  readonly value: V
  readonly ttlMs: number
}

export interface CoalescingCacheOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly maxEntries: number
  /** Questions under way at once; one more is refused with `tooMany`. */
  readonly limit?: { readonly maxAsking: number; readonly tooMany: () => Error }
}

/**
 * Remembers answers until they are too old; calls for the same key that overlap ask once.
 * A failure is shared by those calls and never remembered.
 */
export class CoalescingCache<V> {
  readonly #options: CoalescingCacheOptions
  readonly #known: TtlCache<V>
  readonly #asking = new SingleFlight<V>()

  constructor(options: CoalescingCacheOptions) {
    this.#options = options
    this.#known = new TtlCache(options.clock, options.maxEntries)
  }

  async get(key: string, ask: () => Promise<Answer<V>>): Promise<V> {
    const known = this.#known.get(key)
    if (known) return known.value
    if (!this.#asking.has(key)) this.#refuseBeyondBound()
    return this.#asking.run(key, async () => {
      const { value, ttlMs } = await ask()
      this.#known.set(key, value, ttlMs)
      return value
    })
  }

  get size(): number {
    return this.#known.size
  }

  #refuseBeyondBound(): void {
    const { limit } = this.#options
    if (limit && this.#asking.size >= limit.maxAsking) throw limit.tooMany()
  }
}
