// How the tables come to be there, and how they get from one version to the next.
import { Client } from 'pg'
import t, { type Test } from 'tap'
import type { Ask } from '../../src/postgres/connection.ts'
import { MIGRATIONS, type Migration, prepareSchema, statementsFor } from '../../src/postgres/schema.ts'
import { newSchema } from '../delivery/stores/postgres/movable-clock.ts'
import { openPostgresStore } from '../delivery/stores/postgres/records.ts'
import { DONE, newClaim } from '../delivery/stores/store-kit.ts'
import { needsPgBouncer, pgBouncerFor } from '../helpers/pgbouncer.ts'
import { needsPostgres, startPostgres, withoutPostgres } from '../helpers/postgres-server.ts'

const needs = needsPostgres()
const shared = withoutPostgres() === undefined ? await startPostgres() : undefined
if (shared) t.teardown(() => shared.stop())

const LATEST = MIGRATIONS.length
const NEXT: Migration = schema => [`ALTER TABLE ${schema}.records ADD COLUMN note text NOT NULL DEFAULT 'new'`]
const BROKEN: Migration = schema => [...NEXT(schema), `ALTER TABLE ${schema}.nowhere ADD COLUMN x text`]

/** What a service of a version does at its start, and what it tells of it. */
async function start(
  t: Test,
  schema: string,
  migrations = MIGRATIONS,
  url = shared?.url ?? '',
  username = 'postgres'
): Promise<string[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.end())
  const ask: Ask = async (text, values = []) => (await client.query(text, [...values])).rows
  const told: string[] = []
  const onMigrated = (from: number, to: number): void => void told.push(`${from} to ${to}`)
  await prepareSchema(ask, { schema, username, onMigrated, migrations })
  return told
}

t.test('tables are made once, and only then is it told', needs, async t => {
  const schema = newSchema()
  t.same(await start(t, schema), [`0 to ${LATEST}`])
  t.same(await start(t, schema), [])
})

t.test('a newer service migrates and says from where to where; what was there is there', needs, async t => {
  if (!shared) return
  const schema = newSchema()
  const claim = newClaim()
  const { store: older } = await openPostgresStore(t, shared.url, { schema })
  await older.acquire(claim)
  await older.complete(claim.key, claim.owner, DONE)

  t.same(await start(t, schema, [...MIGRATIONS, NEXT]), [`${LATEST} to ${LATEST + 1}`])
  t.match(await shared.query(`SELECT version FROM ${schema}.store`), [{ version: LATEST + 1 }])
  t.match(await shared.query(`SELECT note FROM ${schema}.records`), [{ note: 'new' }])
  t.same(await older.acquire({ ...claim, owner: 'B' }), DONE, 'one that still runs goes on')
  t.same(await older.acquire(newClaim()), { kind: 'acquired' })
})

t.test('an older service refuses the tables of a newer one, and leaves them alone', needs, async t => {
  if (!shared) return
  const schema = newSchema()
  await start(t, schema, [...MIGRATIONS, NEXT])
  const refusal = { name: 'StoreError', message: /^STORE_SCHEMA .*newer version.*start that one\.$/ }
  await t.rejects(start(t, schema), refusal)
  await t.rejects(openPostgresStore(t, shared.url, { schema }), refusal)
  t.match(await shared.query(`SELECT version FROM ${schema}.store`), [{ version: LATEST + 1 }])
})

for (const [what, before] of [
  ['on nothing', []],
  ['on older tables', MIGRATIONS]
] as const) {
  t.test(`of several instances that start at once ${what} one migrates, and all go on`, needs, async t => {
    const schema = newSchema()
    if (before.length > 0) await start(t, schema, before)
    const told = await Promise.all(Array.from({ length: 8 }, () => start(t, schema, [...MIGRATIONS, NEXT])))
    t.same(told.flat(), [`${before.length} to ${LATEST + 1}`])
  })
}

t.test('through PgBouncer in transaction mode they do so, too', needsPgBouncer(), async t => {
  if (!shared) return
  const { url } = await pgBouncerFor(t, shared)
  const schema = newSchema()
  const told = await Promise.all(Array.from({ length: 4 }, () => start(t, schema, MIGRATIONS, url)))
  t.same(told.flat(), [`0 to ${LATEST}`])
})

t.test('a migration that fails changes nothing, and can be tried again', needs, async t => {
  if (!shared) return
  const schema = newSchema()
  await start(t, schema)
  await t.rejects(start(t, schema, [...MIGRATIONS, BROKEN]))
  t.match(await shared.query(`SELECT version FROM ${schema}.store`), [{ version: LATEST }])
  await t.rejects(shared.query(`SELECT note FROM ${schema}.records`))
  t.same(await start(t, schema, [...MIGRATIONS, NEXT]), [`${LATEST} to ${LATEST + 1}`])
})

t.test('a migration that waits for another instance for long is not given up', needs, async t => {
  if (!shared) return
  const schema = newSchema()
  const holder = new Client({ connectionString: shared.url })
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`thread-reply-bff ${schema}`])
  const opening = openPostgresStore(t, shared.url, { schema, commandTimeoutMs: 400 })
  setTimeout(() => void holder.query('ROLLBACK'), 1000)
  const { store } = await opening
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
})

t.test(
  'who may not migrate is told what is missing, and what may not even be looked at wants a grant',
  needs,
  async t => {
    if (!shared) return
    const { query } = shared
    const url = await shared.addUser('guest')
    const schema = newSchema()
    await start(t, schema)
    const refusal = async (migrations = MIGRATIONS): Promise<string[]> => {
      const error = await start(t, schema, migrations, url, 'guest').catch((error: unknown) => error)
      const [sentence = '', ...statements] = error instanceof Error ? error.message.split('\n') : []
      t.match(sentence, /^STORE_URL names a user who may not make or use the tables/)
      return statements
    }

    const grants = await refusal()
    t.notMatch(grants.join('\n'), /CREATE|UPDATE "/)
    await query(grants.join('\n'))
    t.same(await start(t, schema, MIGRATIONS, url, 'guest'), [])
    const newer = [...MIGRATIONS, NEXT]
    const missing = await refusal(newer)
    t.match(missing.join('\n'), /ADD COLUMN note/)
    t.notMatch(missing.join('\n'), 'CREATE')
    await query(missing.join('\n'))
    t.same(await start(t, schema, newer, url, 'guest'), [])
  }
)

t.test('a word of SQL is a schema like any other', needs, async t => {
  if (!shared) return
  const { store } = await openPostgresStore(t, shared.url, { schema: 'user' })
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  t.equal(await store.walk(), false)
})

t.test('the statements for an owner make the same tables as a start does', needs, async t => {
  if (!shared) return
  const { query } = shared
  const [made, given] = [newSchema(), newSchema()]
  await start(t, made)
  await query(statementsFor({ schema: given, username: 'postgres', onMigrated: () => undefined }).join('\n'))
  const tablesIn = async (schema: string): Promise<unknown> =>
    (
      await query(
        `SELECT relname, relkind::text, relpersistence::text, reloptions::text,
           (SELECT string_agg(attname || ' ' || atttypid::regtype || attnotnull, ', ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0)
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 ORDER BY relname`,
        [schema]
      )
    ).map(row => JSON.stringify(row))
  t.same(await tablesIn(given), await tablesIn(made))
  t.same(await start(t, given), [], 'and nothing is left to do')
})
