// Which Postgres records may be kept in, and the one sentence an operator gets where they may not.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createPostgresStore } from '../../../../src/delivery/stores/postgres/store.ts'
import { judgeFacts } from '../../../../src/postgres/server-facts.ts'
import { type Certificate, selfSigned } from '../../../helpers/certificate.ts'
import {
  needsPostgres,
  type PostgresServer,
  postgresFor,
  startPostgres,
  withoutPostgres
} from '../../../helpers/postgres-server.ts'
import { until } from '../../../helpers/until.ts'
import { postgresAddress } from '../../../lib/addresses.ts'
import { DONE, lastingClaim, newClaim } from '../store-kit.ts'
import { newSchema } from './movable-clock.ts'
import { openPostgresStore } from './records.ts'

t.setTimeout(240_000)

const needs = needsPostgres()
const shared = withoutPostgres() === undefined ? await startPostgres() : undefined
if (shared) t.teardown(() => shared.stop())

/** The one sentence an operator gets instead of a store. */
async function refusalOf(storeUrl: string, schema = newSchema()): Promise<string> {
  try {
    const address = postgresAddress(storeUrl, schema)
    const monotonic = (): number => performance.now()
    const store = await createPostgresStore({ address, monotonic, emit: () => undefined, commandTimeoutMs: 8000 })
    await store.close()
    return 'not refused'
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
}

/** A user who may make a schema, and what is set for them. */
async function userWith({ query, addUser }: PostgresServer, name: string, setting = ''): Promise<string> {
  const url = await addUser(name)
  await query(`GRANT CREATE ON DATABASE postgres TO ${name}`)
  if (setting !== '') await query(`ALTER ROLE ${name} SET ${setting}`)
  return url
}

t.test('what is set for the user decides', needs, async t => {
  if (!shared) return
  for (const [name, setting, sentence] of [
    ['lies', 'synchronous_commit = off', /STORE_URL .*synchronous_commit=off.*set it to on/],
    ['hurries', 'statement_timeout = 1', /STORE_URL .*cancels statements.*statement_timeout/],
    ['reads', 'default_transaction_read_only = on', /STORE_URL .*takes no writes/]
  ] as const) {
    const refusal = await refusalOf(await userWith(shared, name, setting))
    t.match(refusal, sentence)
    t.match(refusal, /^StoreError: [^\n]+\.$/, 'in one sentence')
  }
  t.equal(await refusalOf(await userWith(shared, 'plain')), 'not refused')
})

t.test('credentials and names that Postgres refuses are refused, and not repeated', needs, async t => {
  if (!shared) return
  const url = await userWith(shared, 'right')
  const wrong = url.replace(':secret', ':hunter2')
  for (const [text, sentence] of [
    [wrong, /^StoreError: STORE_URL names a Postgres that refuses its user or password/],
    [wrong.replace('right', 'mallory'), /refuses its user or password/],
    [url.replace(/\/postgres$/, '/nowhere'), /does not have this database/]
  ] as const) {
    const refusal = await refusalOf(text)
    t.match(refusal, sentence)
    t.notMatch(refusal, /hunter2|mallory|nowhere/)
  }
})

t.test(
  'a user without the right to create gets the statements, and with them nothing else is needed',
  needs,
  async t => {
    if (!shared) return
    const url = await shared.addUser('least')
    const schema = newSchema()
    const refusal = await refusalOf(url, schema)
    const [sentence = '', ...statements] = refusal.split('\n')
    t.match(sentence, /^StoreError: STORE_URL names a user who may not make or use the tables.*STORE_SCHEMA/)

    await shared.query(statements.join('\n'))
    const { store, told } = await openPostgresStore(t, url, { schema })
    const claim = newClaim()
    t.same(await store.acquire(claim), { kind: 'acquired' })
    t.equal(await store.markSent(claim.key, claim.owner), true)
    await store.complete(claim.key, claim.owner, DONE)
    t.same(await store.acquire(claim), DONE)
    t.equal(await store.walk(), false)
    t.match(told, [{ level: 'warn', sentence: /fsync=off/ }])
    await t.rejects(store.postgres.ask(`DROP TABLE ${schema}.records`, []), /must be owner/)
  }
)

t.test('tables of another program, of a newer version, and those that a crash empties', needs, async t => {
  if (!shared) return
  const { query, url } = shared
  const [foreign, other, newer, unlogged] = [newSchema(), newSchema(), newSchema(), newSchema()]
  await query(`CREATE SCHEMA ${foreign}; CREATE TABLE ${foreign}.records (id int)`)
  await query(`CREATE SCHEMA ${other}; CREATE TABLE ${other}.store (id int)`)
  for (const schema of [newer, unlogged]) t.equal(await refusalOf(url, schema), 'not refused')
  await query(`UPDATE ${newer}.store SET version = 99`)
  await query(`ALTER TABLE ${unlogged}.records SET UNLOGGED`)

  t.match(await refusalOf(url, foreign), /^StoreError: STORE_SCHEMA is .*other tables have the names of ours/)
  t.match(await refusalOf(url, other), /^StoreError: STORE_SCHEMA is .*other tables have the names of ours/)
  t.match(await refusalOf(url, newer), /^StoreError: STORE_SCHEMA .*newer version of this service.*99/)
  t.match(await refusalOf(url, unlogged), /^StoreError: STORE_SCHEMA .*records.*SET LOGGED/)
})

t.test('a version that is too old is refused', async t => {
  t.throws(() => judgeFacts({ version: '110022' }), {
    name: 'StoreError',
    message: /^STORE_URL .*version 11: 13 or newer/
  })
  t.doesNotThrow(() =>
    judgeFacts({ version: '130000', standby: false, durability: 'on', read_only: 'off', timeout: '0' })
  )
})

t.test('without a Postgres the store opens all the same, and comes to life with it', needs, async t => {
  const postgres = await postgresFor(t)
  await postgres.kill()
  const { store, told } = await openPostgresStore(t, postgres.url)

  const startedAtMs = performance.now()
  await t.rejects(async () => store.acquire(newClaim()))
  t.ok(performance.now() - startedAtMs < 1000)
  t.equal(store.isReady(), false)
  t.match(told, [
    { level: 'warn', sentence: 'the Postgres of STORE_URL cannot be reached (ECONNREFUSED); trying again' }
  ])
  await postgres.restart()
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
})

t.test('a Postgres without a connection left says so, and is used when it has one', needs, async t => {
  const postgres = await postgresFor(t, {
    max_connections: '6',
    superuser_reserved_connections: '3',
    max_wal_senders: '0'
  })
  const url = await userWith(postgres, 'crowd')
  const first = await openPostgresStore(t, url)
  await until(async () => {
    const rows = await postgres.query(`SELECT FROM pg_stat_activity WHERE usename = 'crowd'`)
    return rows.length === 3
  })
  const { store, told } = await openPostgresStore(t, url)
  t.equal(store.isReady(), false)
  t.match(told, [{ level: 'error', sentence: /^STORE_URL .*no connection left.*max_connections.*PgBouncer/ }])
  await t.rejects(async () => store.acquire(newClaim()))

  await first.store.close()
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
})

/** A Postgres that shows this certificate. */
async function behindTls(t: Test, { cert, key }: Certificate): Promise<{ url: string; ca: string }> {
  const postgres = await postgresFor(t, {}, { 'server.crt': cert, 'server.key': key })
  await postgres.query(`CREATE ROLE app SUPERUSER LOGIN PASSWORD 'secret'`)
  const ca = join(postgres.directory, 'ca.pem')
  writeFileSync(ca, cert)
  return { url: `postgres://app:secret@localhost:${postgres.port}/postgres`, ca }
}

t.test('a Postgres is reached by its Unix socket, too, which needs no TLS', needs, async t => {
  if (!shared) return
  const socket = encodeURIComponent(shared.directory)
  t.equal(await refusalOf(`postgres://postgres@${socket}:${shared.port}/postgres`), 'not refused')
  t.match(await refusalOf(`postgres://postgres@${socket}:${shared.port}/nowhere`), /does not have this database/)
})

t.test('who is not proved to be that Postgres gets no record', needs, async t => {
  const right = await behindTls(t, selfSigned('localhost'))
  const wrong = await behindTls(t, selfSigned('elsewhere.test'))
  const trusting = ({ url, ca }: { url: string; ca: string }, sslmode: string): string =>
    `${url}?sslmode=${sslmode}&sslrootcert=${encodeURIComponent(ca)}`

  t.equal(await refusalOf(trusting(right, 'verify-full')), 'not refused')
  t.match(
    await refusalOf(trusting(wrong, 'verify-full')),
    /^StoreError: STORE_URL names a host for which its certificate/
  )
  t.equal(await refusalOf(trusting(wrong, 'verify-ca')), 'not refused')
  t.match(await refusalOf(`${right.url}?sslmode=verify-full`), /^StoreError: STORE_URL .*sslrootcert/)
  t.equal(await refusalOf(`${right.url}?sslmode=require`), 'not refused')
  t.match(
    await refusalOf(trusting({ ...right, ca: '/nowhere/ca.pem' }, 'verify-full')),
    /^StoreError: STORE_URL .*sslrootcert/
  )
})

t.test('a Postgres that encrypts nothing is no Postgres for sslmode=require', needs, async t => {
  if (!shared) return
  t.match(
    await refusalOf(`${shared.url}?sslmode=require`),
    /^StoreError: STORE_URL .*encrypts nothing.*sslmode=disable/
  )
})

t.test('a Postgres whose disk is full refuses what is new, and nothing is lost', needs, async t => {
  if (!shared) return
  const { query, url } = shared
  const schema = newSchema()
  const { store, told } = await openPostgresStore(t, url, { schema })
  const claim = lastingClaim()
  await store.acquire(claim, 'sent')
  // As Postgres says it; no disk can be filled here.
  await query(`CREATE FUNCTION ${schema}.is_full() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END$$`)
  await query(
    `CREATE TRIGGER is_full BEFORE INSERT OR UPDATE ON ${schema}.records EXECUTE FUNCTION ${schema}.is_full()`
  )
  await t.rejects(async () => store.acquire(newClaim()))
  t.equal(store.isReady(), false)
  t.match(told.at(-1), { level: 'error', sentence: /^STORE_URL .*disk is full: make room/ })

  await query(`DROP TRIGGER is_full ON ${schema}.records`)
  await until(() => store.isReady())
  t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
})
