// Delivery records in a SQLite file: they survive kill -9 and a power cut, and several processes may share them.
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import { openDatabase } from './file-database.ts'
import { prepareStatements, readRow, type StoredRecord } from './file-statements.ts'
import { judgeOpen } from './open-record.ts'
import {
  type Claim,
  type ClaimResult,
  KEPT_MS,
  type Outcome,
  pendingKeptMs,
  type RecordStore,
  type Retention
} from './record-store.ts'
import { readOutcome, writeOutcome } from './stored-outcome.ts'
import { Horizon, WatchedTime } from './watched-time.ts'

export interface FileStoreOptions {
  readonly path: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly kept?: Retention
  /** Bound of the file, in pages of 4 KiB; none but the disk's unless given. */
  readonly maxPages?: number
}

const WATCH_EVERY_MS = 1000
const SWEEP_EVERY_MS = 30_000
const SWEPT_AT_ONCE = 200
/** After a failed transition; then it is worth another try. */
const NOT_READY_MS = 2000

/**
 * Opens or makes the file; throws a StoreError that says what is wrong with STORE_URL.
 * Dates are of the wall clock, which outlives the process. When it jumps back, leases and quiet periods become longer;
 * when it jumps ahead, a doubtful record must stay quiet for the whole time again before it is called absent, and
 * nothing is forgotten early (watched-time.ts).
 */
export function createFileStore(options: FileStoreOptions): FileStore {
  return new FileStore(options)
}

export class FileStore implements RecordStore {
  readonly #clock: FileStoreOptions['clock']
  readonly #kept: Retention
  readonly #database: DatabaseSync
  readonly #statements: ReturnType<typeof prepareStatements>
  readonly #time: WatchedTime
  readonly #horizon: Horizon
  readonly #timer: NodeJS.Timeout
  #sweepAtMs: number
  #failedAtMs = Number.NEGATIVE_INFINITY

  constructor({ path, clock, kept = KEPT_MS, maxPages }: FileStoreOptions) {
    this.#clock = clock
    this.#kept = kept
    this.#database = openDatabase(path, clock.now(), maxPages)
    this.#statements = prepareStatements(this.#database)
    const monotonic = (): number => clock.monotonic()
    this.#time = new WatchedTime(monotonic, clock.now())
    this.#horizon = new Horizon(monotonic, Number(this.#statements.horizon.get()?.['at_ms']))
    this.#sweepAtMs = clock.monotonic() + SWEEP_EVERY_MS
    this.#timer = setInterval(() => this.#watch(), WATCH_EVERY_MS).unref()
  }

  async claim(claim: Claim): Promise<ClaimResult> {
    const { key, fingerprint, owner, leaseMs } = claim
    return this.#transition(() => {
      const nowMs = this.#now()
      const row = this.#statements.get.get(key)
      const standing = row && this.#judge(readRow(row), claim, nowMs)
      if (standing) return standing
      this.#statements.put.run(key, fingerprint, owner, nowMs + leaseMs, nowMs + pendingKeptMs(leaseMs))
      return { kind: 'claimed' }
    })
  }

  async markSent(key: string, owner: string): Promise<boolean> {
    const nowMs = this.#now()
    return this.#ran(() => this.#statements.markSent.run(nowMs + this.#kept.sent, key, owner, nowMs))
  }

  async doubt(key: string, owner: string): Promise<void> {
    this.#ran(() => this.#statements.doubt.run(this.#now(), key, owner))
  }

  async reclaim(key: string, previousOwner: string, { fingerprint, owner, leaseMs }: Claim): Promise<boolean> {
    return this.#transition(() => {
      const nowMs = this.#now()
      const lease = [nowMs + leaseMs, nowMs + pendingKeptMs(leaseMs)]
      const { changes } = this.#statements.reclaim.run(fingerprint, owner, ...lease, key, previousOwner, nowMs)
      return changes === 1 || this.#statements.isPending.get(key, owner) !== undefined
    })
  }

  async finish(key: string, owner: string | undefined, outcome: Outcome): Promise<void> {
    const { kind } = outcome
    const expiresAtMs = this.#now() + this.#kept[kind]
    this.#ran(() => this.#statements.finish.run(kind, writeOutcome(outcome), expiresAtMs, key, owner ?? null))
  }

  async release(key: string, owner: string): Promise<void> {
    this.#ran(() => this.#statements.release.run(key, owner))
  }

  /** Forgets some of what has expired; says whether more may be left. */
  sweep(): boolean {
    const nowMs = this.#now()
    return this.#transition(() => {
      this.#horizon.raiseTo(Math.min(nowMs, Number(this.#statements.horizon.get()?.['at_ms'])))
      this.#statements.moveHorizon.run(Math.floor(this.#horizon.atMs))
      return this.#statements.sweep.run(Math.floor(this.#horizon.atMs), SWEPT_AT_ONCE).changes === SWEPT_AT_ONCE
    })
  }

  /** A file loses nothing by itself; that somebody put an older one in its place it cannot know. */
  forgetfulForMs(): undefined {
    return undefined
  }

  isReady(): boolean {
    return this.#database.isOpen && this.#clock.monotonic() - this.#failedAtMs > NOT_READY_MS
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    if (this.#database.isOpen) this.#database.close()
  }

  /** What a record says to a claim; undefined when it may be overwritten. */
  #judge(record: StoredRecord, claim: Claim, nowMs: number): ClaimResult | undefined {
    const { state, fingerprint, expiresAtMs } = record
    // A reply that may exist is remembered for its whole time; what was never sent may also be forgotten too early.
    const forgottenUpToMs = state === 'done' || state === 'sent' ? this.#horizon.atMs : nowMs
    if (expiresAtMs <= forgottenUpToMs) return undefined
    if (state === 'pending' || state === 'sent') {
      return judgeOpen({ ...record, state }, claim, nowMs, ms => this.#time.believedMs(ms, claim.leaseMs))
    }
    return fingerprint === claim.fingerprint ? readOutcome(record.outcome) : { kind: 'mismatch' }
  }

  #now(): number {
    const nowMs = Math.floor(this.#clock.now())
    this.#time.observe(nowMs)
    this.#horizon.moveTo(nowMs)
    return nowMs
  }

  /** A clock that jumps and jumps back between two transitions must not go unseen. */
  #watch(): void {
    this.#now()
    const monotonicMs = this.#clock.monotonic()
    if (monotonicMs < this.#sweepAtMs) return
    try {
      this.#sweepAtMs = monotonicMs + (this.sweep() ? WATCH_EVERY_MS : SWEEP_EVERY_MS)
    } catch {
      this.#sweepAtMs = monotonicMs + SWEEP_EVERY_MS
    }
  }

  #ran(statement: () => { readonly changes: number | bigint }): boolean {
    return this.#noticing(() => statement().changes === 1)
  }

  #transition<T>(steps: () => T): T {
    return this.#noticing(() => {
      this.#statements.begin.run()
      try {
        const result = steps()
        this.#statements.commit.run()
        return result
      } catch (error) {
        // Some failures, such as a full disk, have rolled it back already.
        if (this.#database.isTransaction) this.#statements.rollback.run()
        throw error
      }
    })
  }

  #noticing<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.#failedAtMs = this.#clock.monotonic()
      throw error
    }
  }
}
