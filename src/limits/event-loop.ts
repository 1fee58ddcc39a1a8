import { monitorEventLoopDelay } from 'node:perf_hooks'
import { AppError, type LimitPolicy } from '../errors.ts'

/** What is asked for, in the order in which it is given up: what only reads, what is new, what tells what became of a reply. */
export type Work = 'read' | 'new-message' | 'lookup'

export interface EventLoopLimitOptions {
  /** The median delay of the event loop since it was last asked, in milliseconds. */
  readonly delayMs: () => number
  readonly monotonic: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly isEnforced: boolean
  readonly onRefusal: (policy: LimitPolicy) => void
}

/** The delay from which on some of it is refused; at four times as much nearly all of it is. */
const BEGINS_AT_MS: Record<Work, number> = { read: 100, 'new-message': 200, lookup: 400 }
const FULL_AT_TIMES = 4
/** Some always get through: a delay that nobody causes must not refuse everybody. */
const MAX_SHARE = 0.95
const SAMPLE_MS = 1000
const RETRY_AFTER_MS = 1000

/** How much of this work is refused at this delay: a share that grows with it. */
export function shedShare(work: Work, delayMs: number): number {
  const beginsAtMs = BEGINS_AT_MS[work]
  const share = (delayMs - beginsAtMs) / (beginsAtMs * (FULL_AT_TIMES - 1))
  return Math.min(MAX_SHARE, Math.max(0, share))
}

/**
 * Sheds load while the event loop is late: what cannot be answered in time makes everything else late. The median of the
 * last second is looked at, because a single pause for garbage is no overload.
 */
export class EventLoopLimit {
  readonly #options: EventLoopLimitOptions
  #delayMs = 0
  #sampledAtMs = Number.NEGATIVE_INFINITY

  constructor(options: EventLoopLimitOptions) {
    this.#options = options
  }

  /** What this piece of work is refused with; undefined where it is not. */
  refusalOf(work: Work): AppError | undefined {
    const { random, isEnforced, onRefusal } = this.#options
    this.#sample()
    const share = shedShare(work, this.#delayMs)
    if (share === 0 || random() >= share) return undefined
    onRefusal('event-loop')
    if (!isEnforced) return undefined
    return new AppError('overloaded', 'This instance has too much to do at the moment.', {
      // Callers come back at times of their own, not all at once.
      retryAfterMs: RETRY_AFTER_MS * (1 + random()),
      reason: 'event-loop',
      violatedPolicies: ['event-loop']
    })
  }

  #sample(): void {
    const nowMs = this.#options.monotonic()
    if (nowMs - this.#sampledAtMs < SAMPLE_MS) return
    this.#sampledAtMs = nowMs
    this.#delayMs = this.#options.delayMs()
  }
}

const RESOLUTION_MS = 20

/** The event loop of this process, watched until it is closed. */
export function watchEventLoop(): { delayMs: () => number; close: () => void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return {
    delayMs() {
      const delayMs = histogram.count === 0 ? 0 : histogram.percentile(50) / 1e6 - RESOLUTION_MS
      histogram.reset()
      return delayMs
    },
    close: () => void histogram.disable()
  }
}
