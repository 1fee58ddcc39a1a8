// A Redis that is started again, and one in the place of another: what is whole is believed at once, and the rest never.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { FailoverPromise } from '../../../../src/lib/service/failover.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { needsRedis, type RedisServer, type RedisSettings, redisFor } from '../../../helpers/redis-server.ts'
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts'
import { until } from '../../../helpers/until.ts'
import { lastingClaim, newClaim } from '../store-kit.ts'
import { greeted, openRedisStore } from './records.ts'

t.setTimeout(240_000)

const LOSSLESS: FailoverPromise = { failover: 'lossless', waitReplicas: 0 }

t.test('kill -9 with appendfsync always loses nothing, and every wait is over within 2 s', needsRedis(), async t => {
  const redis = await redisFor(t)
  const stores = [(await openRedisStore(t, redis.url)).store, (await openRedisStore(t, redis.url)).store]
  const [first, second] = stores
  const claims = Array.from({ length: 20 }, () => lastingClaim())
  const doubtful = newClaim()
  await Promise.all([...claims, doubtful].map(claim => first?.acquire(claim, 'sent')))
  await first?.markInDoubt(doubtful.key, doubtful.owner)
  await sleep(200)
  const before = await first?.acquire({ ...doubtful, owner: 'B' })

  for (let round = 0; round < 3; round++) {
    await redis.kill()
    await t.rejects(async () => first?.acquire(newClaim()))
    await redis.restart()
    const readyAtMs = performance.now()
    await greeted(redis, ...stores)
    t.ok(performance.now() - readyAtMs < 2000, `${Math.round(performance.now() - readyAtMs)} ms`)
    t.same(
      stores.map(store => store.msSinceDataLoss()),
      [undefined, undefined]
    )
    t.same(await second?.acquire(newClaim(), 'sent'), { kind: 'acquired-as-sent' })
  }
  for (const claim of claims) t.same(await second?.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
  const after = await first?.acquire({ ...doubtful, owner: 'B' })
  const quietMs = [before, after].map(one => (one?.kind === 'in-doubt' ? one.quietForMs : Number.NaN))
  t.ok(Number(quietMs[1]) > Number(quietMs[0]), `its quiet period goes on, as the clock is the same: ${quietMs}`)
  const { store: newcomer } = await openRedisStore(t, redis.url)
  t.equal(newcomer.msSinceDataLoss(), undefined)
})

t.test('between claim and send, a restart that loses nothing stops nothing', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const claim = newClaim()
  await store.acquire(claim)
  await redis.restart()
  await greeted(redis, store)
  t.equal(await store.markSent(claim.key, claim.owner), true)
})

const UNCERTAIN: Readonly<Record<string, { settings: RedisSettings; why: RegExp }>> = {
  'appendfsync everysec': { settings: { appendfsync: 'everysec' }, why: /appendfsync always/ },
  'no fsync while a child writes': { settings: { 'no-appendfsync-on-rewrite': 'yes' }, why: /appendfsync always/ },
  'a snapshot': { settings: { appendonly: 'no', save: '3600 1' }, why: /.+/ }
}
for (const [title, { settings, why }] of Object.entries(UNCERTAIN)) {
  t.test(`a restart with ${title} may lose records, and says why`, needsRedis(), async t => {
    const redis = await redisFor(t, settings)
    const { store } = await openRedisStore(t, redis.url)
    if (settings['save']) await redis.command('SAVE')
    await redis.restart()
    await greeted(redis, store)
    t.type(store.msSinceDataLoss(), 'number')
    t.match(store.whyLost?.(), why)
  })
}

t.test(
  'where CONFIG is forbidden that cannot be known: it is said once, and counts as a loss',
  needsRedis(),
  async t => {
    const redis = await redisFor(t)
    const allow = (): Promise<unknown> =>
      redis.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-config')
    await allow()
    const { store, told } = await openRedisStore(t, redis.url.replace('//', '//app:secret@'))
    t.match(told, [{ level: 'warn', sentence: /CONFIG GET appendfsync/ }])
    await redis.restart()
    await allow()
    await greeted(redis, store)
    t.type(store.msSinceDataLoss(), 'number')
  }
)

for (const how of ['at once', 'and started again, which hides what it was'] as const) {
  t.test(`a lagging replica that is promoted ${how} is no server from its own log`, needsRedis(), async t => {
    const { primary, replica, proxy, url } = await pair(t)
    const { store } = await openRedisStore(t, url)
    const [replicated, lost] = [lastingClaim(), newClaim()]
    await store.acquire(replicated, 'sent')
    await until(async () => (await replica.command('EXISTS', `reply:${replicated.key}`)) === 1)
    await replica.command('REPLICAOF', 'NO', 'ONE')
    await store.acquire(lost, 'sent')
    if (how !== 'at once') await replica.restart({ replicaof: 'no one' })

    await primary.kill()
    proxy.target = replica.port
    await greeted(replica, store)
    t.type(store.msSinceDataLoss(), 'number')
    t.match(store.whyLost?.(), /another server took its place/)
    t.same(await store.acquire({ ...replicated, owner: 'B' }), { kind: 'in-flight' })
    t.same(await store.acquire({ ...lost, owner: 'B' }), { kind: 'acquired' }, 'whoever gets it looks before it sends')
    const { store: newcomer } = await openRedisStore(t, replica.url)
    t.type(newcomer.msSinceDataLoss(), 'number')
  })
}

t.test('a replica that was promoted to a newcomer, which has met nobody, is one too', needsRedis(), async t => {
  const { primary, replica, url } = await pair(t)
  const { store } = await openRedisStore(t, url)
  const claim = newClaim()
  await store.acquire(claim, 'sent')
  await until(async () => (await replica.command('EXISTS', `reply:${claim.key}`)) === 1)
  await primary.kill()
  await replica.restart({ replicaof: 'no one' })
  const { store: newcomer } = await openRedisStore(t, replica.url)
  t.type(newcomer.msSinceDataLoss(), 'number')
})

t.test('a replica that was promoted before it had anything of this service is no new server', needsRedis(), async t => {
  const [primary, replica] = await Promise.all([redisFor(t), redisFor(t)])
  const { store } = await openRedisStore(t, primary.url)
  await store.acquire(newClaim(), 'sent')
  // To nobody, so that it receives nothing.
  await replica.command('REPLICAOF', '127.0.0.1', await freePort())
  await replica.command('REPLICAOF', 'NO', 'ONE')
  const [one, another] = [await openRedisStore(t, replica.url), await openRedisStore(t, replica.url)]
  for (const { store } of [one, another]) t.match(store.whyLost?.(), /has nothing of this service/)
  const claim = newClaim()
  t.same(await one.store.acquire(claim, 'sent'), { kind: 'acquired-as-sent' }, 'whoever gets it looks before it sends')
  t.type(one.store.msSinceDataLoss(claim.key), 'number')
})

t.test(
  'a primary that was left, and leads once more with what it had, has missed the others',
  needsRedis(),
  async t => {
    const primary = await redisFor(t)
    const { store } = await openRedisStore(t, primary.url)
    await store.acquire(newClaim(), 'sent')
    // The one that took its place ends before this one has received anything.
    await primary.command('REPLICAOF', '127.0.0.1', await freePort())
    await primary.command('REPLICAOF', 'NO', 'ONE')
    const { store: newcomer } = await openRedisStore(t, primary.url)
    t.match(newcomer.whyLost?.(), /another server took its place/)
    await until(() => store.msSinceDataLoss() !== undefined)
  }
)

t.test('a primary that is restarted beside a replica may have had a successor meanwhile', needsRedis(), async t => {
  const { primary, url } = await pair(t)
  const { store } = await openRedisStore(t, url)
  await until(async () => (await primary.command('HGET', 'reply:meta', 'most')) === '1')
  await primary.restart()
  await greeted(primary, store)
  t.match(store.whyLost?.(), /a replica may have served/)
})

t.test('a promoted replica serves in between: back at the first one, records are missed', needsRedis(), async t => {
  const primary = await redisFor(t)
  const other = await redisFor(t)
  const proxy = await startTcpProxy(t, primary.port)
  const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`)
  proxy.lead(other.port)
  await store.acquire(newClaim())
  t.type(store.msSinceDataLoss(), 'number', 'it was noted on the other')
  await primary.restart()
  const { store: ignorant } = await openRedisStore(t, primary.url)
  t.equal(ignorant.msSinceDataLoss(), undefined)
  proxy.lead(primary.port)
  await store.acquire(newClaim())
  await until(() => store.msSinceDataLoss() !== undefined && ignorant.msSinceDataLoss() !== undefined)
})

t.test('an older copy of its files is noticed by who has seen more', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const putBack = redis.copyData()
  const claim = newClaim()
  await greetAgain(redis)
  await until(() => store.isReady())
  await store.acquire(claim, 'sent')
  await redis.kill()
  putBack()
  await redis.restart()
  await greeted(redis, store)
  t.match(store.whyLost?.(), /older copy/)
  t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'acquired' })
})

t.test(
  'an append-only file that was written anew tells itself from a copy at the next greeting',
  needsRedis(),
  async t => {
    const redis = await redisFor(t)
    const { store } = await openRedisStore(t, redis.url)
    await redis.command('BGREWRITEAOF')
    await until(async () => /aof_rewrite_in_progress:0/.test(String(await redis.command('INFO', 'persistence'))))
    await greetAgain(redis)
    await redis.restart()
    await greeted(redis, store)
    t.equal(store.msSinceDataLoss(), undefined)
  }
)

t.test('on the word of the operator a failover is lossless, and an emptied server is not', needsRedis(), async t => {
  const { primary, replica, proxy, url } = await pair(t)
  const { store } = await openRedisStore(t, url, { promise: LOSSLESS })
  const claim = lastingClaim()
  await store.acquire(claim, 'sent')
  await until(async () => (await replica.command('EXISTS', `reply:${claim.key}`)) === 1)
  await primary.kill()
  await replica.command('REPLICAOF', 'NO', 'ONE')
  proxy.target = replica.port
  await greeted(replica, store)
  t.equal(store.msSinceDataLoss(), undefined)
  t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
  await replica.command('FLUSHALL')
  await store.acquire(newClaim())
  t.match(store.whyLost?.(), /emptied/)
})

/** Resolves when the store has begun anew, on another connection. */
async function greetAgain(redis: RedisServer): Promise<void> {
  const beat = async (): Promise<number> => Number(await redis.command('HGET', 'reply:meta', 'beat'))
  const before = await beat()
  await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')
  await until(async () => (await beat()) > before)
}

async function pair(t: Test): Promise<{
  primary: RedisServer
  replica: RedisServer
  proxy: Awaited<ReturnType<typeof startTcpProxy>>
  url: string
}> {
  const primary = await redisFor(t)
  const replica = await redisFor(t, { replicaof: `127.0.0.1 ${primary.port}` })
  // With its own append-only file behind it, too.
  await until(async () => {
    const info = String(await replica.command('INFO'))
    return /master_link_status:up/.test(info) && /aof_rewrite_in_progress:0\s+aof_rewrite_scheduled:0/.test(info)
  })
  const proxy = await startTcpProxy(t, primary.port)
  return { primary, replica, proxy, url: `redis://127.0.0.1:${proxy.port}` }
}
