import type { Ask } from '../../../postgres/connection.ts'
import type { ServerFacts } from '../../../postgres/server-facts.ts'
import { type Acquaintance, remember, type StoreMemory } from './greeting.ts'

/** The tables have gone, or were emptied. */
export class NoMemory extends Error {}

export interface Recalled {
  readonly memory: StoreMemory
  /** Of the table itself: those that a dump has made anew are others. */
  readonly table: string
  /** What the clock of the server shows. */
  readonly nowMs: number
}

/** More than a claim takes: where it finds no room, none does. */
const PROBE_BYTES = 1800

/** The table `store`, which remembers the server that holds the records. */
export class MemoryTable {
  readonly #schema: string
  readonly #now: string

  /** The schema as SQL has it, and the statement `now`. */
  constructor(schema: string, now: string) {
    this.#schema = schema
    this.#now = now
  }

  async recall(ask: Ask, lock: '' | 'FOR UPDATE' = ''): Promise<Recalled> {
    const [row] = await ask(`
      SELECT run, epoch, standbys, floor(extract(epoch FROM lost_at) * 1000)::float8 AS lost_at_ms, loss_matters_for_ms,
        tableoid::text AS table, (SELECT now_ms FROM (${this.#now}) now) AS now_ms
      FROM ${this.#schema}.store ${lock}`)
    if (!row) throw new NoMemory()
    const text = (name: string): string => String(row[name] ?? '')
    const [atMs, mattersForMs] = [row['lost_at_ms'], row['loss_matters_for_ms']]
    const isLost = typeof atMs === 'number' && typeof mattersForMs === 'number'
    const loss = isLost ? { atMs: Math.floor(atMs), mattersForMs } : undefined
    return {
      memory: { run: text('run'), epoch: text('epoch'), standbys: text('standbys'), loss },
      table: text('table'),
      nowMs: Math.floor(Number(row['now_ms']))
    }
  }

  /** Under a lock, so that two processes that notice the same loss begin one epoch; shows that there is room for records. */
  async note(ask: Ask, facts: ServerFacts, met: Acquaintance): Promise<StoreMemory> {
    await ask('BEGIN')
    try {
      const { memory, nowMs } = await this.recall(ask, 'FOR UPDATE')
      const { run, epoch, standbys, loss } = remember(memory, facts, met, nowMs)
      await ask(
        `UPDATE ${this.#schema}.store SET run = $1, epoch = $2, standbys = $3, lost_at = to_timestamp($4::float8 / 1000),
           loss_matters_for_ms = $5::float8, probed_at = clock_timestamp()`,
        [run, epoch, standbys, loss?.atMs ?? null, loss?.mattersForMs ?? null]
      )
      await this.#probe(ask)
      await ask('COMMIT')
      return { run, epoch, standbys, loss }
    } catch (error) {
      await ask('ROLLBACK').catch(() => undefined)
      throw error
    }
  }

  /** No record has an empty key. */
  async #probe(ask: Ask): Promise<void> {
    await ask(
      `INSERT INTO ${this.#schema}.records (key, fingerprint, owner, state, lease_ends_at, lease_ended, expires_at, search)
       VALUES ('', '', '', 'pending', '-infinity', true, '-infinity', repeat(' ', ${PROBE_BYTES})) ON CONFLICT DO NOTHING`
    )
    await ask(`DELETE FROM ${this.#schema}.records WHERE key = ''`)
  }
}
