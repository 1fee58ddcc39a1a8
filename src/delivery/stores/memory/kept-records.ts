import type { AcquiredAs, OpenRecord, RecordCounts, RecordedOutcome } from '../../record.ts'

/** What stands in such an order, in one at a time. */
export interface Ordered<T> {
  older: T | undefined
  newer: T | undefined
}

/**
 * Records in the order in which they were added, at the same cost for a million as for one. A Map has the order too,
 * but what is deleted at its front is skipped again by everybody who looks for the oldest.
 */
export class InsertionOrder<T extends Ordered<T>> {
  #oldest: T | undefined
  #newest: T | undefined

  get oldest(): T | undefined {
    return this.#oldest
  }

  add(one: T): void {
    one.older = this.#newest
    if (this.#newest) this.#newest.newer = one
    else this.#oldest = one
    this.#newest = one
  }

  remove(one: T): void {
    if (one.older) one.older.newer = one.newer
    else this.#oldest = one.newer
    if (one.newer) one.newer.older = one.older
    else this.#newest = one.older
    one.older = undefined
    one.newer = undefined
  }

  clear(): void {
    this.#oldest = undefined
    this.#newest = undefined
  }
}

/** Changed in place: a copy for each transition would be most of what a record costs. */
export interface KeptRecord extends OpenRecord, Ordered<KeptRecord> {
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

/** More than one, so that they become fewer; not all, so that no acquisition pays for a million. */
const EXPIRED_AT_ONCE = 10

/** The records in memory, within bounds of their number and their bytes. */
export class KeptRecords {
  readonly #maxRecords: number
  readonly #maxBytes: number
  readonly #byKey = new Map<string, KeptRecord>()
  /** DONE and REFUSED; PENDING and SENT are never given up for space. */
  readonly #final = new InsertionOrder<KeptRecord>()
  readonly #counts = { pending: 0, sent: 0, done: 0, refused: 0 }
  #bytes = 0
  #displacedAtMs = Number.NEGATIVE_INFINITY
  /** Before this no record under way expires: a full store need not look at all of them. */
  #openUntilMs = Number.POSITIVE_INFINITY

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#byKey.size
  }

  counts(): RecordCounts {
    return { ...this.#counts }
  }

  get(key: string): KeptRecord | undefined {
    return this.#byKey.get(key)
  }

  add(record: Omit<KeptRecord, 'outcome' | 'bytes' | keyof Ordered<KeptRecord>>): void {
    const { key, fingerprint, owner, state, leaseEndsAtMs, expiresAtMs, search } = record
    this.#byKey.set(key, {
      key,
      fingerprint,
      owner,
      state,
      leaseEndsAtMs,
      expiresAtMs,
      search,
      outcome: undefined,
      bytes: RECORD_BYTES,
      older: undefined,
      newer: undefined
    })
    this.#bytes += RECORD_BYTES
    this.#counts[state]++
    this.#openUntilMs = Math.min(this.#openUntilMs, expiresAtMs)
  }

  /** Of one that is not final. */
  setState(record: KeptRecord, state: AcquiredAs): void {
    this.#counts[record.state]--
    this.#counts[state]++
    record.state = state
  }

  /** From now on the record is final, and among those that go first where there is too little space. */
  finish(record: KeptRecord, outcome: RecordedOutcome, nowMs: number, expiresAtMs: number): void {
    const bytes = RECORD_BYTES + outcomeBytes(outcome)
    this.#bytes += bytes - record.bytes
    record.bytes = bytes
    record.outcome = outcome
    this.#counts[record.state]--
    this.#counts[outcome.kind]++
    // Nobody asks for it any more, and it would take half of the space.
    record.owner = ''
    record.search = undefined
    record.expiresAtMs = expiresAtMs
    this.#final.add(record)
    while (this.#bytes > this.#maxBytes && this.#final.oldest) this.#displace(this.#final.oldest, nowMs)
  }

  forget(record: KeptRecord): void {
    this.#byKey.delete(record.key)
    this.#bytes -= record.bytes
    this.#counts[record.outcome?.kind ?? record.state]--
    if (record.outcome) this.#final.remove(record)
  }

  /** When a finished record went before its time, to make room. */
  get displacedAtMs(): number {
    return this.#displacedAtMs
  }

  #displace(record: KeptRecord, nowMs: number): void {
    if (nowMs < record.expiresAtMs) this.#displacedAtMs = nowMs
    this.forget(record)
  }

  clear(): void {
    this.#byKey.clear()
    this.#final.clear()
    this.#bytes = 0
    Object.assign(this.#counts, { pending: 0, sent: 0, done: 0, refused: 0 })
  }

  /** Whether there is room for one more, or something that may be forgotten for it. */
  get canTakeAnother(): boolean {
    return this.#final.oldest !== undefined || !this.#isFull()
  }

  /** False when nothing that may be forgotten is left: an old truth is worth more than a new send. */
  makeRoom(nowMs: number): boolean {
    for (let forgotten = 0; this.#isFull() || forgotten < EXPIRED_AT_ONCE; forgotten++) {
      const { oldest } = this.#final
      if (!oldest || !(this.#isFull() || nowMs >= oldest.expiresAtMs)) break
      this.#displace(oldest, nowMs)
    }
    if (this.#isFull()) this.#forgetAbandoned(nowMs)
    return !this.#isFull()
  }

  /** Only asked when every record is PENDING or SENT. */
  #forgetAbandoned(nowMs: number): void {
    if (nowMs < this.#openUntilMs) return
    this.#openUntilMs = Number.POSITIVE_INFINITY
    for (const record of this.#byKey.values()) {
      if (nowMs >= record.expiresAtMs) this.forget(record)
      else this.#openUntilMs = Math.min(this.#openUntilMs, record.expiresAtMs)
    }
  }

  #isFull(): boolean {
    return this.#byKey.size >= this.#maxRecords || this.#bytes + RECORD_BYTES > this.#maxBytes
  }
}

function outcomeBytes(outcome: RecordedOutcome): number {
  return 2 * (outcome.kind === 'done' ? (outcome.body?.length ?? 0) : JSON.stringify(outcome).length)
}
