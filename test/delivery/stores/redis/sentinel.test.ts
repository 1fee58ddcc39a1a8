// Records in the Redis that sentinels name: after a failover in another one, and in none while they do not agree.
import t from 'tap'
import type { Acquisition, RecordStore } from '../../../../src/delivery/record.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { MASTER, type Sentinel, sentinelFor, startSentinel, urlOf } from '../../../helpers/redis-sentinel.ts'
import { needsRedis, type RedisServer, redisFor } from '../../../helpers/redis-server.ts'
import { until } from '../../../helpers/until.ts'
import { testStore } from '../conformance.ts'
import { lastingClaim } from '../store-kit.ts'
import { makeRedisKit, openRedisStore } from './records.ts'
import { refusalOf } from './refusal.ts'

t.setTimeout(240_000)

const QUICK = { commandTimeoutMs: 1000 }

async function canAcquire(store: RecordStore, claim: Acquisition): Promise<boolean> {
  try {
    await store.acquire(claim)
    return true
  } catch {
    return false
  }
}

async function sentinelOf(t: Tap, port: number, lines: readonly string[] = [], password?: string): Promise<Sentinel> {
  const sentinel = await startSentinel(port, {
    sentinelLines: lines,
    ...(password !== undefined && { sentinelPassword: password })
  })
  t.teardown(() => sentinel.stop())
  return sentinel
}
type Tap = Pick<typeof t, 'teardown'>

/** A sentinel that makes it one ends its connections. */
async function isReplica(redis: RedisServer): Promise<boolean> {
  return String(await redis.command('ROLE').catch(() => '')).startsWith('slave')
}

t.test('behind sentinels', needsRedis(), async t => {
  const watched = await sentinelFor(t, { settings: { requirepass: 'p@ss' }, credentials: ':p%40ss@' })

  t.test('the store does what every store does', async t =>
    testStore(t, t => makeRedisKit(t, watched.master, watched.url))
  )

  t.test('a killed master is followed by its replica, which may have lost the last of it', async t => {
    const { store } = await openRedisStore(t, watched.url, QUICK)
    const claim = lastingClaim()
    await store.acquire(claim, 'sent')
    await watched.master.command('WAIT', 1, 1000)
    t.equal(store.msSinceDataLoss(claim.key), undefined)
    await watched.master.kill()

    await until(() => canAcquire(store, lastingClaim()))
    t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
    t.type(store.msSinceDataLoss(claim.key), 'number')
    t.equal(await watched.replica.command('EXISTS', `reply:${claim.key}`), 1)
  })

  t.test('the former master comes back as a replica, and is asked for nothing', async t => {
    await watched.master.restart()
    const { store } = await openRedisStore(t, watched.url, QUICK)
    await until(() => isReplica(watched.master))
    const claim = lastingClaim()
    await store.acquire(claim, 'sent')

    t.equal(await watched.replica.command('EXISTS', `reply:${claim.key}`), 1)
  })
})

t.test('a master that is demoted while it answers is left, and nothing is taken for done', needsRedis(), async t => {
  const watched = await sentinelFor(t)
  const { store } = await openRedisStore(t, watched.url, QUICK)
  const claim = lastingClaim()
  await store.acquire(claim, 'sent')
  await watched.sentinels[0]?.command('SENTINEL', 'FAILOVER', MASTER)
  const acquired: Acquisition[] = []
  await until(async () => {
    const next = lastingClaim()
    if (await canAcquire(store, next)) acquired.push(next)
    return isReplica(watched.master)
  })

  await until(() => canAcquire(store, lastingClaim()))
  for (const one of [claim, ...acquired.slice(-1)]) t.type(store.msSinceDataLoss(one.key), 'number')
})

t.test('a master that nobody reaches is told, and a store without it rejects at once', needsRedis(), async t => {
  const sentinel = await sentinelOf(t, await freePort())
  const { store, told } = await openRedisStore(t, urlOf([sentinel]), QUICK)

  t.match(told, [{ level: 'warn', sentence: /^the master at the sentinels of STORE_URL cannot be reached/ }])
  t.equal(store.isReady(), false)
  await t.rejects(async () => store.acquire(lastingClaim()))
})

t.test('between two masters nothing is sent until the sentinels agree', needsRedis(), async t => {
  const [one, another] = [await redisFor(t), await redisFor(t)]
  const [right, wrong] = [await sentinelOf(t, one.port), await sentinelOf(t, another.port)]
  const { store, told } = await openRedisStore(t, urlOf([right, wrong]), QUICK)

  t.match(told, [{ level: 'error', sentence: /^STORE_URL names sentinels that disagree which server is the master/ }])
  t.equal(store.isReady(), false)
  await t.rejects(async () => store.acquire(lastingClaim()))
  for (const redis of [one, another]) t.equal(await redis.command('DBSIZE'), 0)

  await wrong.stop()
  await until(() => canAcquire(store, lastingClaim()))
  t.not(await one.command('DBSIZE'), 0)
  t.match(told.at(-1), { sentence: /can be used again/ })
})

t.test('a minority of sentinels that names another master is not followed', needsRedis(), async t => {
  const [one, another] = [await redisFor(t), await redisFor(t)]
  const sentinels = [await sentinelOf(t, another.port), await sentinelOf(t, one.port), await sentinelOf(t, one.port)]
  const { store, told } = await openRedisStore(t, urlOf(sentinels), QUICK)

  t.equal(await canAcquire(store, lastingClaim()), true)
  t.same(told, [])
  t.equal(await another.command('DBSIZE'), 0)
})

t.test('what cannot be is refused in words', needsRedis(), async t => {
  const redis = await redisFor(t)
  const sentinel = await sentinelOf(t, redis.port)
  const guarded = await sentinelOf(t, redis.port, ['requirepass "s3cret"'], 's3cret')

  t.match(
    await refusalOf(urlOf([sentinel]).replace(MASTER, 'other')),
    /^StoreError: STORE_URL names a master that its sentinels do not know/
  )
  for (const options of ['', '?sentinel_password=wrong']) {
    const refusal = await refusalOf(urlOf([guarded], '', options))
    t.match(refusal, /^StoreError: STORE_URL names sentinels that refuse its sentinel_username or sentinel_password/)
    t.notMatch(refusal, 'wrong')
  }
  t.match(await refusalOf(urlOf([redis])), /^StoreError: STORE_URL names a Redis that is no sentinel/)
  const { store } = await openRedisStore(t, urlOf([guarded], '', '?sentinel_password=s3cret'), QUICK)
  t.equal(await canAcquire(store, lastingClaim()), true)
  t.match(
    await refusalOf(`redis://127.0.0.1:${sentinel.port}`),
    /^StoreError: STORE_URL names a Redis in sentinel mode: write redis\+sentinel:\/\//
  )
})

t.test('without any sentinel the store opens all the same, and comes to life with them', needsRedis(), async t => {
  const { store, told } = await openRedisStore(t, urlOf([{ port: await freePort() }]), QUICK)

  t.match(told, [{ level: 'warn', sentence: /STORE_URL .*cannot be reached \(ECONNREFUSED\)/ }])
  await t.rejects(async () => store.acquire(lastingClaim()))
})
