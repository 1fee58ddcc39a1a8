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

/** RFC 3339 in UTC with milliseconds. The second changes rarely, so it is only written out when it does. */
export function createTimestamp(now: () => number): () => string {
  let secondMs = Number.NaN
  let text = ''
  return () => {
    const nowMs = now()
    const millisecond = nowMs % 1000
    if (nowMs - millisecond !== secondMs) {
      secondMs = nowMs - millisecond
      text = new Date(secondMs).toISOString().slice(0, -'000Z'.length)
    }
    return `${text}${String(millisecond).padStart(3, '0')}Z`
  }
}
