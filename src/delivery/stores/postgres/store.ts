// Delivery records in Postgres, for several instances. Dates are the server's own, so instances need not agree on the time.
// A restart loses nothing; what a failover or a restored backup may have lost makes the store say so (msSinceDataLoss).
import type { PostgresAddress } from '../../../lib/service/postgres-address.ts'
import type { Emit } from '../../../observability/events.ts'
import { Batches } from '../../../postgres/batches.ts'
import type { Row } from '../../../postgres/connection.ts'
import { isStorable, type SharedPostgres } from '../../../postgres/shared.ts'
import { readOutcome, writeOutcome } from '../../outcome.ts'
import {
  type AcquiredAs,
  type AcquireResult,
  type Acquisition,
  acquired,
  acquiredKeptMs,
  isFarAhead,
  isMisdated,
  isOfContent,
  judgeOpen,
  KEPT_MS,
  type OpenRecord,
  type RecordedOutcome,
  type RecordStore,
  type Retention,
  type StoreTime
} from '../../record.ts'
import { ExpiryWalk } from './expiry-walk.ts'
import { PostgresSession } from './session.ts'
import type { Transition } from './statements.ts'

export interface PostgresStoreOptions {
  readonly address: PostgresAddress
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  readonly emit: Emit
  readonly kept?: Retention
  /** After which a transition is rejected; other waits follow from it. */
  readonly commandTimeoutMs?: number
  /** At most; 3 unless given. */
  readonly connections?: number
  /** For tests, which cannot move the clock of a Postgres: SQL of a timestamp. */
  readonly clock?: string
}

/** A commit may wait for the disk of a server that writes a checkpoint. */
const COMMAND_TIMEOUT_MS = 1000
/** A record that changes while it is asked for is asked for again. */
const MAX_ATTEMPTS = 5

/**
 * Resolves also when Postgres is not there: the store says that it is not ready, rejects every transition, and recovers
 * by itself. Throws a StoreError when Postgres must not be used as it is.
 */
export async function createPostgresStore(
  options: PostgresStoreOptions
): Promise<RecordStore & { readonly postgres: SharedPostgres; walk(): Promise<boolean> }> {
  const { kept = KEPT_MS, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options
  const session = new PostgresSession({ ...options, lossMattersMs: kept.sent, commandTimeoutMs })
  await session.open()
  return new PostgresStore(session, kept)
}

/** Values of a record, in the order of the columns of its statement; the first is its key. */
type Values = readonly [key: string, ...values: (string | number | null)[]]

/** They rest on what an acquisition saw, which may be lost by now. */
const RESTS_ON_ACQUISITION: ReadonlySet<Transition> = new Set(['markSent', 'takeOver'])

/** What a record that was read says to an acquisition. */
interface Judgement {
  /** Undefined where the acquisition may take its place. */
  readonly standing?: AcquireResult | undefined
  readonly search?: string | undefined
  /** Its lease has a date that cannot be, and ends now. */
  readonly isMisdated?: boolean
}

class PostgresStore implements RecordStore {
  readonly postgres: SharedPostgres
  readonly #session: PostgresSession
  readonly #kept: Retention
  readonly #batches: Readonly<Record<Transition, Batches<Values, Row>>>
  readonly #walk: ExpiryWalk

  constructor(session: PostgresSession, kept: Retention) {
    this.#session = session
    this.#kept = kept
    this.postgres = session.shared
    const batches = (name: Transition): Batches<Values, Row> =>
      new Batches({
        keyOf: ([key]) => key,
        run: records => session.run(session.statements[name], records, !RESTS_ON_ACQUISITION.has(name))
      })
    this.#batches = {
      acquire: batches('acquire'),
      peek: batches('peek'),
      endLease: batches('endLease'),
      markSent: batches('markSent'),
      markInDoubt: batches('markInDoubt'),
      takeOver: batches('takeOver'),
      complete: batches('complete'),
      release: batches('release'),
      abandon: batches('abandon'),
      noteSearch: batches('noteSearch')
    }
    this.#walk = new ExpiryWalk(values => session.ask(session.statements.walk, values))
  }

  async acquire(acquisition: Acquisition, as: AcquiredAs = 'pending'): Promise<AcquireResult> {
    const { key, fingerprint, owner, leaseMs, search = null } = acquisition
    const values: Values = [key, fingerprint, owner, as, leaseMs, acquiredKeptMs(as, leaseMs, this.#kept), search]
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const row = await this.#ask('acquire', values)
      if (row['kept'] === true) {
        const former = row['kept_search']
        return acquired(as, typeof former === 'string' && former !== search ? former : undefined)
      }
      const { standing, isMisdated } = this.#judge(row, acquisition, as)
      if (isMisdated) await this.#did('endLease', key)
      if (standing) return standing
    }
    throw new Error('the record changes too fast')
  }

  async peek(acquisition: Acquisition): Promise<AcquireResult> {
    const row = await this.#ask('peek', [acquisition.key])
    const { standing, search } = this.#judge(row, acquisition, 'pending')
    return standing ?? acquired('pending', search)
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
    await this.#did('complete', key, owner ?? null, kind, writeOutcome(outcome), this.#kept[kind])
  }

  async release(key: string, owner: string, search?: string): Promise<void> {
    if (search === undefined) await this.#did('release', key, owner)
    else await this.#did('abandon', key, owner, search, this.#kept.sent)
  }

  noteSearch(key: string, former: string | undefined, search: string): Promise<boolean> {
    return this.#did('noteSearch', key, former ?? null, search)
  }

  time(): StoreTime {
    return this.#session.server.time()
  }

  msSinceDataLoss(): number | undefined {
    return this.#session.server.msSinceDataLoss()
  }

  isReady(): boolean {
    return this.#session.isReady()
  }

  async close(): Promise<void> {
    this.#walk.end()
    this.#session.close()
  }

  /** Forgets what has expired of the next page of records; says whether much of it had. */
  walk(): Promise<boolean> {
    return this.#walk.page()
  }

  #judge(row: Row, acquisition: Acquisition, as: AcquiredAs): Judgement {
    const { fingerprint, owner, state, outcome } = row
    const [nowMs, leaseEndsAtMs] = [Number(row['now_ms']), Number(row['lease_ends_at_ms'])]
    if (typeof fingerprint !== 'string' || typeof owner !== 'string' || Number(row['expires_at_ms']) <= nowMs) return {}
    if (state === 'refused' && isFarAhead(leaseEndsAtMs, nowMs)) return {}
    if (state !== 'pending' && state !== 'sent') {
      return { standing: isOfContent(fingerprint, acquisition) ? readOutcome(outcome) : { kind: 'mismatch' } }
    }
    const search = typeof row['search'] === 'string' ? row['search'] : undefined
    const found: OpenRecord = {
      fingerprint,
      owner,
      state,
      search,
      leaseEndsAtMs,
      isLeaseEnded: row['lease_ended'] === true
    }
    const misdated = isMisdated(found, nowMs)
    const open = misdated ? { ...found, leaseEndsAtMs: nowMs, isLeaseEnded: true } : found
    const { server } = this.#session
    const trustedMs = (ms: number): number => server.trustedElapsedMs(ms, acquisition.leaseMs)
    return { standing: judgeOpen(open, acquisition, as, nowMs, trustedMs), search, isMisdated: misdated }
  }

  async #did(transition: Transition, ...values: Values): Promise<boolean> {
    return (await this.#ask(transition, values))['did'] === true
  }

  /** One that Postgres cannot keep is refused before it fails its neighbours. */
  #ask(transition: Transition, values: Values): Promise<Row> {
    const areStorable = values.every(value => typeof value !== 'string' || isStorable(value))
    return areStorable ? this.#batches[transition].ask(values) : Promise.reject(new Error('Postgres cannot keep this'))
  }
}
