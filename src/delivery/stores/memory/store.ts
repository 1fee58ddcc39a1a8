import {
  type AcquiredAs,
  type AcquireResult,
  type Acquisition,
  type Awaitable,
  acquired,
  acquiredKeptMs,
  isOfContent,
  judgeOpen,
  KEPT_MS,
  type RecordCounts,
  type RecordedOutcome,
  type RecordStore,
  type Retention,
  type StoreTime
} from '../../record.ts'
import { type KeptRecord, KeptRecords } from './kept-records.ts'

export interface MemoryStoreOptions {
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  readonly maxRecords?: number
  readonly maxBytes?: number
  readonly kept?: Retention
}

/** Records that live as long as the process does: the default, and what it does not survive is said at start-up. */
export function createMemoryStore(options: MemoryStoreOptions): RecordStore & { readonly size: number } {
  return new MemoryStore(options)
}

class MemoryStore implements RecordStore {
  readonly #monotonic: () => number
  readonly #kept: Retention
  readonly #records: KeptRecords
  readonly #sinceMs: number

  constructor({ monotonic, maxRecords = 1_000_000, maxBytes = 64 * 1024 * 1024, kept = KEPT_MS }: MemoryStoreOptions) {
    this.#monotonic = monotonic
    this.#kept = kept
    this.#records = new KeptRecords(maxRecords, maxBytes)
    this.#sinceMs = monotonic()
  }

  get size(): number {
    return this.#records.size
  }

  acquire(acquisition: Acquisition, as: AcquiredAs = 'pending'): Awaitable<AcquireResult> {
    const nowMs = this.#monotonic()
    const record = this.#records.get(acquisition.key)
    const { standing, search } = standingOf(record, acquisition, as, nowMs)
    if (standing) return standing
    if (record) this.#records.forget(record)
    if (!this.#records.makeRoom(nowMs)) return Promise.reject(new Error('the store is full'))
    this.#keep(acquisition, as, nowMs, search)
    return acquired(as, search)
  }

  peek(acquisition: Acquisition): Awaitable<AcquireResult> {
    const record = this.#records.get(acquisition.key)
    const { standing, search } = standingOf(record, acquisition, 'pending', this.#monotonic())
    if (standing) return standing
    return this.isReady() ? acquired('pending', search) : Promise.reject(new Error('the store is full'))
  }

  async markSent(key: string, owner: string): Promise<boolean> {
    const nowMs = this.#monotonic()
    const record = this.#openOf(key, owner)
    if (!record || nowMs >= record.leaseEndsAtMs) return false
    if (record.state === 'pending') record.expiresAtMs = nowMs + this.#kept.sent
    this.#records.setState(record, 'sent')
    return true
  }

  async markInDoubt(key: string, owner: string): Promise<void> {
    const record = this.#openOf(key, owner)
    if (record?.state !== 'sent') return
    record.leaseEndsAtMs = Math.min(record.leaseEndsAtMs, this.#monotonic())
  }

  async takeOver(key: string, previousOwner: string, acquisition: Acquisition): Promise<boolean> {
    const nowMs = this.#monotonic()
    if (this.#openOf(key, acquisition.owner)?.state === 'pending') return true
    const record = this.#openOf(key, previousOwner)
    if (record?.state !== 'sent' || nowMs < record.leaseEndsAtMs) return false
    this.#records.forget(record)
    this.#keep(acquisition, 'pending', nowMs, record.search)
    return true
  }

  complete(key: string, owner: string | undefined, outcome: RecordedOutcome): void {
    const record = this.#openOf(key, owner)
    if (!record) return
    const nowMs = this.#monotonic()
    this.#records.finish(record, outcome, nowMs, nowMs + this.#kept[outcome.kind])
  }

  release(key: string, owner: string, search?: string): void {
    const record = this.#openOf(key, owner)
    if (!record) return
    if (search === undefined) {
      this.#records.forget(record)
      return
    }
    const nowMs = this.#monotonic()
    this.#records.setState(record, 'pending')
    record.leaseEndsAtMs = nowMs
    record.expiresAtMs = nowMs + this.#kept.sent
    record.search = search
  }

  async noteSearch(key: string, former: string | undefined, search: string): Promise<boolean> {
    const record = this.#openOf(key, undefined)
    if (!record || record.search !== former) return false
    record.search = search
    return true
  }

  time(): StoreTime {
    return { nowMs: this.#monotonic(), steadyForMs: Number.POSITIVE_INFINITY }
  }

  msSinceDataLoss(): undefined {
    return undefined
  }

  /** Since it began, or since the last one went for want of space. */
  rememberedForMs(): number {
    return this.#monotonic() - Math.max(this.#sinceMs, this.#records.displacedAtMs)
  }

  counts(): RecordCounts {
    return this.#records.counts()
  }

  isReady(): boolean {
    return this.#records.canTakeAnother
  }

  async close(): Promise<void> {
    this.#records.clear()
  }

  /** PENDING or SENT, and this owner's where one is named. */
  #openOf(key: string, owner: string | undefined): KeptRecord | undefined {
    const record = this.#records.get(key)
    const isTheirs = record && !record.outcome && (owner === undefined || record.owner === owner)
    return isTheirs ? record : undefined
  }

  #keep(acquisition: Acquisition, as: AcquiredAs, nowMs: number, search = acquisition.search): void {
    const { key, fingerprint, owner, leaseMs } = acquisition
    this.#records.add({
      key,
      fingerprint,
      owner,
      state: as,
      leaseEndsAtMs: nowMs + leaseMs,
      expiresAtMs: nowMs + acquiredKeptMs(as, leaseMs, this.#kept),
      search
    })
  }
}

interface Standing {
  /** What the acquisition is told; undefined when it may take the record's place. */
  readonly standing?: AcquireResult | undefined
  readonly search?: string | undefined
}

function standingOf(record: KeptRecord | undefined, acquisition: Acquisition, as: AcquiredAs, nowMs: number): Standing {
  if (!record || nowMs >= record.expiresAtMs) return {}
  return { standing: judge(record, acquisition, as, nowMs), search: record.outcome ? undefined : record.search }
}

/** What a record says to an acquisition; undefined when the acquisition may take its place. */
function judge(record: KeptRecord, acquisition: Acquisition, as: AcquiredAs, nowMs: number): AcquireResult | undefined {
  const { outcome, fingerprint } = record
  if (!outcome) return judgeOpen(record, acquisition, as, nowMs)
  return isOfContent(fingerprint, acquisition) ? outcome : { kind: 'mismatch' }
}
