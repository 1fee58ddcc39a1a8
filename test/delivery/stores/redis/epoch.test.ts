// A Redis that loses its records, or becomes another one, on a connection that lives: what rests on the records of before must
// learn it from the transition itself, since no beat has looked yet.
import t, { type Test } from 'tap'
import type { RecordStore } from '../../../../src/delivery/record.ts'
import { needsRedis, redisFor } from '../../../helpers/redis-server.ts'
import { startTcpProxy } from '../../../helpers/tcp-proxy.ts'
import { newClaim } from '../store-kit.ts'
import { openRedisStore } from './records.ts'

t.setTimeout(240_000)

t.test('the first claim after FLUSHALL knows that records may be lost, on every instance', needsRedis(), async t => {
  const redis = await redisFor(t)
  const stores = await openThree(t, redis.url)
  for (let round = 0; round < 12; round++) {
    const claim = await sentBy(stores[round % 3])
    await redis.command('FLUSHALL')

    const retry = stores[(round + 1) % 3]
    t.same(await retry?.acquire({ ...claim, owner: 'B' }, 'sent'), { kind: 'acquired-as-sent' })
    t.ok((retry?.msSinceDataLoss() ?? Number.NaN) < 5000, 'whoever gets it looks before it sends')
    const other = stores[(round + 2) % 3]
    await other?.acquire(newClaim(), 'sent')
    t.ok((other?.msSinceDataLoss() ?? Number.NaN) < 5000, 'and so does the next one')
  }
  t.ok(stores.every(store => store.isReady()))
})

t.test('a newcomer that greets an emptied Redis first hides nothing from those who knew it', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const claim = await sentBy(store)
  await redis.command('FLUSHALL')
  const { store: newcomer } = await openRedisStore(t, redis.url)
  t.equal(newcomer.msSinceDataLoss(), undefined)

  t.same(await store.acquire({ ...claim, owner: 'B' }, 'sent'), { kind: 'acquired-as-sent' })
  t.type(store.msSinceDataLoss(), 'number')
  await newcomer.acquire(newClaim())
  t.type(newcomer.msSinceDataLoss(), 'number', 'it learns it, too')
})

t.test(
  'between claim and send, and before a record is taken over, an emptied Redis is noticed',
  needsRedis(),
  async t => {
    const redis = await redisFor(t)
    const { store } = await openRedisStore(t, redis.url)
    const claim = newClaim()
    await store.acquire(claim)
    await redis.command('FLUSHALL')
    await t.rejects(store.markSent(claim.key, claim.owner))
    t.type(store.msSinceDataLoss(), 'number')

    const doubtful = await sentBy(store)
    await store.markInDoubt(doubtful.key, doubtful.owner)
    const kept = (await redis.command('HGETALL', `reply:${doubtful.key}`)) as string[]
    await redis.command('FLUSHALL')
    await redis.command('HSET', `reply:${doubtful.key}`, ...kept)
    await t.rejects(
      store.takeOver(doubtful.key, doubtful.owner, { ...doubtful, owner: 'B' }),
      'restored from somewhere'
    )
  }
)

for (const kind of ['empty', 'used by others', 'promoted replica'] as const) {
  t.test(`a connection that is led to another server, ${kind}, is noticed by the next claim`, needsRedis(), async t => {
    const primary = await redisFor(t)
    const other = await redisFor(t, kind === 'promoted replica' ? { replicaof: `127.0.0.1 ${primary.port}` } : {})
    const proxy = await startTcpProxy(t, primary.port)
    const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`)
    if (kind === 'used by others') await openRedisStore(t, other.url)
    const before = await sentBy(store)
    if (kind === 'promoted replica') {
      while ((await other.command('EXISTS', `reply:${before.key}`)) !== 1) await store.acquire(before)
      await other.command('REPLICAOF', 'NO', 'ONE')
    }
    const claim = await sentBy(store)

    proxy.lead(other.port)
    t.same(await store.acquire({ ...claim, owner: 'B' }, 'sent'), { kind: 'acquired-as-sent' }, 'it is not known there')
    t.type(store.msSinceDataLoss(), 'number')
    t.equal(await other.command('EXISTS', `reply:${claim.key}`), 1)
    t.equal(store.isReady(), true)
  })
}

t.test('a transition between two servers is not made on the second one', needsRedis(), async t => {
  const primary = await redisFor(t)
  const other = await redisFor(t)
  const proxy = await startTcpProxy(t, primary.port)
  const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`)
  const claim = newClaim()
  await store.acquire(claim)
  proxy.lead(other.port)

  await t.rejects(store.markSent(claim.key, claim.owner))
  t.type(store.msSinceDataLoss(), 'number')
})

t.test('scripts that were forgotten are told again, and nothing counts as lost for it', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const claim = newClaim()
  await store.acquire(claim)
  await redis.command('SCRIPT', 'FLUSH')

  t.equal(await store.markSent(claim.key, claim.owner), true)
  t.equal(store.msSinceDataLoss(), undefined)
})

t.test('a claim costs one command, and one answer', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  await redis.command('CONFIG', 'RESETSTAT')
  for (let i = 0; i < 50; i++) await store.acquire(newClaim(), 'sent')

  const stats = String(await redis.command('INFO', 'commandstats'))
  t.equal(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1], '50')
})

async function openThree(t: Test, url: string): Promise<RecordStore[]> {
  return Promise.all([1, 2, 3].map(async () => (await openRedisStore(t, url)).store))
}

async function sentBy(store: RecordStore | undefined) {
  const claim = newClaim()
  await store?.acquire(claim, 'sent')
  return claim
}
