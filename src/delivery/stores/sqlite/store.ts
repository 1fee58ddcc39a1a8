// Delivery records in a SQLite file: they survive kill -9 and a power cut, and several processes may share them.
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../../lib/clock.ts'
import type { Emit } from '../../../observability/events.ts'
import { GroupCommit } from '../../../sqlite/group-commit.ts'
import { SameFile } from '../../../sqlite/same-file.ts'
import type { SharedDatabase } from '../../../sqlite/shared.ts'
import { writeOutcome } from '../../outcome.ts'
import {
  type AcquiredAs,
  type AcquireResult,
  type Acquisition,
  acquired,
  acquiredKeptMs,
  KEPT_MS,
  type RecordCounts,
  type RecordedOutcome,
  type RecordStore,
  type Retention,
  type StoreTime
} from '../../record.ts'
import { ExpiryWatermark, TrustedClock } from '../trusted-clock.ts'
import { type Dates, judge, searchOf, withLeaseAt } from './judgement.ts'
import { RecordCount } from './record-count.ts'
import { openDatabase, prepareStatements, readRow, type StoredRecord } from './schema.ts'
import { Upkeep } from './upkeep.ts'

export interface FileStoreOptions {
  readonly path: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly kept?: Retention
  /** Bound of the file, in pages of 4 KiB; none but the disk's unless given. */
  readonly maxPages?: number
  /** Told once when the file is another one. */
  readonly emit?: Emit
}

/** So many every so often are more than this process can add, and keep no request waiting for longer than a few milliseconds. */
const SWEPT_AT_ONCE = 200
/** After a failed transition; then it is worth another try. */
const NOT_READY_MS = 2000
const FILE_HAS_GONE =
  'STORE_URL names a file that was removed or replaced while this service used it: bring it back, or start the service anew; until then nothing is sent.'

/**
 * Opens or makes the file; throws a StoreError that says what is wrong with STORE_URL.
 * Dates are of the wall clock, which outlives the process. After a jump of it, ahead or back, a record in doubt must stay
 * quiet for the whole time again before its reply is called absent; nothing is forgotten early, and no lease becomes longer
 * (trusted-clock.ts).
 */
export function createFileStore(options: FileStoreOptions): FileStore {
  return new FileStore(options)
}

export class FileStore implements RecordStore {
  /** For what is kept beside the records, in the same commits. */
  readonly sqlite: SharedDatabase
  readonly #clock: FileStoreOptions['clock']
  readonly #kept: Retention
  readonly #database: DatabaseSync
  readonly #file: SameFile
  readonly #emit: Emit
  readonly #statements: ReturnType<typeof prepareStatements>
  readonly #commits: GroupCommit
  readonly #trusted: TrustedClock
  readonly #watermark: ExpiryWatermark
  readonly #count: RecordCount
  readonly #upkeep: Upkeep
  #failedAtMs = Number.NEGATIVE_INFINITY
  #hasToldOfFile = false

  constructor({ path, clock, kept = KEPT_MS, maxPages, emit = () => undefined }: FileStoreOptions) {
    this.#clock = clock
    this.#emit = emit
    this.#kept = kept
    this.#database = openDatabase(path, clock.now(), maxPages)
    this.#statements = prepareStatements(this.#database)
    this.#file = new SameFile(path)
    const onFailure = (): void => this.#noteFailure()
    this.#commits = new GroupCommit({ database: this.#database, onFailure, check: this.#file.require })
    this.sqlite = { database: this.#database, commits: this.#commits }
    const monotonic = (): number => clock.monotonic()
    this.#trusted = new TrustedClock(monotonic, clock.now())
    this.#watermark = new ExpiryWatermark(monotonic, Number(this.#statements.horizon.get()?.['at_ms']))
    this.#count = new RecordCount(this.#database)
    this.#upkeep = new Upkeep({ monotonic, look: () => this.#look(), sweep: () => this.sweep() })
  }

  acquire(acquisition: Acquisition, as: AcquiredAs = 'pending'): Promise<AcquireResult> {
    const { key, fingerprint, owner, leaseMs, search = null } = acquisition
    return this.#commits.run(() => {
      const nowMs = this.#now()
      const expiresAtMs = nowMs + acquiredKeptMs(as, leaseMs, this.#kept)
      const row = [key, fingerprint, owner, as, nowMs + leaseMs, expiresAtMs]
      // Nearly every key is a new one: it is looked for only where it cannot be added.
      if (this.#statements.add.run(...row, search).changes === 1) return acquired(as)
      const record = this.#read(key, nowMs)
      const standing = judge(record, acquisition, as, this.#dates(nowMs))
      if (standing) return standing
      const former = searchOf(record, nowMs)
      this.#statements.replace.run(...row, former ?? search)
      return acquired(as, former)
    })
  }

  peek(acquisition: Acquisition): Promise<AcquireResult> {
    return this.#commits.run(() => {
      const nowMs = this.#now()
      const row = this.#statements.get.get(acquisition.key)
      if (!row) return acquired('pending')
      const record = withLeaseAt(readRow(row), nowMs)
      return judge(record, acquisition, 'pending', this.#dates(nowMs)) ?? acquired('pending', searchOf(record, nowMs))
    })
  }

  markSent(key: string, owner: string): Promise<boolean> {
    return this.#commits.run(() => {
      const nowMs = this.#now()
      return this.#statements.markSent.run(nowMs + this.#kept.sent, key, owner, nowMs).changes === 1
    })
  }

  markInDoubt(key: string, owner: string): Promise<void> {
    return this.#commits.run(() => {
      this.#statements.markInDoubt.run(this.#now(), key, owner)
    })
  }

  takeOver(key: string, previousOwner: string, { fingerprint, owner, leaseMs }: Acquisition): Promise<boolean> {
    return this.#commits.run(() => {
      const nowMs = this.#now()
      const lease = [nowMs + leaseMs, nowMs + acquiredKeptMs('pending', leaseMs, this.#kept)]
      const { changes } = this.#statements.takeOver.run(fingerprint, owner, ...lease, key, previousOwner, nowMs)
      return changes === 1 || this.#statements.isPending.get(key, owner) !== undefined
    })
  }

  complete(key: string, owner: string | undefined, outcome: RecordedOutcome): Promise<void> {
    const { kind } = outcome
    return this.#commits.run(() => {
      const expiresAtMs = this.#now() + this.#kept[kind]
      this.#statements.complete.run(kind, writeOutcome(outcome), expiresAtMs, key, owner ?? null)
    })
  }

  release(key: string, owner: string, search?: string): Promise<void> {
    return this.#commits.run(() => {
      const nowMs = this.#now()
      if (search === undefined) this.#statements.release.run(key, owner)
      else this.#statements.abandon.run(nowMs, nowMs + this.#kept.sent, search, key, owner)
    })
  }

  noteSearch(key: string, former: string | undefined, search: string): Promise<boolean> {
    return this.#commits.run(() => this.#statements.noteSearch.run(search, key, former ?? null).changes === 1)
  }

  time(): StoreTime {
    const nowMs = this.#now()
    return { nowMs, steadyForMs: this.#trusted.steadyForMs() }
  }

  /** Forgets some of what has expired; says whether more may be left. */
  sweep(): boolean {
    const nowMs = this.#now()
    return this.#commits.runNow(() => {
      this.#watermark.raiseTo(Math.min(nowMs, Number(this.#statements.horizon.get()?.['at_ms'])))
      this.#statements.moveHorizon.run(Math.floor(this.#watermark.atMs))
      return this.#statements.sweep.run(Math.floor(this.#watermark.atMs), SWEPT_AT_ONCE).changes === SWEPT_AT_ONCE
    })
  }

  /** A file loses nothing by itself; it cannot know that an operator put an older one in its place. */
  msSinceDataLoss(): undefined {
    return undefined
  }

  counts(): RecordCounts | undefined {
    return this.#count.counts
  }

  isReady(): boolean {
    const isOver = this.#clock.monotonic() - this.#failedAtMs > NOT_READY_MS
    return this.#database.isOpen && isOver && this.#file.isThere()
  }

  async close(): Promise<void> {
    this.#upkeep.end()
    if (!this.#database.isOpen) return
    this.#commits.flush()
    this.#database.close()
  }

  #read(key: string, nowMs: number): StoredRecord {
    const stored = readRow(this.#statements.get.get(key))
    const record = withLeaseAt(stored, nowMs)
    if (record !== stored) this.#statements.endLease.run(nowMs, key)
    return record
  }

  #dates(nowMs: number): Dates {
    return { nowMs, forgottenUpToMs: this.#watermark.atMs, trusted: this.#trusted }
  }

  #noteFailure(): void {
    this.#failedAtMs = this.#clock.monotonic()
  }

  /** Its place is not its name: a file that was moved away and back is the same. */
  #watchFile(): void {
    const isThere = this.#file.isThere()
    if (!isThere && !this.#hasToldOfFile) this.#emit({ name: 'store-unusable', problem: FILE_HAS_GONE })
    this.#hasToldOfFile = !isThere
  }

  #now(): number {
    const nowMs = Math.floor(this.#clock.now())
    this.#trusted.observe(nowMs)
    this.#watermark.moveTo(nowMs)
    return nowMs
  }

  /** A clock that jumps and jumps back between two transitions must not go unseen. */
  #look(): void {
    this.#now()
    this.#watchFile()
    this.#count.step()
  }
}
