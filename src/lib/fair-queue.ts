import type { Clock } from './clock.ts'
import { createDeferred } from './node20/deferred.ts'

export interface FairQueueOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Pieces of work under way at once. */
  readonly maxRunning: number
  /** Pieces that wait for a turn, of all owners together. */
  readonly maxWaiting: number
  /** A piece that has waited for longer when its turn comes is refused. */
  readonly maxWaitMs: number
  /** How much an owner is trusted: a lower rank goes first. */
  readonly rankOf: (owner: string) => number
  /** What a piece without a place or a turn is refused with. */
  readonly refusal: () => Error
}

interface Waiting {
  readonly sinceMs: number
  readonly start: () => void
  readonly refuse: () => void
}

/** Every so many turns the rank does not count, so that no owner starves. */
const OPEN_TURN = 4

/**
 * Shares a bounded number of turns between owners: within a rank they take turns, however much each of them waits
 * with. One owner may use everything while no other waits. When all places are taken, the owner of the worst rank with
 * the most waiting pieces loses its newest one.
 */
export class FairQueue {
  readonly #options: FairQueueOptions
  /** By owner, in the order of their turns. */
  readonly #queues = new Map<string, Waiting[]>()
  #running = 0
  #waiting = 0
  #turns = 0

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  async run<T>(owner: string, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#options.maxRunning) this.#running++
    else await this.#turn(owner)
    try {
      return await work()
    } finally {
      // The place goes to the next one, or away.
      if (!this.#startNext()) this.#running--
    }
  }

  #turn(owner: string): Promise<void> {
    if (this.#waiting >= this.#options.maxWaiting) this.#makeRoomFor(owner)
    const { promise, resolve, reject } = createDeferred<void>()
    const refuse = (): void => reject(this.#options.refusal())
    const waiting = { sinceMs: this.#options.clock.monotonic(), start: resolve, refuse }
    const queue = this.#queues.get(owner)
    if (queue) queue.push(waiting)
    else this.#queues.set(owner, [waiting])
    this.#waiting++
    return promise
  }

  #startNext(): boolean {
    for (let next = this.#takeNext(); next; next = this.#takeNext()) {
      if (this.#options.clock.monotonic() - next.sinceMs <= this.#options.maxWaitMs) {
        next.start()
        return true
      }
      next.refuse()
    }
    return false
  }

  #takeNext(): Waiting | undefined {
    const owner = this.#nextOwner()
    const queue = owner === undefined ? undefined : this.#queues.get(owner)
    if (owner === undefined || !queue) return undefined
    const next = queue.shift()
    // To the end of the line.
    this.#queues.delete(owner)
    if (queue.length > 0) this.#queues.set(owner, queue)
    this.#waiting--
    return next
  }

  #nextOwner(): string | undefined {
    let best: string | undefined
    let bestRank = Number.POSITIVE_INFINITY
    const isOpen = this.#turns++ % OPEN_TURN === 0
    for (const owner of this.#queues.keys()) {
      if (isOpen) return owner
      const rank = this.#options.rankOf(owner)
      if (rank < bestRank) [best, bestRank] = [owner, rank]
    }
    return best
  }

  /** Throws where no owner has a worse claim than the one that comes. */
  #makeRoomFor(owner: string): void {
    const { rankOf, refusal } = this.#options
    let [worst, worstRank, longest] = [owner, rankOf(owner), (this.#queues.get(owner)?.length ?? 0) + 1]
    for (const [other, { length }] of this.#queues) {
      const rank = rankOf(other)
      if (rank > worstRank || (rank === worstRank && length > longest))
        [worst, worstRank, longest] = [other, rank, length]
    }
    const queue = worst === owner ? undefined : this.#queues.get(worst)
    if (!queue) throw refusal()
    queue.pop()?.refuse()
    if (queue.length === 0) this.#queues.delete(worst)
    this.#waiting--
  }
}
