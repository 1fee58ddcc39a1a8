import type { SharedPostgres } from '../../postgres/shared.ts'

/** A quota as it is kept. */
export interface KeptQuota {
  readonly name: string
  readonly state: string
  readonly version: number
  readonly untilMs: number
}

export interface FoundQuotas {
  /** By name. */
  readonly quotas: ReadonlyMap<string, { readonly state: unknown; readonly version: number }>
  readonly nowMs: number
  readonly generation: number
}

const TABLES = 3
/** What has not changed for so long is over, but for a few quotas that are carried on. */
export const GENERATION_MS = 70_000
/** So often a generation may be another one than was thought. */
const MAX_LOOKS = 5
/** A generation begins a second later rather than that charges wait for it. */
const LOCK_TIMEOUT_MS = 300
/** To give space back is slow on some disks, and nothing waits for it. */
const EMPTY_TIMEOUT_MS = 10_000

/**
 * Quotas in Postgres, in three tables that take turns. Each charge makes another version of a row, and while anybody holds a
 * snapshot (a long query, a dump, a standby that lags) no version can be swept: one table would grow for as long. So each
 * generation of quotas has a table, in which that one alone writes; the one before is still read, and the oldest is emptied
 * as a whole, which gives its space back in spite of every snapshot.
 */
export class QuotaGenerations {
  readonly #postgres: SharedPostgres
  readonly #now: string
  readonly #counter: string
  /** The last that was seen. */
  #generation = 1

  /** `now` is SQL of the time, in milliseconds. */
  constructor(postgres: SharedPostgres, now: string) {
    this.#postgres = postgres
    this.#now = now
    this.#counter = `${postgres.schema}.quota_generation`
  }

  async read(names: readonly string[]): Promise<FoundQuotas> {
    for (let look = 1; look <= MAX_LOOKS; look++) {
      const rows = await this.#postgres.ask(this.#reading(this.#generation), [names])
      const generation = Number(rows[0]?.['generation'] ?? 0)
      if (generation % TABLES === this.#generation % TABLES && generation > 0) return foundIn(rows, generation)
      if (generation > 0) this.#generation = generation
      else await this.#begin()
    }
    throw new Error('the generation of quotas changes too fast')
  }

  /** Writes those whose version follows what is there, and none in another generation; the names of what was written. */
  async write(kept: readonly KeptQuota[], generation: number): Promise<ReadonlySet<string>> {
    const columns = [
      kept.map(({ name }) => name),
      kept.map(({ state }) => state),
      kept.map(({ version }) => version),
      kept.map(({ untilMs }) => untilMs)
    ]
    const rows = await this.#postgres.ask(this.#writing(generation), [...columns, generation])
    return new Set(rows.map(({ name }) => String(name)))
  }

  /** Begins the next generation when it is time, and gives back the space of the oldest; every instance does, and often. */
  async upkeep(): Promise<void> {
    const tables = Array.from({ length: TABLES }, (_, place) => this.#table(place))
    const [row] = await this.#postgres.ask(
      `SELECT generation::float8, ${this.#now} - began_at_ms AS age_ms,
         ARRAY(SELECT pg_relation_size(to_regclass(name))::float8 FROM unnest($1::text[]) WITH ORDINALITY AS t (name, place)
           ORDER BY place) AS sizes
       FROM ${this.#counter}`,
      [tables]
    )
    const [generation, ageMs, sizes] = [Number(row?.['generation'] ?? 0), Number(row?.['age_ms']), row?.['sizes']]
    if (generation === 0) return this.#begin()
    this.#generation = generation
    // A clock that was set back would end none for as long.
    if (ageMs >= GENERATION_MS || ageMs < 0) await this.#advance(generation)
    else if (Array.isArray(sizes) && Number(sizes[(generation + 1) % TABLES]) > 0) await this.#empty(generation)
  }

  /** The first one, also after a crash, which empties all of these tables. */
  async #begin(): Promise<void> {
    await this.#postgres.ask(
      `INSERT INTO ${this.#counter} (generation, began_at_ms) VALUES (1, ${this.#now}) ON CONFLICT DO NOTHING`,
      []
    )
  }

  async #advance(generation: number): Promise<void> {
    const [current, former] = [this.#table(generation), this.#table(generation - 1)]
    // Nothing changes the former table any more, so whatever is carried on is what counts.
    await this.#postgres.ask(
      `INSERT INTO ${current} AS q (name, state, version, expires_at_ms, generation)
       SELECT name, state, version, expires_at_ms, g.generation
       FROM ${former} f JOIN ${this.#counter} g ON g.generation = $1::float8 AND f.generation = g.generation - 1
       WHERE expires_at_ms > ${this.#now} ORDER BY name COLLATE "C" ${ON_CONFLICT} WHERE ${IS_OF_ANOTHER}`,
      [generation]
    )
    // The lock waits for what is being written, and what is to be written waits for it and then finds another generation.
    await this.#postgres.ask(
      inTransaction(`
        PERFORM set_config('lock_timeout', '${LOCK_TIMEOUT_MS}ms', true);
        LOCK TABLE ${current} IN SHARE ROW EXCLUSIVE MODE;
        UPDATE ${this.#counter} SET generation = ${generation + 1}, began_at_ms = ${this.#now} WHERE generation = ${generation};`),
      []
    )
  }

  /** Behind a lock that anybody holds, such as a dump of this table, no charge is made to wait: another time, then. */
  async #empty(generation: number): Promise<void> {
    const next = this.#table(generation + 1)
    await this.#postgres.ask(
      inTransaction(`
        LOCK TABLE ${next} IN ACCESS EXCLUSIVE MODE NOWAIT;
        IF EXISTS (SELECT FROM ${this.#counter} WHERE generation = ${generation}) THEN TRUNCATE ${next}; END IF;`),
      [],
      EMPTY_TIMEOUT_MS
    )
  }

  #table(generation: number): string {
    return `${this.#postgres.schema}.quotas_${(generation + TABLES) % TABLES}`
  }

  #reading(generation: number): string {
    return `
      SELECT asked.name, coalesce(q.state, f.state) AS state, coalesce(q.version, f.version)::float8 AS version,
        g.generation::float8, now_ms
      FROM (SELECT ${this.#now} AS now_ms) AS clock CROSS JOIN unnest($1::text[]) AS asked (name)
        LEFT JOIN ${this.#counter} g ON true
        LEFT JOIN ${this.#table(generation)} q ON q.name = asked.name AND q.generation = g.generation
        LEFT JOIN ${this.#table(generation - 1)} f ON f.name = asked.name AND f.generation = g.generation - 1`
  }

  #writing(generation: number): string {
    return `
      INSERT INTO ${this.#table(generation)} AS q (name, state, version, expires_at_ms, generation)
      SELECT name, state, version, expires_at_ms, generation
      FROM unnest($1::text[], $2::text[], $3::float8[], $4::float8[]) AS kept (name, state, version, expires_at_ms)
        JOIN ${this.#counter} g ON g.generation = $5::float8
      ORDER BY name COLLATE "C" ${ON_CONFLICT} WHERE q.version = excluded.version - 1 OR ${IS_OF_ANOTHER}
      RETURNING name`
  }
}

const ON_CONFLICT = `ON CONFLICT (name) DO UPDATE SET state = excluded.state, version = excluded.version,
        expires_at_ms = excluded.expires_at_ms, generation = excluded.generation`
/** Left over from a generation that could not be emptied. */
const IS_OF_ANOTHER = 'q.generation <> excluded.generation'

/** As one statement, which a pooler may give to any connection; does nothing where a lock is not to be had. */
function inTransaction(statements: string): string {
  return `DO $quotas$ BEGIN ${statements} EXCEPTION WHEN lock_not_available THEN NULL; END $quotas$`
}

function foundIn(rows: Awaited<ReturnType<SharedPostgres['ask']>>, generation: number): FoundQuotas {
  const quotas = new Map<string, { state: unknown; version: number }>()
  for (const { name, state, version } of rows) {
    if (typeof version === 'number') quotas.set(String(name), { state, version })
  }
  return { quotas, nowMs: Number(rows[0]?.['now_ms']), generation }
}
