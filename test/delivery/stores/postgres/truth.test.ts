// When a Postgres may have lost records, and when it cannot have.
import t, { type Test } from 'tap'
import { needsPostgres, type PostgresServer, postgresFor } from '../../../helpers/postgres-server.ts'
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts'
import { until } from '../../../helpers/until.ts'
import { lastingClaim, newClaim } from '../store-kit.ts'
import { newSchema } from './movable-clock.ts'
import { openPostgresStore } from './records.ts'

t.setTimeout(240_000)

t.test('a Postgres that is killed loses nothing, and is back at once', needsPostgres(), async t => {
  const postgres = await postgresFor(t, { fsync: 'on' })
  const { store, told } = await openPostgresStore(t, postgres.url)
  const claims = Array.from({ length: 20 }, () => lastingClaim())
  await Promise.all(claims.map(claim => store.acquire(claim, 'sent')))

  await postgres.kill()
  await t.rejects(async () => store.acquire(newClaim()))
  t.equal(store.isReady(), false)
  await postgres.restart()
  const startedAtMs = performance.now()
  await until(() => store.isReady())
  t.ok(performance.now() - startedAtMs < 2000, `${Math.round(performance.now() - startedAtMs)} ms`)

  for (const claim of claims) t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
  t.equal(store.msSinceDataLoss(), undefined, 'a restart is no loss')
  t.match(
    told.map(({ sentence }) => sentence),
    ['tables were made at STORE_URL', /cannot be reached/, 'the Postgres of STORE_URL can be used again']
  )
})

t.test('after a failover what had reached the standby is there, and the rest is missed', needsPostgres(), async t => {
  const primary = await postgresFor(t)
  const { proxy, url } = await behindProxy(t, primary)
  const { store } = await openPostgresStore(t, url, { commandTimeoutMs: 2000 })
  const [replicated, lost] = [lastingClaim(), newClaim()]
  await store.acquire(replicated, 'sent')
  const standby = await primary.follow(t)
  await standby.query(`ALTER SYSTEM SET primary_conninfo = ''`)
  await standby.query('SELECT pg_reload_conf()')
  await until(async () => (await standby.query('SELECT FROM pg_stat_wal_receiver')).length === 0)
  await store.acquire(lost, 'sent')
  t.equal(store.msSinceDataLoss(), undefined)

  await primary.kill()
  proxy.target = standby.port
  await until(() => !store.isReady())
  await standby.promote()

  await until(() => store.isReady())
  t.type(store.msSinceDataLoss(), 'number', 'whoever gets it looks before it sends')
  t.same(await store.acquire({ ...replicated, owner: 'B' }), { kind: 'in-flight' })
  t.same(await store.acquire({ ...lost, owner: 'B' }), { kind: 'acquired' })
  const { store: newcomer } = await openPostgresStore(t, url)
  t.type(newcomer.msSinceDataLoss(), 'number', 'one that was not there learns it from the table')
})

t.test('what a transition rests on is checked inside it: not on another server', needsPostgres(), async t => {
  const primary = await postgresFor(t)
  const { proxy, url } = await behindProxy(t, primary)
  const { store } = await openPostgresStore(t, url)
  const claim = lastingClaim()
  await store.acquire(claim)
  const standby = await primary.follow(t)
  await standby.promote()

  // The connections stay, and nobody has noticed.
  proxy.lead(standby.port)
  t.equal(await store.markSent(claim.key, claim.owner).catch(() => 'rejected'), 'rejected')
  await until(() => store.isReady())
  t.type(store.msSinceDataLoss(), 'number')
})

for (const [title, names, isForgetful] of [
  ['without which nothing was committed loses nothing', 'FIRST 1 (stand_by)', false],
  ['of several, of which one had to confirm, may have lost some', 'ANY 1 (stand_by, other)', true]
] as const) {
  t.test(`a promoted standby ${title}`, needsPostgres(), async t => {
    const primary = await postgresFor(t)
    const { proxy, url } = await behindProxy(t, primary)
    const standby = await primary.follow(t, { cluster_name: 'stand_by' })
    await primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
    await primary.query('SELECT pg_reload_conf()')
    const { store } = await openPostgresStore(t, url)
    const claim = lastingClaim()
    await store.acquire(claim, 'sent')
    await primary.kill()
    proxy.target = standby.port
    await standby.promote()

    await until(() => store.isReady())
    t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
    t.equal(store.msSinceDataLoss() !== undefined, isForgetful)
  })
}

t.test('STORE_FAILOVER=lossless is taken at its word', needsPostgres(), async t => {
  const primary = await postgresFor(t)
  const { proxy, url } = await behindProxy(t, primary)
  const { store } = await openPostgresStore(t, url, { failover: 'lossless' })
  const claim = lastingClaim()
  await store.acquire(claim, 'sent')
  const standby = await primary.follow(t)
  await primary.kill()
  proxy.target = standby.port
  await standby.promote()

  await until(() => store.isReady())
  t.equal(store.msSinceDataLoss(), undefined)
  t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
})

t.test('a store that was emptied is found out, also by one who comes later', needsPostgres(), async t => {
  const { url, query } = await postgresFor(t)
  for (const how of ['DROP SCHEMA s CASCADE', 'TRUNCATE s.store, s.records']) {
    const schema = newSchema()
    const { store } = await openPostgresStore(t, url, { schema })
    await store.acquire(newClaim(), 'sent')
    await query(how.replaceAll(/\bs\b/g, schema))

    const answer = await Promise.resolve(store.acquire(newClaim())).catch(() => 'rejected')
    if (answer !== 'rejected') t.type(store.msSinceDataLoss(), 'number', how)
    await until(() => store.isReady())
    t.type(store.msSinceDataLoss(), 'number', how)
    const { store: newcomer } = await openPostgresStore(t, url, { schema })
    t.type(newcomer.msSinceDataLoss(), 'number', how)
  }
})

t.test('an older copy of its files in its place is noticed by who has seen more', needsPostgres(), async t => {
  const postgres = await postgresFor(t)
  const { store } = await openPostgresStore(t, postgres.url)
  const [before, after] = [lastingClaim(), newClaim()]
  await store.acquire(before, 'sent')
  await postgres.kill()
  const putBack = postgres.copyData()
  await postgres.restart()
  await until(() => store.isReady())
  await store.acquire(after, 'sent')
  t.equal(store.msSinceDataLoss(), undefined)

  await postgres.kill()
  putBack()
  await postgres.restart()
  await until(() => store.isReady())
  t.type(store.msSinceDataLoss(), 'number')
  t.same(await store.acquire({ ...before, owner: 'B' }), { kind: 'in-flight' })
  t.same(await store.acquire({ ...after, owner: 'B' }), { kind: 'acquired' })
  const { store: newcomer } = await openPostgresStore(t, postgres.url)
  t.type(newcomer.msSinceDataLoss(), 'number', 'and then everybody knows')
})

t.test('a backup that was restored to a point in time is forgetful, to newcomers too', needsPostgres(), async t => {
  const primary = await postgresFor(t)
  const { store } = await openPostgresStore(t, primary.url)
  const [before, after] = [lastingClaim(), newClaim()]
  await store.acquire(before, 'sent')
  // A base backup that is brought up as a server of its own: what PITR does at its end, too.
  const restored = await primary.follow(t, { primary_conninfo: '' })
  await store.acquire(after, 'sent')
  await primary.kill()
  await restored.promote()

  const { store: newcomer } = await openPostgresStore(t, restored.url)
  t.type(newcomer.msSinceDataLoss(), 'number')
  t.same(await newcomer.acquire({ ...before, owner: 'B' }), { kind: 'in-flight' })
  t.same(await newcomer.acquire({ ...after, owner: 'B' }), { kind: 'acquired' })
})

for (const [title, restore] of [
  ['in the place of what was there', (dump: string) => dump],
  // Servers of one test file are copies of one.
  ['on another server', (dump: string) => dump.replace(/(00000001\/)\d+/, '$17300000000000000000')]
] as const) {
  t.test(`a dump that was restored ${title} is forgetful`, needsPostgres(), async t => {
    const { url, query, dump } = await postgresFor(t)
    const { store } = await openPostgresStore(t, url)
    const [before, after] = [lastingClaim(), newClaim()]
    await store.acquire(before, 'sent')
    const dumped = restore(dump())
    await store.acquire(after, 'sent')
    await query('DROP SCHEMA thread_reply_bff CASCADE')
    await query(dumped)

    t.same(await store.acquire({ ...after, owner: 'B' }), { kind: 'acquired' })
    t.type(store.msSinceDataLoss(), 'number', 'noticed by the claim itself')
    const { store: newcomer } = await openPostgresStore(t, url)
    t.same(await newcomer.acquire({ ...before, owner: 'B' }), { kind: 'in-flight' })
    t.type(newcomer.msSinceDataLoss(), 'number')
  })
}

t.test('a standby is not used, but it may be promoted', needsPostgres(), async t => {
  const primary = await postgresFor(t)
  await openPostgresStore(t, primary.url)
  const standby = await primary.follow(t)
  const { store, told } = await openPostgresStore(t, standby.url)

  t.equal(store.isReady(), false)
  await t.rejects(async () => store.acquire(newClaim()))
  t.match(told, [{ level: 'warn', sentence: /cannot be reached \(STANDBY\)/ }])
  await standby.promote()
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
})

async function behindProxy(t: Test, { port }: PostgresServer) {
  const proxy = await startTcpProxy(t, port)
  return { proxy, url: `postgres://postgres@127.0.0.1:${proxy.port}/postgres` }
}
