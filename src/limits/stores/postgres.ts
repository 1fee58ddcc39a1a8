import { randomInt, randomUUID } from 'node:crypto'
import { groupBy } from '../../lib/node20/group-by.ts'
import type { SharedPostgres } from '../../postgres/shared.ts'
import { CELL_MS, CELLS, reserve, returnUnits } from '../cells.ts'
import type { QuotaStore, Reserved, ReserveOrder } from '../quota-store.ts'
import {
  charge,
  giveBack,
  keptUntilMs,
  type LogAnswer,
  type LogCharge,
  moveCharge,
  type SlidingLog
} from '../sliding-log.ts'
import { cellsIn, parsed, readLog, writeLog } from './kept-state.ts'

/** What becomes of a quota: its text from then on, until when that is kept, and what the caller is told. */
type Change = (
  state: unknown,
  nowMs: number
) => { readonly state: string; readonly untilMs: number; readonly told: unknown }

interface Waiting {
  readonly name: string
  readonly change: Change
  readonly resolve: (told: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Quota {
  readonly state: unknown
  /** Undefined where there is none. */
  readonly version: number | undefined
}

/** Another process was quicker so many times: then this one counts for itself. */
const MAX_ATTEMPTS = 20
const SWEEP_EVERY_MS = 1000
const SWEPT_AT_ONCE = 500
/** An instance that has not asked for so long is gone. */
const BEAT_KEPT_SECONDS = 60
/** Where versions begin: a quota that went and came back is another one. */
const MAX_FIRST_VERSION = 2 ** 40

/**
 * Quotas of all instances, beside the records and on their connections. What is asked for while a batch is out is the
 * next one: each reads its quotas, does the arithmetic here and writes those that no other process has changed meanwhile.
 */
export class PostgresQuotas implements QuotaStore {
  readonly isShared = true
  readonly #postgres: SharedPostgres
  readonly #instance = randomUUID()
  readonly #read: string
  readonly #write: string
  readonly #sweep: string
  readonly #timer: NodeJS.Timeout
  #waiting: Waiting[] = []
  #isOut = false
  #sweptTo = ''

  /** `clock` is SQL of a timestamp, for tests, which cannot move the clock of a Postgres. */
  constructor(postgres: SharedPostgres, clock = 'clock_timestamp()') {
    this.#postgres = postgres
    const quotas = `${postgres.schema}.quotas`
    const now = `floor(extract(epoch FROM ${clock}) * 1000)::float8`
    this.#read = `
      SELECT asked.name, q.state, q.version::float8, ${now} AS now_ms
      FROM unnest($1::text[]) AS asked (name) LEFT JOIN ${quotas} q USING (name)`
    this.#write = `
      INSERT INTO ${quotas} AS q (name, state, version, expires_at_ms)
      SELECT name, state, version, expires_at_ms
      FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[]) AS kept (name, state, version, expires_at_ms)
      ORDER BY name COLLATE "C"
      ON CONFLICT (name) DO UPDATE
        SET state = excluded.state, version = excluded.version, expires_at_ms = excluded.expires_at_ms
        WHERE q.version = excluded.version - 1
      RETURNING name`
    this.#sweep = `
      WITH page AS MATERIALIZED (
        SELECT name FROM ${quotas} WHERE name > $1::text COLLATE "C" ORDER BY name LIMIT ${SWEPT_AT_ONCE}),
      over AS MATERIALIZED (
        SELECT q.name FROM ${quotas} q JOIN page USING (name) WHERE q.expires_at_ms <= ${now} FOR UPDATE OF q SKIP LOCKED),
      gone AS (DELETE FROM ${quotas} q USING over WHERE q.name = over.name)
      SELECT max(name) AS last, count(*)::int AS seen FROM page`
    this.#timer = setInterval(() => void this.#sweepOn(), SWEEP_EVERY_MS).unref()
  }

  charge(user: string, order: LogCharge): Promise<LogAnswer> {
    return this.#ofLog(user, (log, nowMs) => charge(log, nowMs, order))
  }

  async giveBack(user: string, atMs: number, units: number): Promise<void> {
    await this.#ofLog(user, log => giveBack(log, atMs, units))
  }

  async moveCharge(user: string, atMs: number, units: number): Promise<void> {
    await this.#ofLog(user, (log, nowMs) => moveCharge(log, atMs, nowMs, units))
  }

  reserve({ name, limit, returned, ...order }: ReserveOrder): Promise<Reserved> {
    return this.#ask(`budget:${name}`, (state, nowMs) => {
      const [keptCells, keptBeats] = listIn(state)
      const cells = cellsIn(keptCells)
      returnUnits(cells, returned)
      const reservation = reserve(cells, nowMs, { ...order, limit })
      const beats = beatsIn(keptBeats, this.#instance, reservation.second)
      const told: Reserved = { ...reservation, instances: beats.length }
      return { state: JSON.stringify([cells, beats]), untilMs: nowMs + (CELLS + 1) * CELL_MS, told }
    })
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #ofLog<T>(user: string, change: (log: SlidingLog, nowMs: number) => T): Promise<T> {
    return this.#ask(`user:${user}`, (state, nowMs) => {
      const log = readLog(state)
      const told = change(log, nowMs)
      return { state: writeLog(log), untilMs: keptUntilMs(log, nowMs), told }
    })
  }

  #ask<T>(
    name: string,
    change: (...args: Parameters<Change>) => ReturnType<Change> & { readonly told: T }
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, change, resolve: resolve as Waiting['resolve'], reject })
      if (this.#waiting.length === 1 && !this.#isOut) setImmediate(() => void this.#runAll())
    })
  }

  async #runAll(): Promise<void> {
    if (this.#isOut) return
    this.#isOut = true
    while (this.#waiting.length > 0) await this.#run(this.#waiting.splice(0))
    this.#isOut = false
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    let left = batch
    try {
      for (let attempt = 1; left.length > 0 && attempt <= MAX_ATTEMPTS; attempt++) left = await this.#attempt(left)
      if (left.length > 0) throw new Error('the quota changes too fast')
    } catch (error) {
      for (const { reject } of left) reject(error)
    }
  }

  /** Several changes of one quota are made one after the other; returns those that another process was quicker than. */
  async #attempt(batch: readonly Waiting[]): Promise<readonly Waiting[]> {
    const byName = groupBy(batch, ({ name }) => name)
    const names = [...byName.keys()]
    const quotas = new Map<string, Quota>()
    const rows = await this.#postgres.ask(this.#read, [names])
    for (const { name, state, version } of rows) {
      quotas.set(String(name), { state, version: typeof version === 'number' ? version : undefined })
    }
    const nowMs = Number(rows[0]?.['now_ms'])
    const told = new Map<Waiting, unknown>()
    const kept = names.map(name => {
      let { state, version } = quotas.get(name) ?? { state: undefined, version: undefined }
      let untilMs = nowMs
      for (const one of byName.get(name) ?? []) {
        const changed = one.change(state, nowMs)
        told.set(one, changed.told)
        state = changed.state
        untilMs = changed.untilMs
      }
      return [name, state, version === undefined ? randomInt(1, MAX_FIRST_VERSION) : version + 1, untilMs] as const
    })
    const columns = [0, 1, 2, 3].map(column => kept.map(row => row[column]))
    const written = new Set((await this.#postgres.ask(this.#write, columns)).map(({ name }) => String(name)))
    for (const one of batch) if (written.has(one.name)) one.resolve(told.get(one))
    return batch.filter(({ name }) => !written.has(name))
  }

  /** Walks through the rows, some at a time: an index on a column that every charge changes would cost more. */
  async #sweepOn(): Promise<void> {
    try {
      const [{ last, seen } = {}] = await this.#postgres.ask(this.#sweep, [this.#sweptTo])
      this.#sweptTo = seen === SWEPT_AT_ONCE && typeof last === 'string' ? last : ''
    } catch {
      // While Postgres is away the next round is soon enough.
    }
  }
}

function listIn(state: unknown): readonly unknown[] {
  const list = parsed(state)
  return Array.isArray(list) ? list : []
}

/** Which instances have asked lately, and when. */
function beatsIn(state: unknown, instance: string, second: number): (readonly [string, number])[] {
  const beats: readonly unknown[] = Array.isArray(state) ? state : []
  const others = beats.flatMap(beat => {
    const [name, at] = Array.isArray(beat) ? beat : []
    const isAlive = typeof at === 'number' && at <= second && at > second - BEAT_KEPT_SECONDS
    return typeof name === 'string' && name !== instance && isAlive ? [[name, at] as const] : []
  })
  return [...others, [instance, second]]
}
