// Delivery records in Redis or Valkey, for several instances. Dates are the server's own, so instances need not agree on
// the time. What a restart or a failover may have lost makes the store say so (forgetfulForMs).

import type { StoreLog } from '../store-error.ts'
import {
  type Claim,
  type ClaimResult,
  KEPT_MS,
  type Outcome,
  pendingKeptMs,
  type RecordStore,
  type Retention
} from './record-store.ts'
import { RedisLink } from './redis-link.ts'
import { COMMAND_TIMEOUT_MS } from './redis-options.ts'
import type { ScriptName } from './redis-scripts.ts'
import { readOutcome, writeOutcome } from './stored-outcome.ts'

export interface RedisStoreOptions {
  /** `redis(s)://[user:password@]host[:port][/database]`. */
  readonly storeUrl: string
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  readonly log: StoreLog
  readonly kept?: Retention
  /** After which a transition is rejected; other waits follow from it. */
  readonly commandTimeoutMs?: number
}

/**
 * Resolves also when Redis is not there: the store says that it is not ready, rejects every transition, and recovers by
 * itself. Throws a StoreError when Redis must not be used as it is: it may evict records, or refuses the credentials.
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<RecordStore> {
  const { storeUrl, monotonic, log, kept = KEPT_MS, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options
  const link = new RedisLink({ storeUrl, monotonic, log, lossMattersMs: kept.sent, commandTimeoutMs })
  await link.open()
  return new RedisStore(link, kept)
}

class RedisStore implements RecordStore {
  readonly #link: RedisLink
  readonly #kept: Retention

  constructor(link: RedisLink, kept: Retention) {
    this.#link = link
    this.#kept = kept
  }

  async claim({ key, fingerprint, owner, leaseMs }: Claim): Promise<ClaimResult> {
    const args = [fingerprint, owner, leaseMs, pendingKeptMs(leaseMs)]
    const [kind, nowMs, found, sinceLeaseMs] = await this.#link.run('replyClaim', key, ...args)
    if (typeof nowMs !== 'number') throw unreadable()
    if (kind === 'claimed' || kind === 'in-flight' || kind === 'mismatch') return { kind }
    if (kind === 'settled') return readOutcome(found)
    if (kind !== 'doubtful' || typeof found !== 'string' || typeof sinceLeaseMs !== 'number') throw unreadable()
    return { kind, owner: found, quietForMs: this.#link.server.believedMs(nowMs, sinceLeaseMs, leaseMs) }
  }

  async markSent(key: string, owner: string): Promise<boolean> {
    return this.#did('replyMarkSent', key, owner, this.#kept.sent)
  }

  async doubt(key: string, owner: string): Promise<void> {
    await this.#did('replyDoubt', key, owner)
  }

  async reclaim(key: string, previousOwner: string, { fingerprint, owner, leaseMs }: Claim): Promise<boolean> {
    return this.#did('replyReclaim', key, previousOwner, fingerprint, owner, leaseMs, pendingKeptMs(leaseMs))
  }

  async finish(key: string, owner: string | undefined, outcome: Outcome): Promise<void> {
    const { kind } = outcome
    await this.#did('replyFinish', key, owner ?? '', kind, writeOutcome(outcome), this.#kept[kind])
  }

  async release(key: string, owner: string): Promise<void> {
    await this.#did('replyRelease', key, owner)
  }

  forgetfulForMs(): number | undefined {
    return this.#link.server.forgetfulForMs()
  }

  isReady(): boolean {
    return this.#link.isReady()
  }

  async close(): Promise<void> {
    this.#link.close()
  }

  async #did(name: ScriptName, key: string, ...args: readonly (string | number)[]): Promise<boolean> {
    const [answer] = await this.#link.run(name, key, ...args)
    if (answer === 'yes' || answer === 'no') return answer === 'yes'
    throw unreadable()
  }
}

/** What is not shaped like a record of ours is trouble, not an answer: somebody else writes there, or it is damaged. */
function unreadable(): Error {
  return new Error('the stored record is unreadable')
}
