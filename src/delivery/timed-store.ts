import type { Clock } from '../lib/clock.ts'
import type { Emit, StoreKind, StoreTransition } from '../observability/events.ts'
import type { ReplyCommand } from './command.ts'
import type { AcquiredAs, AcquireResult, Acquisition, Awaitable, RecordedOutcome, RecordStore } from './record.ts'

export interface StoreWatch {
  readonly store: RecordStore
  readonly storeKind: StoreKind
  readonly clock: Pick<Clock, 'monotonic'>
  /** Told of every transition. */
  readonly emit: Emit
}

/** The transitions of a store for one reply, timed. */
export class TimedStore {
  readonly #watch: StoreWatch
  readonly #order: Pick<ReplyCommand, 'facts' | 'trace'>

  constructor(watch: StoreWatch, order: Pick<ReplyCommand, 'facts' | 'trace'>) {
    this.#watch = watch
    this.#order = order
  }

  acquire(acquisition: Acquisition, as: AcquiredAs): Awaitable<AcquireResult> {
    return this.#timed('acquire', store => store.acquire(acquisition, as))
  }

  markSent(key: string, owner: string): Awaitable<boolean> {
    return this.#timed('mark-sent', store => store.markSent(key, owner))
  }

  /** Undefined where the store has nothing to confirm. */
  confirmSent(key: string, owner: string): Awaitable<boolean> | undefined {
    if (!this.#watch.store.confirmSent) return undefined
    return this.#timed<boolean>('confirm', store => store.confirmSent?.(key, owner) ?? true)
  }

  markInDoubt(key: string, owner: string): Awaitable<void> {
    return this.#timed('mark-in-doubt', store => store.markInDoubt(key, owner))
  }

  takeOver(key: string, previousOwner: string, acquisition: Acquisition): Awaitable<boolean> {
    return this.#timed('take-over', store => store.takeOver(key, previousOwner, acquisition))
  }

  complete(key: string, owner: string | undefined, outcome: RecordedOutcome): Awaitable<void> {
    return this.#timed('complete', store => store.complete(key, owner, outcome))
  }

  release(key: string, owner: string, search?: string): Awaitable<void> {
    return this.#timed('release', store => store.release(key, owner, search))
  }

  noteSearch(key: string, former: string | undefined, search: string): Awaitable<boolean> {
    return this.#timed('note-search', store => store.noteSearch(key, former, search))
  }

  #timed<T>(transition: StoreTransition, begin: (store: RecordStore) => Awaitable<T>): Awaitable<T> {
    const { store, clock } = this.#watch
    const beganAtMs = clock.monotonic()
    const result = begin(store)
    if (result instanceof Promise) return this.#ended(transition, beganAtMs, result)
    // What is done at once takes no time that is worth another look at the clock.
    this.#tell(transition, beganAtMs, beganAtMs, false)
    return result
  }

  async #ended<T>(transition: StoreTransition, beganAtMs: number, pending: Promise<T>): Promise<T> {
    let isFailed = true
    try {
      const result = await pending
      isFailed = false
      return result
    } finally {
      this.#tell(transition, beganAtMs, this.#watch.clock.monotonic(), isFailed)
    }
  }

  #tell(transition: StoreTransition, beganAtMs: number, endedAtMs: number, isFailed: boolean): void {
    const { storeKind, emit } = this.#watch
    const { facts, trace } = this.#order
    const durationMs = endedAtMs - beganAtMs
    const event = { name: 'store-transition', store: storeKind, transition, durationMs, isFailed } as const
    facts.notePart('storeMs', beganAtMs, endedAtMs)
    emit(event)
    trace?.noteTransition(event, endedAtMs)
  }
}
