import { judgeOpen, type OpenRecord } from './open-record.ts'
import {
  type Claim,
  type ClaimResult,
  KEPT_MS,
  type Outcome,
  pendingKeptMs,
  type RecordStore,
  type Retention
} from './record-store.ts'

export interface MemoryStoreOptions {
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  readonly maxRecords?: number
  readonly maxBytes?: number
  readonly kept?: Retention
}

interface KeptRecord extends OpenRecord {
  readonly expiresAtMs: number
}

interface SettledRecord {
  readonly fingerprint: string
  readonly outcome: Outcome
  readonly expiresAtMs: number
}

/** Map entry, strings and object, measured on Node 24. */
const RECORD_BYTES = 400

/** Records that live as long as the process does: the default, and what it does not survive is said at start-up. */
export function createMemoryStore(options: MemoryStoreOptions): RecordStore & { readonly size: number } {
  return new MemoryStore(options)
}

class MemoryStore implements RecordStore {
  readonly #monotonic: () => number
  readonly #maxRecords: number
  readonly #maxBytes: number
  readonly #kept: Retention
  /** PENDING and SENT: never given up for space. */
  readonly #open = new Map<string, KeptRecord>()
  /** DONE and REFUSED, oldest first. */
  readonly #settled = new Map<string, SettledRecord>()
  #bytes = 0

  constructor({ monotonic, maxRecords = 1_000_000, maxBytes = 64 * 1024 * 1024, kept = KEPT_MS }: MemoryStoreOptions) {
    this.#monotonic = monotonic
    this.#maxRecords = maxRecords
    this.#maxBytes = maxBytes
    this.#kept = kept
  }

  get size(): number {
    return this.#open.size + this.#settled.size
  }

  async claim(claim: Claim): Promise<ClaimResult> {
    const nowMs = this.#monotonic()
    const settled = this.#settledNow(claim.key, nowMs)
    if (settled) return settled.fingerprint === claim.fingerprint ? settled.outcome : { kind: 'mismatch' }
    const open = this.#openNow(claim.key, nowMs)
    const standing = open && judgeOpen(open, claim, nowMs)
    if (standing) return standing
    this.#forgetOpen(claim.key)
    this.#makeRoom(nowMs)
    this.#keepOpen(claim, nowMs)
    return { kind: 'claimed' }
  }

  async markSent(key: string, owner: string): Promise<boolean> {
    const nowMs = this.#monotonic()
    const record = this.#open.get(key)
    const isOurs = record?.owner === owner && record.state === 'pending' && nowMs < record.leaseEndsAtMs
    if (!record || !isOurs) return record?.owner === owner && record.state === 'sent' && nowMs < record.leaseEndsAtMs
    this.#open.set(key, { ...record, state: 'sent', expiresAtMs: nowMs + this.#kept.sent })
    return true
  }

  async doubt(key: string, owner: string): Promise<void> {
    const record = this.#open.get(key)
    if (record?.owner !== owner || record.state !== 'sent') return
    const leaseEndsAtMs = Math.min(record.leaseEndsAtMs, this.#monotonic())
    this.#open.set(key, { ...record, leaseEndsAtMs })
  }

  async reclaim(key: string, previousOwner: string, claim: Claim): Promise<boolean> {
    const nowMs = this.#monotonic()
    const record = this.#open.get(key)
    if (record?.owner === claim.owner && record.state === 'pending') return true
    if (record?.owner !== previousOwner || record.state !== 'sent' || nowMs < record.leaseEndsAtMs) return false
    this.#forgetOpen(key)
    this.#keepOpen(claim, nowMs)
    return true
  }

  async finish(key: string, owner: string | undefined, outcome: Outcome): Promise<void> {
    const record = this.#open.get(key)
    if (!record || (owner !== undefined && record.owner !== owner)) return
    this.#forgetOpen(key)
    const expiresAtMs = this.#monotonic() + this.#kept[outcome.kind]
    this.#settled.set(key, { fingerprint: record.fingerprint, outcome, expiresAtMs })
    this.#bytes += bytesOf(outcome)
    this.#evictBeyondBytes()
  }

  async release(key: string, owner: string): Promise<void> {
    if (this.#open.get(key)?.owner === owner) this.#forgetOpen(key)
  }

  forgetfulForMs(): undefined {
    return undefined
  }

  isReady(): boolean {
    return this.#settled.size > 0 || !this.#isFull()
  }

  async close(): Promise<void> {
    this.#open.clear()
    this.#settled.clear()
    this.#bytes = 0
  }

  #settledNow(key: string, nowMs: number): SettledRecord | undefined {
    const record = this.#settled.get(key)
    if (!record || nowMs < record.expiresAtMs) return record
    this.#forgetSettled(key, record)
    return undefined
  }

  #openNow(key: string, nowMs: number): KeptRecord | undefined {
    const record = this.#open.get(key)
    if (!record || nowMs < record.expiresAtMs) return record
    this.#forgetOpen(key)
    return undefined
  }

  #keepOpen({ key, fingerprint, owner, leaseMs }: Claim, nowMs: number): void {
    const record = { fingerprint, owner, state: 'pending', leaseEndsAtMs: nowMs + leaseMs } as const
    this.#open.set(key, { ...record, expiresAtMs: nowMs + pendingKeptMs(leaseMs) })
    this.#bytes += RECORD_BYTES
  }

  #forgetOpen(key: string): void {
    if (this.#open.delete(key)) this.#bytes -= RECORD_BYTES
  }

  #forgetSettled(key: string, { outcome }: SettledRecord): void {
    if (this.#settled.delete(key)) this.#bytes -= bytesOf(outcome)
  }

  /** Throws when nothing that may be forgotten is left: an old truth is worth more than a new send. */
  #makeRoom(nowMs: number): void {
    for (const [key, record] of this.#settled) {
      if (nowMs < record.expiresAtMs && !this.#isFull()) break
      this.#forgetSettled(key, record)
    }
    if (!this.#isFull()) return
    for (const [key, record] of this.#open) {
      if (nowMs >= record.expiresAtMs) this.#forgetOpen(key)
    }
    if (this.#isFull()) throw new Error('the store is full')
  }

  #evictBeyondBytes(): void {
    for (const [key, record] of this.#settled) {
      if (this.#bytes <= this.#maxBytes) break
      this.#forgetSettled(key, record)
    }
  }

  #isFull(): boolean {
    return this.size >= this.#maxRecords || this.#bytes + RECORD_BYTES > this.#maxBytes
  }
}

function bytesOf(outcome: Outcome): number {
  return RECORD_BYTES + (outcome.kind === 'done' ? (outcome.body?.length ?? 0) * 2 : JSON.stringify(outcome).length * 2)
}
