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

/** A time-out ends after so many parts, each of which this process was awake for. */
const PARTS = 4

/**
 * Calls `onEnd` after so long, by the time in which this process could have read an answer: one that was held up (a busy
 * machine, a container at its limit of CPU) finds its timers due before it has looked at its sockets, and must not take
 * its own pause for the silence of a server. Returns what ends the wait.
 */
export function awakeTimeout(ms: number, onEnd: () => void): () => void {
  let partsLeft = PARTS
  const timer = setTimeout(() => {
    partsLeft -= 1
    if (partsLeft > 0) timer.refresh()
    else onEnd()
  }, ms / PARTS)
  return () => clearTimeout(timer)
}
