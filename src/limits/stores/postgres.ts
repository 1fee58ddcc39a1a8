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
import { QuotaGenerations } from './quota-generations.ts'

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

/** Another process was quicker so many times: then this one counts for itself. */
const MAX_ATTEMPTS = 20
const UPKEEP_EVERY_MS = 1000
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
  readonly #generations: QuotaGenerations
  readonly #instance = randomUUID()
  readonly #timer: NodeJS.Timeout
  #waiting: Waiting[] = []
  #isOut = false

  /** `clock` is SQL of a timestamp, for tests, which cannot move the clock of a Postgres. */
  constructor(postgres: SharedPostgres, clock = 'clock_timestamp()') {
    this.#generations = new QuotaGenerations(postgres, `floor(extract(epoch FROM ${clock}) * 1000)::float8`)
    // While Postgres is away the next round is soon enough.
    this.#timer = setInterval(() => void this.upkeep().catch(() => undefined), UPKEEP_EVERY_MS).unref()
  }

  upkeep(): Promise<void> {
    return this.#generations.upkeep()
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
    const { quotas, nowMs, generation } = await this.#generations.read([...byName.keys()])
    const told = new Map<Waiting, unknown>()
    const kept = [...byName].map(([name, changes]) => {
      const quota = quotas.get(name)
      let state = quota?.state
      let untilMs = nowMs
      for (const one of changes) {
        const changed = one.change(state, nowMs)
        told.set(one, changed.told)
        state = changed.state
        untilMs = changed.untilMs
      }
      return {
        name,
        state: String(state),
        version: quota ? quota.version + 1 : randomInt(1, MAX_FIRST_VERSION),
        untilMs
      }
    })
    const written = await this.#generations.write(kept, generation)
    for (const one of batch) if (written.has(one.name)) one.resolve(told.get(one))
    return batch.filter(({ name }) => !written.has(name))
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
