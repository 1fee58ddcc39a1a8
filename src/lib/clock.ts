import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** The time, as every part that waits or compares receives it; tests hand in their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. For `exp` and what leaves the process. */
  now(): number
  /** Milliseconds since an arbitrary instant; never jumps. For durations and deadlines. */
  monotonic(): number
  /** Resolves after so many milliseconds. */
  sleep(ms: number): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: ms => sleep(ms)
}
