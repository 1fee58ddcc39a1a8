import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RecordCounts } from '../../record.ts'

/** A millisecond of work, once a second. */
const COUNTED_AT_ONCE = 2000

/**
 * How many records are in each state. A file of a million cannot be counted at once without making callers wait, so it is
 * counted some at a time, and what is known is the last count that came to its end.
 */
export class RecordCount {
  readonly #page: StatementSync
  readonly #atOnce: number
  #after = Number.MIN_SAFE_INTEGER
  #counting = none()
  #counted: RecordCounts | undefined
  #isWanted = false

  constructor(database: DatabaseSync, atOnce: number = COUNTED_AT_ONCE) {
    this.#atOnce = atOnce
    this.#page = database.prepare(`
      SELECT state, count(*) AS records, max(id) AS last FROM
      (SELECT rowid AS id, state FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?) GROUP BY state`)
  }

  /** Undefined until they were counted once; who asks has them counted again. */
  get counts(): RecordCounts | undefined {
    this.#isWanted = true
    return this.#counted
  }

  /** Counts some more, where somebody has asked. Throws where the file cannot be read. */
  step(): void {
    if (!this.#isWanted) return
    let found = 0
    for (const { state, records, last } of this.#page.all(this.#after, this.#atOnce)) {
      found += Number(records)
      this.#after = Math.max(this.#after, Number(last))
      this.#counting[state as keyof RecordCounts] += Number(records)
    }
    if (found === this.#atOnce) return
    this.#counted = this.#counting
    this.#counting = none()
    this.#after = Number.MIN_SAFE_INTEGER
    this.#isWanted = false
  }
}

function none(): Record<keyof RecordCounts, number> {
  return { pending: 0, sent: 0, done: 0, refused: 0 }
}
