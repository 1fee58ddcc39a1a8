// The tables of everything that is kept in Postgres, their versions, and how they come to be there.
import { escapeIdentifier } from 'pg'
import { StoreError } from '../lib/service/store-error.ts'
import type { Ask } from './connection.ts'
import { codeOf } from './trouble.ts'

export interface SchemaOptions {
  readonly schema: string
  readonly username: string
  /** Told when tables were made or brought to a newer version. */
  readonly onMigrated: (from: number, to: number) => void
  /** For tests; those of this version otherwise. */
  readonly migrations?: readonly Migration[]
}

/** Statements that bring tables from one version to the next; their schema as SQL has it. */
export type Migration = (schema: string) => readonly string[]

/** Limits of a minute are in three tables, in turn (limits/stores/quota-generations.ts). */
export const QUOTA_TABLES = ['quotas_0', 'quotas_1', 'quotas_2'] as const

/**
 * Room in every page for the next version of its rows, so that a transition changes no index; swept often and in small
 * pieces, because nearly every row changes twice and goes a day later.
 */
const CHANGING = `(
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_analyze_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1)`

/** `store` has one row: which version the tables have, and which run of which server holds them. */
export const MIGRATIONS: readonly Migration[] = [
  schema => [
    `CREATE TABLE ${schema}.store (
    id boolean PRIMARY KEY DEFAULT true CHECK (id), version integer NOT NULL,
    run text NOT NULL DEFAULT '', epoch text NOT NULL DEFAULT '', standbys text NOT NULL DEFAULT '',
    lost_at timestamptz, loss_matters_for_ms double precision, probed_at timestamptz) WITH (fillfactor = 50)`,
    `INSERT INTO ${schema}.store (version) VALUES (0)`,
    `CREATE TABLE ${schema}.records (
    key text COLLATE "C" PRIMARY KEY, fingerprint text NOT NULL, owner text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'sent', 'done', 'refused')),
    lease_ends_at timestamptz NOT NULL, lease_ended boolean NOT NULL, expires_at timestamptz NOT NULL,
    outcome text, search text) WITH ${CHANGING}`,
    `CREATE TABLE ${schema}.uid_owners (
    uid text COLLATE "C" PRIMARY KEY, issuer text COLLATE "C" NOT NULL, subject text COLLATE "C" NOT NULL)`,
    `CREATE TABLE ${schema}.sessions (
    name text COLLATE "C" PRIMARY KEY, sealed text NOT NULL, index_keys text[] NOT NULL,
    idle_ends_at_ms double precision NOT NULL, ends_at_ms double precision NOT NULL) WITH (fillfactor = 70)`,
    `CREATE INDEX ON ${schema}.sessions USING gin (index_keys)`,
    `CREATE INDEX ON ${schema}.sessions (ends_at_ms)`,
    `CREATE TABLE ${schema}.single_uses (
    name text COLLATE "C" PRIMARY KEY, ends_at_ms double precision NOT NULL)`,
    `CREATE INDEX ON ${schema}.single_uses (ends_at_ms)`,
    // A quota is no truth about a reply: what a crash forgets of it is a minute old at most.
    `CREATE UNLOGGED TABLE ${schema}.quotas (
    name text COLLATE "C" PRIMARY KEY, state text NOT NULL, version bigint NOT NULL,
    expires_at_ms double precision NOT NULL) WITH ${CHANGING}`
  ],
  // Of one table a snapshot that somebody holds keeps every version of a row; one of three can be emptied in spite of it.
  schema => [
    `DROP TABLE ${schema}.quotas`,
    ...QUOTA_TABLES.map(
      name => `CREATE UNLOGGED TABLE ${schema}.${name} (
    name text COLLATE "C" PRIMARY KEY, state text NOT NULL, version bigint NOT NULL,
    expires_at_ms double precision NOT NULL, generation bigint NOT NULL) WITH (fillfactor = 70, autovacuum_enabled = off)`
    ),
    `CREATE UNLOGGED TABLE ${schema}.quota_generation (
    id boolean PRIMARY KEY DEFAULT true CHECK (id), generation bigint NOT NULL,
    began_at_ms double precision NOT NULL) WITH (fillfactor = 50)`
  ]
]
/** They do not outlive a crash. */
const UNLOGGED_TABLES: readonly string[] = [...QUOTA_TABLES, 'quota_generation']
const TABLES = ['store', 'records', 'uid_owners', 'sessions', 'single_uses', ...UNLOGGED_TABLES]
/** The columns that are asked for, so that tables of another program are not taken for these. */
const COLUMNS: Readonly<Record<string, string>> = {
  store: 'version, run, epoch, standbys, lost_at, loss_matters_for_ms, probed_at',
  records: 'key, fingerprint, owner, state, lease_ends_at, lease_ended, expires_at, outcome, search',
  uid_owners: 'uid, issuer, subject',
  sessions: 'name, sealed, index_keys, idle_ends_at_ms, ends_at_ms',
  single_uses: 'name, ends_at_ms',
  ...Object.fromEntries(QUOTA_TABLES.map(name => [name, 'name, state, version, expires_at_ms, generation'])),
  quota_generation: 'generation, began_at_ms'
}
const MIGRATION_TIMEOUT_MS = 30_000

/** Makes the tables that are missing and migrates older ones, one process at a time. Throws a StoreError where it cannot. */
export async function prepareSchema(ask: Ask, options: SchemaOptions): Promise<void> {
  const { schema, migrations = MIGRATIONS } = options
  const isThere = await hasTables(ask, schema)
  // Of tables that may not even be looked at no more can be said.
  let version = isThere ? migrations.length : 0
  try {
    if (isThere) version = (await versionOf(ask, schema)) ?? version
    if (version !== migrations.length) await migrate(ask, options, migrations)
    await refuseForeign(ask, schema)
    await requireTruncate(ask, schema)
    // One that was emptied has its tables; which version they have is known by their columns.
    const store = `${escapeIdentifier(schema)}.store`
    await ask(`INSERT INTO ${store} (version) VALUES ($1) ON CONFLICT DO NOTHING`, [migrations.length])
  } catch (error) {
    throw error instanceof Error ? (refusalOf(error, options, version) ?? error) : error
  }
}

/** Asked of the catalog itself: what to_regclass remembers may be older than a lock that was waited for. */
async function hasTables(ask: Ask, schema: string): Promise<boolean> {
  const tables = await ask(
    `SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND relname = 'store'`,
    [schema]
  )
  return tables.length > 0
}

/** Undefined where they are empty. */
async function versionOf(ask: Ask, schema: string): Promise<number | undefined> {
  const [row] = await ask(`SELECT version FROM ${escapeIdentifier(schema)}.store`)
  return row && Number(row['version'])
}

async function migrate(
  ask: Ask,
  { schema, onMigrated }: SchemaOptions,
  migrations: readonly Migration[]
): Promise<void> {
  await ask('BEGIN')
  try {
    await ask(
      `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`,
      [`thread-reply-bff ${schema}`],
      MIGRATION_TIMEOUT_MS
    )
    // Asked again under the lock: another process may have been quicker.
    const isThere = await hasTables(ask, schema)
    const from = isThere ? ((await versionOf(ask, schema)) ?? migrations.length) : 0
    refuseNewer(from, migrations.length)
    if (from === 0) await createSchema(ask, schema)
    for (const statement of migrations.slice(from).flatMap(migration => migration(escapeIdentifier(schema)))) {
      await ask(statement, [], MIGRATION_TIMEOUT_MS)
    }
    await ask(`UPDATE ${escapeIdentifier(schema)}.store SET version = ${migrations.length}`)
    await ask('COMMIT')
    if (from !== migrations.length) onMigrated(from, migrations.length)
  } catch (error) {
    await ask('ROLLBACK').catch(() => undefined)
    throw error
  }
}

/** Not asked for where it is there: that needs a right that nothing else does. */
async function createSchema(ask: Ask, schema: string): Promise<void> {
  const [row] = await ask('SELECT 1 AS found FROM pg_namespace WHERE nspname = $1', [schema])
  if (!row) await ask(`CREATE SCHEMA ${escapeIdentifier(schema)}`)
}

function refuseNewer(version: number, known: number): void {
  if (version <= known) return
  throw new StoreError(
    `STORE_SCHEMA names tables that a newer version of this service has made (${version}, known here is ${known}): start that one.`
  )
}

async function refuseForeign(ask: Ask, schema: string): Promise<void> {
  const looks = TABLES.map(
    name => `(SELECT ${COLUMNS[name]} FROM ${escapeIdentifier(schema)}.${name} LIMIT 0) AS ${name}`
  )
  await ask(`SELECT FROM ${looks.join(', ')}`)
  const [row] = await ask(
    `SELECT string_agg(relname, ', ') AS names FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
     WHERE nspname = $1 AND relname = ANY($2) AND relpersistence <> 'p'`,
    [schema, TABLES.filter(name => !UNLOGGED_TABLES.includes(name))]
  )
  if (typeof row?.['names'] !== 'string') return
  throw new StoreError(`STORE_SCHEMA has tables that a crash empties (${row['names']}): ALTER TABLE … SET LOGGED.`)
}

/** A right that a user may lack who has all the others. */
async function requireTruncate(ask: Ask, schema: string): Promise<void> {
  const names = QUOTA_TABLES.map(name => `${escapeIdentifier(schema)}.${name}`)
  const [row] = await ask(
    `SELECT bool_and(has_table_privilege(name, 'TRUNCATE')) AS may FROM unnest($1::text[]) name`,
    [names]
  )
  if (row?.['may'] !== true) throw Object.assign(new Error('no right to empty the limits'), { code: NO_RIGHT })
}

/** SQLSTATE insufficient_privilege. */
const NO_RIGHT = '42501'
/** By SQLSTATE: a relation of that name is there, or has no such column, or is none. */
const FOREIGN = /^(42P07|42703|42P01|42809|42710)$/

/** `version` is that of the tables as they are. */
function refusalOf(error: Error, options: SchemaOptions, version: number): StoreError | undefined {
  if (FOREIGN.test(codeOf(error))) {
    return new StoreError(
      `STORE_SCHEMA is ${options.schema}, where other tables have the names of ours: give it the name of a schema of its own.`
    )
  }
  if (codeOf(error) !== NO_RIGHT) return undefined
  return new StoreError(
    `STORE_URL names a user who may not make or use the tables of this service in ${options.schema} (STORE_SCHEMA). Let their ` +
      `owner run this:\n${statementsFor(options, version).join('\n')}`
  )
}

/** What an owner of the database runs once, for a user who may then do nothing else; `version` is that of the tables. */
export function statementsFor(options: SchemaOptions, version = 0): string[] {
  const { migrations = MIGRATIONS } = options
  const [user, schema] = [escapeIdentifier(options.username), escapeIdentifier(options.schema)]
  const missing = migrations.slice(version).flatMap(migration => migration(schema))
  return [
    'BEGIN;',
    ...(version === 0 ? [`CREATE SCHEMA IF NOT EXISTS ${schema};`] : []),
    ...missing.map(statement => `${statement};`),
    ...(missing.length > 0 ? [`UPDATE ${schema}.store SET version = ${migrations.length};`] : []),
    `GRANT USAGE ON SCHEMA ${schema} TO ${user};`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${user};`,
    `GRANT TRUNCATE ON ${QUOTA_TABLES.map(name => `${schema}.${name}`).join(', ')} TO ${user};`,
    'COMMIT;'
  ]
}
