// Delivery records in Redis or Valkey, for several instances. Dates are the server's own, so instances need not agree on
// the time. What a restart or a failover may have lost makes the store say so (msSinceDataLoss).

import type { FailoverPromise } from '../../../lib/service/failover.ts'
import type { RedisAddress } from '../../../lib/service/store-address.ts'
import type { Emit } from '../../../observability/events.ts'
import type { SharedRedis } from '../../../redis/scripts.ts'
import { readOutcome, writeOutcome } from '../../outcome.ts'
import {
  type AcquiredAs,
  type AcquireResult,
  type Acquisition,
  acquired,
  acquiredKeptMs,
  KEPT_MS,
  type RecordedOutcome,
  type RecordStore,
  type Retention,
  type StoreTime
} from '../../record.ts'
import type { Transition } from './scripts.ts'
import { RedisSession } from './session.ts'

export interface RedisStoreOptions {
  readonly address: RedisAddress
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  readonly emit: Emit
  readonly kept?: Retention
  /** After which a transition is rejected; other waits follow from it. */
  readonly commandTimeoutMs?: number
  /** What the operator says of a failover; nothing unless given. */
  readonly promise?: FailoverPromise
  /** For tests, which cannot move the clock of a Redis: Lua that changes `now`, in milliseconds. */
  readonly timeShim?: string
}

const COMMAND_TIMEOUT_MS = 400
const NO_PROMISE: FailoverPromise = { failover: 'detect', waitReplicas: 0 }

/**
 * Resolves also when Redis is not there: the store says that it is not ready, rejects every transition, and recovers by
 * itself. Throws a StoreError when Redis must not be used as it is: it may evict records, or refuses the credentials.
 */
export async function createRedisStore(
  options: RedisStoreOptions
): Promise<RecordStore & { readonly redis: SharedRedis }> {
  const { kept = KEPT_MS, commandTimeoutMs = COMMAND_TIMEOUT_MS, promise = NO_PROMISE, timeShim } = options
  const link = new RedisSession({ ...options, lossMattersMs: kept.sent, commandTimeoutMs, promise, timeShim })
  await link.open()
  return new RedisStore(link, kept)
}

class RedisStore implements RecordStore {
  readonly redis: SharedRedis
  /** Only where replicas have to confirm. */
  readonly confirmSent?: (key: string, owner: string) => Promise<boolean>
  readonly #link: RedisSession
  readonly #kept: Retention

  constructor(link: RedisSession, kept: Retention) {
    this.#link = link
    this.redis = link.shared
    this.#kept = kept
    if (link.hasReplicas) this.confirmSent = (key, owner) => link.confirmSent(key, owner, kept.sent)
  }

  acquire(acquisition: Acquisition, as: AcquiredAs = 'pending'): Promise<AcquireResult> {
    return this.#ask('acquire', acquisition, as)
  }

  peek(acquisition: Acquisition): Promise<AcquireResult> {
    return this.#ask('peek', acquisition, 'pending')
  }

  async #ask(transition: 'acquire' | 'peek', acquisition: Acquisition, as: AcquiredAs): Promise<AcquireResult> {
    const { key, fingerprint, owner, leaseMs, search = '' } = acquisition
    const args = [as, fingerprint, owner, leaseMs, acquiredKeptMs(as, leaseMs, this.#kept), search]
    const [kind, nowMs, found, sinceLeaseMs, searched] = await this.#link.run(transition, key, ...args)
    if (typeof nowMs !== 'number') throw unreadable()
    if (kind === 'acquired') return acquired(as, typeof found === 'string' ? found : undefined)
    if (kind === 'in-flight' || kind === 'mismatch') return { kind }
    if (kind === 'final') return readOutcome(found)
    if (kind !== 'in-doubt' || typeof found !== 'string' || typeof sinceLeaseMs !== 'number') throw unreadable()
    const quietForMs = this.#link.shards.of(key).server.trustedElapsedMs(sinceLeaseMs, leaseMs)
    return { kind, owner: found, quietForMs, ...(typeof searched === 'string' && { search: searched }) }
  }

  async markSent(key: string, owner: string): Promise<boolean> {
    return this.#did('markSent', key, owner, this.#kept.sent)
  }

  async markInDoubt(key: string, owner: string): Promise<void> {
    await this.#did('markInDoubt', key, owner)
  }

  async takeOver(key: string, previousOwner: string, { fingerprint, owner, leaseMs }: Acquisition): Promise<boolean> {
    const keptMs = acquiredKeptMs('pending', leaseMs, this.#kept)
    return this.#did('takeOver', key, previousOwner, fingerprint, owner, leaseMs, keptMs)
  }

  async complete(key: string, owner: string | undefined, outcome: RecordedOutcome): Promise<void> {
    const { kind } = outcome
    await this.#did('complete', key, owner ?? '', kind, writeOutcome(outcome), this.#kept[kind])
  }

  async release(key: string, owner: string, search = ''): Promise<void> {
    await this.#did('release', key, owner, search, this.#kept.sent)
  }

  noteSearch(key: string, former: string | undefined, search: string): Promise<boolean> {
    return this.#did('noteSearch', key, former ?? '', search)
  }

  time(key: string): StoreTime {
    return this.#link.shards.of(key).server.time()
  }

  msSinceDataLoss(key?: string): number | undefined {
    return this.#link.shards.msSinceDataLoss(key)
  }

  whyLost(): string | undefined {
    return this.#link.shards.whyLost()
  }

  isReady(): boolean {
    return this.#link.isReady()
  }

  warnings(): readonly string[] {
    return this.#link.warnings()
  }

  async close(): Promise<void> {
    this.#link.close()
  }

  async #did(transition: Transition, key: string, ...args: readonly (string | number)[]): Promise<boolean> {
    const [answer] = await this.#link.run(transition, key, ...args)
    if (answer === 'yes' || answer === 'no') return answer === 'yes'
    throw unreadable()
  }
}

/** What is not shaped like a record of ours is trouble, not an answer: another program writes there, or it is damaged. */
function unreadable(): Error {
  return new Error('the stored record is unreadable')
}
