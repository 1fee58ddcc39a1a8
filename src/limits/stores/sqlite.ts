import type { StatementSync } from 'node:sqlite'
import type { SharedDatabase } from '../../sqlite/shared.ts'
import { whileStarting } from '../../sqlite/waiting.ts'
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
import { readCells, readLog, writeLog } from './kept-state.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS quotas (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) STRICT
`
const SWEEP_EVERY_MS = 1000
const SWEPT_AT_ONCE = 200

export interface FileQuotasOptions extends SharedDatabase {
  /** Milliseconds since the Unix epoch: the processes that share the file have no other clock in common. */
  readonly now: () => number
  /** Processes that share the file. */
  readonly instances: number
}

/** Quotas in the file of the records, in the same commits. */
export class FileQuotas implements QuotaStore {
  readonly isShared = true
  readonly #options: FileQuotasOptions
  readonly #get: StatementSync
  readonly #set: StatementSync
  readonly #sweepOne: StatementSync
  readonly #lastOf: StatementSync
  readonly #timer: NodeJS.Timeout
  #sweptTo = 0

  constructor(options: FileQuotasOptions) {
    const { database } = options
    this.#options = options
    whileStarting(database, () => database.exec(SCHEMA))
    this.#get = database.prepare('SELECT state FROM quotas WHERE name = ?')
    this.#set = database.prepare(`
      INSERT INTO quotas (name, state, expires_at_ms) VALUES (?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET state = excluded.state, expires_at_ms = excluded.expires_at_ms`)
    this.#sweepOne = database.prepare('DELETE FROM quotas WHERE id > ? AND id <= ? AND expires_at_ms <= ?')
    this.#lastOf = database.prepare(
      'SELECT max(id) AS last, count(*) AS rows FROM (SELECT id FROM quotas WHERE id > ? ORDER BY id LIMIT ?)'
    )
    this.#timer = setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref()
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

  reserve({ name, wanted, limit, force, returned }: ReserveOrder): Promise<Reserved> {
    return this.#options.commits.run(() => {
      const nowMs = this.#now()
      const cells = readCells(this.#read(`budget:${name}`))
      returnUnits(cells, returned)
      const reservation = reserve(cells, nowMs, { wanted, limit, force })
      this.#set.run(`budget:${name}`, JSON.stringify(cells), nowMs + (CELLS + 1) * CELL_MS)
      return { ...reservation, instances: this.#options.instances }
    })
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #ofLog<T>(user: string, change: (log: SlidingLog, nowMs: number) => T): Promise<T> {
    return this.#options.commits.run(() => {
      const nowMs = this.#now()
      const log = readLog(this.#read(`user:${user}`))
      const result = change(log, nowMs)
      this.#set.run(`user:${user}`, writeLog(log), keptUntilMs(log, nowMs))
      return result
    })
  }

  #read(name: string): unknown {
    return this.#get.get(name)?.['state']
  }

  #now(): number {
    return Math.floor(this.#options.now())
  }

  /** Walks through the rows, some at a time: an index on a column that every charge changes would cost more. */
  #sweep(): void {
    const { database, commits } = this.#options
    if (!database.isOpen) return
    try {
      const { last, rows } = this.#lastOf.get(this.#sweptTo, SWEPT_AT_ONCE) ?? {}
      const upTo = Number(last ?? 0)
      if (upTo > 0) commits.runNow(() => this.#sweepOne.run(this.#sweptTo, upTo, this.#now()))
      this.#sweptTo = Number(rows) < SWEPT_AT_ONCE ? 0 : upTo
    } catch {
      // Another process has the file for too long, or it is full: the next round is soon enough.
    }
  }
}
