import {
  type AcquiredAs,
  type AcquireResult,
  type Acquisition,
  type Awaitable,
  acquired,
  acquiredKeptMs,
  judgeOpen,
  KEPT_MS,
  type OpenRecord,
  type RecordCounts,
  type RecordedOutcome,
  type RecordStore,
  type Retention,
  type StoreTime
} from '../../record.ts'
import { InsertionOrder, type Ordered } from './insertion-order.ts'

/** Changed in place: a copy for each transition would be most of what a record costs. */
interface KeptRecord extends OpenRecord, Ordered<KeptRecord> {
  readonly key: string
  owner: string
  state: AcquiredAs
  leaseEndsAtMs: number
  expiresAtMs: number
  search: string | undefined
  /** DONE or REFUSED, whatever the state was before. */
  outcome: RecordedOutcome | undefined
  bytes: number
}

/** Bucket, strings and object, measured on Node 24. */
const RECORD_BYTES = 400

export interface MemoryStoreOptions {
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  readonly maxRecords?: number
  readonly maxBytes?: number
  readonly kept?: Retention
}

/** More than one, so that they become fewer; not all, so that no acquisition pays for a million. */
const EXPIRED_AT_ONCE = 10

/** Records that live as long as the process does: the default, and what it does not survive is said at start-up. */
export function createMemoryStore(options: MemoryStoreOptions): RecordStore & { readonly size: number } {
  return new MemoryStore(options)
}

class MemoryStore implements RecordStore {
  readonly #monotonic: () => number
  readonly #maxRecords: number
  readonly #maxBytes: number
  readonly #kept: Retention
  readonly #records = new Map<string, KeptRecord>()
  /** DONE and REFUSED; PENDING and SENT are never given up for space. */
  readonly #final = new InsertionOrder<KeptRecord>()
  readonly #counts = { pending: 0, sent: 0, done: 0, refused: 0 }
  #bytes = 0
  /** Before this no record under way expires: a full store need not look at all of them. */
  #openUntilMs = Number.POSITIVE_INFINITY

  constructor({ monotonic, maxRecords = 1_000_000, maxBytes = 64 * 1024 * 1024, kept = KEPT_MS }: MemoryStoreOptions) {
    this.#monotonic = monotonic
    this.#maxRecords = maxRecords
    this.#maxBytes = maxBytes
    this.#kept = kept
  }

  get size(): number {
    return this.#records.size
  }

  acquire(acquisition: Acquisition, as: AcquiredAs = 'pending'): Awaitable<AcquireResult> {
    const nowMs = this.#monotonic()
    const record = this.#records.get(acquisition.key)
    const { standing, search } = standingOf(record, acquisition, as, nowMs)
    if (standing) return standing
    if (record) this.#forget(record)
    if (!this.#makeRoom(nowMs)) return Promise.reject(new Error('the store is full'))
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
    this.#setState(record, 'sent')
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
    this.#forget(record)
    this.#keep(acquisition, 'pending', nowMs, record.search)
    return true
  }

  complete(key: string, owner: string | undefined, outcome: RecordedOutcome): void {
    const record = this.#openOf(key, owner)
    if (!record) return
    const bytes = RECORD_BYTES + outcomeBytes(outcome)
    this.#bytes += bytes - record.bytes
    record.bytes = bytes
    record.outcome = outcome
    this.#counts[record.state]--
    this.#counts[outcome.kind]++
    // Nobody asks for it any more, and it would take half of the space.
    record.owner = ''
    record.search = undefined
    record.expiresAtMs = this.#monotonic() + this.#kept[outcome.kind]
    this.#final.add(record)
    while (this.#bytes > this.#maxBytes && this.#final.oldest) this.#forget(this.#final.oldest)
  }

  release(key: string, owner: string, search?: string): void {
    const record = this.#openOf(key, owner)
    if (!record) return
    if (search === undefined) {
      this.#forget(record)
      return
    }
    const nowMs = this.#monotonic()
    this.#setState(record, 'pending')
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

  counts(): RecordCounts {
    return { ...this.#counts }
  }

  isReady(): boolean {
    return this.#final.oldest !== undefined || !this.#isFull()
  }

  async close(): Promise<void> {
    this.#records.clear()
    this.#final.clear()
    this.#bytes = 0
    Object.assign(this.#counts, { pending: 0, sent: 0, done: 0, refused: 0 })
  }

  #setState(record: KeptRecord, state: AcquiredAs): void {
    this.#counts[record.state]--
    this.#counts[state]++
    record.state = state
  }

  /** PENDING or SENT, and this owner's where one is named. */
  #openOf(key: string, owner: string | undefined): KeptRecord | undefined {
    const record = this.#records.get(key)
    const isTheirs = record && !record.outcome && (owner === undefined || record.owner === owner)
    return isTheirs ? record : undefined
  }

  #keep(acquisition: Acquisition, as: AcquiredAs, nowMs: number, search = acquisition.search): void {
    const { key, fingerprint, owner, leaseMs } = acquisition
    const expiresAtMs = nowMs + acquiredKeptMs(as, leaseMs, this.#kept)
    this.#records.set(key, {
      key,
      fingerprint,
      owner,
      state: as,
      leaseEndsAtMs: nowMs + leaseMs,
      expiresAtMs,
      search,
      outcome: undefined,
      bytes: RECORD_BYTES,
      older: undefined,
      newer: undefined
    })
    this.#bytes += RECORD_BYTES
    this.#counts[as]++
    this.#openUntilMs = Math.min(this.#openUntilMs, expiresAtMs)
  }

  #forget(record: KeptRecord): void {
    this.#records.delete(record.key)
    this.#bytes -= record.bytes
    this.#counts[record.outcome?.kind ?? record.state]--
    if (record.outcome) this.#final.remove(record)
  }

  /** False when nothing that may be forgotten is left: an old truth is worth more than a new send. */
  #makeRoom(nowMs: number): boolean {
    for (let forgotten = 0; this.#isFull() || forgotten < EXPIRED_AT_ONCE; forgotten++) {
      const { oldest } = this.#final
      if (!oldest || !(this.#isFull() || nowMs >= oldest.expiresAtMs)) break
      this.#forget(oldest)
    }
    if (this.#isFull()) this.#forgetAbandoned(nowMs)
    return !this.#isFull()
  }

  /** Only asked when every record is PENDING or SENT. */
  #forgetAbandoned(nowMs: number): void {
    if (nowMs < this.#openUntilMs) return
    this.#openUntilMs = Number.POSITIVE_INFINITY
    for (const record of this.#records.values()) {
      if (nowMs >= record.expiresAtMs) this.#forget(record)
      else this.#openUntilMs = Math.min(this.#openUntilMs, record.expiresAtMs)
    }
  }

  #isFull(): boolean {
    return this.#records.size >= this.#maxRecords || this.#bytes + RECORD_BYTES > this.#maxBytes
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
  return fingerprint === acquisition.fingerprint ? outcome : { kind: 'mismatch' }
}

function outcomeBytes(outcome: RecordedOutcome): number {
  return 2 * (outcome.kind === 'done' ? (outcome.body?.length ?? 0) : JSON.stringify(outcome).length)
}
