// STORE_WAIT_REPLICAS: a record counts as SENT where so many replicas have confirmed it, and nowhere else.
import t, { type Test } from 'tap'
import type { FailoverPromise } from '../../../../src/lib/service/failover.ts'
import { needsRedis, type RedisServer, redisFor } from '../../../helpers/redis-server.ts'
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts'
import { until } from '../../../helpers/until.ts'
import { lastingClaim, newClaim } from '../store-kit.ts'
import { greeted, openRedisStore } from './records.ts'

t.setTimeout(240_000)

const ONE: FailoverPromise = { failover: 'detect', waitReplicas: 1 }
/** The part of it that WAIT gets is what an unconfirmed record costs. */
const PROMPT = { commandTimeoutMs: 400 }

t.test('a record is confirmed while its replica is, and not while that stands still', needsRedis(), async t => {
  const { primary, replica } = await pair(t)
  const { store, told } = await openRedisStore(t, primary.url, { promise: ONE })
  const claim = newClaim()
  await store.acquire(claim, 'sent')
  t.equal(await store.confirmSent?.(claim.key, claim.owner), true)
  t.same(told, [])
  t.same(store.warnings?.(), [])

  replica.pause()
  const late = newClaim()
  await store.acquire(late, 'sent')
  t.equal(await store.confirmSent?.(late.key, late.owner), false)
  t.match(told, [{ level: 'warn', sentence: /^fewer than STORE_WAIT_REPLICAS/ }])
  t.match(store.warnings?.(), [/replies with a key are not sent/])
  t.equal(store.isReady(), true, 'replies without a key are sent')
  replica.resume()
  await until(() => store.confirmSent?.(late.key, late.owner))
  t.match(told.at(-1), { level: 'info', sentence: 'enough replicas confirm records again' })
  t.equal(await replica.command('HGET', `reply:${late.key}`, 's'), 'sent')
})

t.test('an unconfirmed record costs less than a command may take, however many wait', needsRedis(), async t => {
  const { primary, replica } = await pair(t)
  const { store } = await openRedisStore(t, primary.url, { promise: ONE, ...PROMPT })
  const claims = Array.from({ length: 50 }, () => newClaim())
  await Promise.all(claims.map(claim => store.acquire(claim, 'sent')))
  replica.pause()
  const startedAtMs = performance.now()
  const answers = await Promise.all(claims.map(({ key, owner }) => store.confirmSent?.(key, owner)))
  t.ok(answers.every(answer => answer === false))
  t.ok(performance.now() - startedAtMs < 4000, `${Math.round(performance.now() - startedAtMs)} ms`)
  t.same(await store.acquire(newClaim()), { kind: 'acquired' }, 'the records themselves wait for nobody')
})

t.test('records of one moment are confirmed by one WAIT', needsRedis(), async t => {
  const { primary } = await pair(t)
  const { store } = await openRedisStore(t, primary.url, { promise: ONE })
  const claims = Array.from({ length: 50 }, () => newClaim())
  await Promise.all(claims.map(claim => store.acquire(claim, 'sent')))
  await primary.command('CONFIG', 'RESETSTAT')
  const answers = await Promise.all(claims.map(({ key, owner }) => store.confirmSent?.(key, owner)))
  t.ok(answers.every(answer => answer === true))
  const stats = String(await primary.command('INFO', 'commandstats'))
  // One greeting may come in between, and asks whether WAIT is allowed.
  t.ok(Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1]) <= 3, stats)
})

t.test('of a record that is not the caller’s, or is gone, nothing is confirmed', needsRedis(), async t => {
  const { primary } = await pair(t)
  const { store } = await openRedisStore(t, primary.url, { promise: ONE })
  const claim = newClaim()
  await store.acquire(claim, 'sent')
  t.equal(await store.confirmSent?.(claim.key, 'B'), false)
  t.equal(await store.confirmSent?.('record-of-nobody', 'A'), false)
  await store.release(claim.key, claim.owner)
  t.equal(await store.confirmSent?.(claim.key, claim.owner), false)
})

t.test('a record on one server is not confirmed by replicas of another', needsRedis(), async t => {
  const { primary } = await pair(t)
  const other = await pair(t)
  const proxy = await startTcpProxy(t, primary.port)
  const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`, { promise: ONE })
  const claim = newClaim()
  await store.acquire(claim, 'sent')
  proxy.lead(other.primary.port)
  t.equal(await store.confirmSent?.(claim.key, claim.owner), false)
  await until(() => store.isReady())
  t.equal(await store.confirmSent?.(claim.key, claim.owner), false, 'nor when that one was greeted')
})

t.test(
  'a confirmed record is there when its only replica is promoted, and an unconfirmed one was not sent',
  needsRedis(),
  async t => {
    const { primary, replica } = await pair(t)
    const proxy = await startTcpProxy(t, primary.port)
    const promise: FailoverPromise = { failover: 'lossless', waitReplicas: 1 }
    const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`, { promise, ...PROMPT })
    const [confirmed, late] = [lastingClaim(), newClaim()]
    await store.acquire(confirmed, 'sent')
    await until(() => store.confirmSent?.(confirmed.key, confirmed.owner))
    await replica.command('REPLICAOF', 'NO', 'ONE')
    await store.acquire(late, 'sent')
    t.equal(await store.confirmSent?.(late.key, late.owner), false)
    proxy.target = replica.port
    await primary.kill()

    await greeted(replica, store)
    t.equal(store.msSinceDataLoss(), undefined, 'as many replicas as there are had to confirm: nothing is lost')
    t.same(await store.acquire({ ...confirmed, owner: 'B' }), { kind: 'in-flight' })
    t.same(await store.acquire({ ...late, owner: 'B' }), { kind: 'acquired' }, 'it never left, so it may')
  }
)

t.test('with more replicas than have to confirm, the word of the operator is not enough', needsRedis(), async t => {
  const { primary, replica } = await pair(t)
  await follower(t, primary)
  const proxy = await startTcpProxy(t, primary.port)
  const promise: FailoverPromise = { failover: 'lossless', waitReplicas: 1 }
  const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`, { promise })
  await until(async () => (await replica.command('HGET', 'reply:meta', 'most')) === '2')
  await replica.command('REPLICAOF', 'NO', 'ONE')
  proxy.target = replica.port
  await primary.kill()
  await greeted(replica, store)
  t.match(store.whyLost?.(), /more replicas than STORE_WAIT_REPLICAS/)
})

t.test('a server that cannot be told from another, or has no WAIT, is refused in a sentence', needsRedis(), async t => {
  const { primary } = await pair(t)
  for (const command of ['info', 'wait']) {
    await primary.command('ACL', 'SETUSER', command, 'on', '>secret', '~*', '+@all', `-${command}`)
    const opening = openRedisStore(t, primary.url.replace('//', `//${command}:secret@`), { promise: ONE })
    await t.rejects(opening, {
      message: `STORE_WAIT_REPLICAS needs a Redis that answers ${command.toUpperCase()} to the user of STORE_URL.`
    })
  }
})

t.test('without a replica the store says so from the start', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store, told } = await openRedisStore(t, redis.url, { promise: ONE })
  t.match(store.warnings?.(), [/fewer than STORE_WAIT_REPLICAS/])
  t.match(told, [{ level: 'warn', sentence: /^fewer than STORE_WAIT_REPLICAS/ }])
})

async function pair(t: Test): Promise<{ primary: RedisServer; replica: RedisServer }> {
  const primary = await redisFor(t)
  return { primary, replica: await follower(t, primary) }
}

async function follower(t: Test, primary: RedisServer): Promise<RedisServer> {
  const replica = await redisFor(t, { replicaof: `127.0.0.1 ${primary.port}` })
  // With its own append-only file behind it, too.
  await until(async () => {
    const info = String(await replica.command('INFO'))
    return /master_link_status:up/.test(info) && /aof_rewrite_in_progress:0\s+aof_rewrite_scheduled:0/.test(info)
  })
  return replica
}
