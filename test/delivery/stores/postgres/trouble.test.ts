// What a Postgres, a pooler and the network before them can do to a store: each of it costs time, and none of it the truth.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { fastestMs } from '../../../helpers/fastest.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { needsPgBouncer, pgBouncerFor } from '../../../helpers/pgbouncer.ts'
import { needsPostgres, postgresFor, startPostgres, withoutPostgres } from '../../../helpers/postgres-server.ts'
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts'
import { until } from '../../../helpers/until.ts'
import { DONE, LEASE_MS, newClaim } from '../store-kit.ts'
import { movableClock, newSchema } from './movable-clock.ts'
import { openPostgresStore } from './records.ts'

t.setTimeout(240_000)

const needs = needsPostgres()
const shared = withoutPostgres() === undefined ? await startPostgres() : undefined
if (shared) t.teardown(() => shared.stop())

/** As in production. */
const PROMPT = { commandTimeoutMs: 1000 }
/** That timeout, and what a busy machine adds to it. */
const SOON_MS = 2500

t.test('a Postgres that is stopped rejects every transition within the command timeout', needs, async t => {
  const postgres = await postgresFor(t)
  const { store } = await openPostgresStore(t, postgres.url, PROMPT)
  const claim = newClaim()
  const { key, owner } = claim
  await store.acquire(claim)
  postgres.pause()

  const transitions: readonly (() => unknown)[] = [
    () => store.acquire(newClaim()),
    () => store.markSent(key, owner),
    () => store.markInDoubt(key, owner),
    () => store.takeOver(key, owner, { ...claim, owner: 'B' }),
    () => store.complete(key, owner, DONE),
    () => store.release(key, owner),
    () => store.noteSearch(key, undefined, 'x')
  ]
  const startedAtMs = performance.now()
  const ends = await Promise.allSettled(transitions.map(async transition => transition()))
  t.ok(performance.now() - startedAtMs < SOON_MS, `${Math.round(performance.now() - startedAtMs)} ms`)
  t.ok(ends.every(({ status }) => status === 'rejected'))
  t.equal(store.isReady(), false)
  const leastMs = await fastestMs(() => t.rejects(async () => store.acquire(newClaim())))
  t.ok(leastMs < 100, `from then on nothing waits: ${leastMs} ms`)

  postgres.resume()
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  t.equal(store.msSinceDataLoss(), undefined, 'it is the same Postgres, and has lost nothing')
})

t.test('what Postgres says while this process is held up is read before it is given up', needs, async t => {
  if (!shared) return
  const { store } = await openPostgresStore(t, shared.url, { schema: newSchema(), commandTimeoutMs: 400 })
  const acquired = store.acquire(newClaim())
  // A batch leaves in the next turn.
  await turn()
  const endMs = performance.now() + 1000
  while (performance.now() < endMs);
  t.same(await acquired, { kind: 'acquired' })
})

t.test('connections that somebody ends are opened again, and end nothing else', needs, async t => {
  if (!shared) return
  const { store } = await openPostgresStore(t, shared.url, { schema: newSchema() })
  for (let round = 0; round < 3; round++) {
    await shared.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'thread-reply-bff'`
    )
    // The first statement may be the one that learns of it.
    const acquired = await until(async () => Promise.resolve(store.acquire(newClaim())).catch(() => undefined))
    t.same(acquired, { kind: 'acquired' })
    await until(() => store.isReady())
  }
})

t.test('a transition whose answer is lost has happened, and asked again it says so', needs, async t => {
  if (!shared) return
  const proxy = await startTcpProxy(t, shared.port)
  const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`
  const { store } = await openPostgresStore(t, url, { schema: newSchema(), ...PROMPT })
  const claim = newClaim()
  const { key, owner } = claim
  const losingTheAnswer = async (transition: () => unknown): Promise<void> => {
    proxy.dropsAnswers = true
    await t.rejects(async () => transition())
    proxy.dropsAnswers = false
    proxy.cut()
    await until(() => store.isReady())
  }

  await losingTheAnswer(() => store.acquire(claim))
  t.same(await store.acquire(claim), { kind: 'acquired' }, 'not locked out of its own claim')
  await losingTheAnswer(() => store.markSent(key, owner))
  t.equal(await store.markSent(key, owner), true)
  await store.markInDoubt(key, owner)
  await losingTheAnswer(() => store.takeOver(key, owner, { ...claim, owner: 'B' }))
  t.equal(await store.takeOver(key, owner, { ...claim, owner: 'B' }), true)
  await losingTheAnswer(() => store.complete(key, 'B', DONE))
  t.same(await store.acquire(claim), DONE)
})

t.test('two stores that move the same records at once never wait for each other', needs, async t => {
  if (!shared) return
  const schema = newSchema()
  const [one, other] = [
    (await openPostgresStore(t, shared.url, { schema })).store,
    (await openPostgresStore(t, shared.url, { schema })).store
  ]
  const claims = Array.from({ length: 100 }, () => newClaim())
  for (let round = 0; round < 6; round++) {
    const backwards = claims.toReversed()
    const ends = await Promise.allSettled([
      ...claims.map(async claim => one.acquire({ ...claim, owner: `one-${round}` })),
      ...backwards.map(async claim => other.acquire({ ...claim, owner: `other-${round}` })),
      ...claims.map(async ({ key }) => one.release(key, `other-${round - 1}`)),
      ...backwards.map(async ({ key }) => other.release(key, `one-${round - 1}`))
    ])
    t.same(
      ends.filter(({ status }) => status === 'rejected'),
      []
    )
  }
})

t.test('one record that Postgres cannot keep does not fail its neighbours', needs, async t => {
  if (!shared) return
  const { store } = await openPostgresStore(t, shared.url, { schema: newSchema() })
  const ends = await Promise.allSettled([
    store.acquire(newClaim({ search: 'with a \0' })),
    store.acquire(newClaim({ search: 'half \ud800' })),
    store.acquire(newClaim({ search: 'whole 😀' }))
  ])
  t.same(
    ends.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled']
  )
  t.equal(store.isReady(), true)
})

t.test('the first of several hosts that may be used is, and another one when it goes', needs, async t => {
  const primary = await postgresFor(t)
  const standby = await primary.follow(t)
  const hosts = [await freePort(), standby.port, primary.port].map(port => `127.0.0.1:${port}`).join(',')
  const { store } = await openPostgresStore(t, `postgres://postgres@${hosts}/postgres`)
  t.equal(store.isReady(), true, 'the primary is behind one that is not there, and a standby')
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })

  await primary.kill()
  await standby.promote()
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  t.type(store.msSinceDataLoss(), 'number')
})

t.test('expired records go page by page, and no other', needs, async t => {
  if (!shared) return
  const { pass, ...time } = await movableClock(t, shared)
  const { schema } = time
  const { store } = await openPostgresStore(t, shared.url, time)
  const count = async (): Promise<number> => (await shared.query(`SELECT FROM ${schema}.records`)).length
  await Promise.all(Array.from({ length: 2500 }, async () => store.acquire(newClaim())))
  const kept = newClaim()
  await store.acquire(kept, 'sent')
  await store.walk()
  t.equal(await count(), 2501, 'nothing has expired')

  await pass(2 * LEASE_MS)
  for (let page = 0; page < 4; page++) await store.walk()
  t.equal(await count(), 1)
  t.same(await store.acquire({ ...kept, owner: 'B' }), { kind: 'in-doubt', owner: 'A', quietForMs: LEASE_MS })
})

t.test('through PgBouncer in transaction mode all of it is as without, its restarts too', needsPgBouncer(), async t => {
  if (!shared) return
  const pgbouncer = await pgBouncerFor(t, shared)
  const schema = newSchema()
  const { store, told } = await openPostgresStore(t, pgbouncer.url, { schema })
  const { store: other } = await openPostgresStore(t, pgbouncer.url, { schema })
  const claims = Array.from({ length: 300 }, () => newClaim())
  await Promise.all(
    claims.map(async (claim, index) => {
      const [here, there] = index % 2 === 0 ? [store, other] : [other, store]
      t.same(await here.acquire(claim), { kind: 'acquired' })
      t.equal(await there.markSent(claim.key, claim.owner), true)
      await here.complete(claim.key, claim.owner, DONE)
      t.same(await there.acquire(claim), DONE)
    })
  )
  await pgbouncer.restart()
  await until(() => store.isReady() && other.isReady())
  t.same(await store.acquire(claims[0] ?? newClaim()), DONE)
  t.equal(store.msSinceDataLoss(), undefined)
  t.notMatch(told.map(({ level }) => level).join(), 'error')
})
