import type { Clock } from '../lib/clock.ts'
import type { Emit, StoreKind, StoreTransition } from '../observability/events.ts'
import type { ReplyCommand } from './command.ts'
import type { Awaitable, RecordStore } from './record.ts'

export interface StoreWatch {
  readonly store: RecordStore
  readonly storeKind: StoreKind
  readonly clock: Pick<Clock, 'monotonic'>
  /** Told of every transition. */
  readonly emit: Emit
}

type Told = Pick<ReplyCommand, 'facts' | 'trace'>

/** A transition of the store for one reply, timed: the log, the trace and the metrics are told what it took. */
export function timedTransition<T>(
  watch: StoreWatch,
  told: Told,
  transition: StoreTransition,
  begin: (store: RecordStore) => Awaitable<T>
): Awaitable<T> {
  const beganAtMs = watch.clock.monotonic()
  const result = begin(watch.store)
  if (result instanceof Promise) return timeOf(watch, told, transition, beganAtMs, result)
  // What is done at once takes no time that is worth another look at the clock.
  tell(watch, told, { transition, beganAtMs, endedAtMs: beganAtMs, isFailed: false })
  return result
}

async function timeOf<T>(
  watch: StoreWatch,
  told: Told,
  transition: StoreTransition,
  beganAtMs: number,
  pending: Promise<T>
): Promise<T> {
  let isFailed = true
  try {
    const result = await pending
    isFailed = false
    return result
  } finally {
    tell(watch, told, { transition, beganAtMs, endedAtMs: watch.clock.monotonic(), isFailed })
  }
}

interface Ended {
  readonly transition: StoreTransition
  readonly beganAtMs: number
  readonly endedAtMs: number
  readonly isFailed: boolean
}

function tell(
  { storeKind, emit }: StoreWatch,
  { facts, trace }: Told,
  { transition, beganAtMs, endedAtMs, isFailed }: Ended
): void {
  const durationMs = endedAtMs - beganAtMs
  const event = { name: 'store-transition', store: storeKind, transition, durationMs, isFailed } as const
  facts.notePart('storeMs', beganAtMs, endedAtMs)
  emit(event)
  trace?.noteTransition(event, endedAtMs)
}
