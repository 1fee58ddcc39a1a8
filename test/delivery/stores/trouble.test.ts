// What a Redis, and the network before it, can do to a store: each of it costs time, and none of it the truth.

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { fastestMs } from '../../helpers/fastest.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { startTcpProxy } from '../../helpers/tcp-proxy.ts'
import { until } from '../../helpers/until.ts'
import { openRedisStore } from './redis/records.ts'
import { DONE, lastingClaim, newClaim } from './store-kit.ts'

t.setTimeout(240_000)

/** As in production. */
const PROMPT = { commandTimeoutMs: 400 }
/** That timeout, and what a busy machine adds to it. */
const SOON_MS = 4000

t.test('a Redis that is stopped rejects every transition within the command timeout', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url, PROMPT)
  const claim = newClaim()
  const { key, owner } = claim
  await store.acquire(claim)
  redis.pause()

  const transitions: readonly (() => Promise<unknown>)[] = [
    async () => store.acquire(newClaim()),
    () => store.markSent(key, owner),
    () => store.markInDoubt(key, owner),
    () => store.takeOver(key, owner, { ...claim, owner: 'B' }),
    async () => store.complete(key, owner, DONE),
    async () => store.release(key, owner)
  ]
  for (const transition of transitions) {
    const startedAtMs = performance.now()
    await t.rejects(transition(), transition.toString())
    t.ok(performance.now() - startedAtMs < SOON_MS, `${Math.round(performance.now() - startedAtMs)} ms`)
  }
  t.equal(store.isReady(), false)

  redis.resume()
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  t.equal(store.msSinceDataLoss(), undefined, 'it is the same Redis, and has lost nothing')
})

t.test('a Redis that is stopped for longer loses its connection and gets another', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store, told } = await openRedisStore(t, redis.url, PROMPT)
  redis.pause()
  await t.rejects(async () => store.acquire(newClaim()))

  await until(() => told.length > 0)
  const leastMs = await fastestMs(() => t.rejects(async () => store.acquire(newClaim())), 12)
  t.ok(leastMs < 300, `from then on nothing waits: ${leastMs} ms`)

  redis.resume()
  await until(() => store.isReady())
  t.match(told, [
    { level: 'warn', sentence: /cannot be reached/ },
    { level: 'info', sentence: 'the Redis of STORE_URL can be used again' }
  ])
})

t.test('a Redis that is killed is noticed at once, and its return too', needsRedis(), async t => {
  const redis = await redisFor(t, { appendfsync: 'everysec' })
  const { store } = await openRedisStore(t, redis.url, PROMPT)
  const claims = [newClaim(), newClaim(), newClaim()]
  const { key, owner } = newClaim()
  await store.acquire(newClaim({ key, owner }))
  await store.markSent(key, owner)

  await redis.kill()
  const startedAtMs = performance.now()
  for (const claim of claims) await t.rejects(async () => store.acquire(claim))
  t.ok(performance.now() - startedAtMs < SOON_MS)
  t.equal(store.isReady(), false)

  await redis.restart()
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim({ key, owner: 'B' })), { kind: 'in-flight' }, 'it has kept what it was told')
  const msSinceDataLoss = store.msSinceDataLoss() ?? -1
  t.ok(msSinceDataLoss >= 0 && msSinceDataLoss < 10_000, 'and may have lost the last of it all the same')
})

t.test('a Redis that comes back empty is forgetful, and everybody learns it', needsRedis(), async t => {
  const redis = await redisFor(t, { appendonly: 'no' })
  const { store } = await openRedisStore(t, redis.url)
  const { store: other } = await openRedisStore(t, redis.url)
  const claim = newClaim()
  await store.acquire(claim)
  await store.markSent(claim.key, claim.owner)

  await redis.restart()
  await until(() => store.msSinceDataLoss() !== undefined && other.msSinceDataLoss() !== undefined)
  t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'acquired' }, 'what was sent is forgotten')
  const msSinceDataLoss = store.msSinceDataLoss() ?? Number.NaN
  t.ok(msSinceDataLoss >= 0)
  t.ok(Math.abs((other.msSinceDataLoss() ?? Number.NaN) - msSinceDataLoss) < 1000, 'both count from the same moment')

  const { store: late } = await openRedisStore(t, redis.url)
  t.ok((late.msSinceDataLoss() ?? Number.NaN) >= msSinceDataLoss, 'also one that was not there when it happened')
})

t.test('a Redis that was emptied is found out', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)

  await redis.command('FLUSHALL')
  await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')

  await until(() => store.msSinceDataLoss() !== undefined)
})

t.test('a newcomer that greets an emptied Redis first does not hide the loss', needsRedis(), async t => {
  const redis = await redisFor(t, { appendonly: 'no' })
  const proxy = await startTcpProxy(t, redis.port)
  const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`)
  proxy.target = 1
  await redis.restart()
  const { store: newcomer } = await openRedisStore(t, redis.url)
  t.equal(newcomer.msSinceDataLoss(), undefined)

  proxy.target = redis.port
  await until(() => store.msSinceDataLoss() !== undefined)
  await until(() => newcomer.msSinceDataLoss() !== undefined)
})

t.test('what a Redis remembers of itself may be damaged: then it counts as forgetful', needsRedis(), async t => {
  for (const damage of [
    ['HSET', 'reply:meta', 'run', 'someone', 'since', 'yesterday'],
    ['HSET', 'reply:meta', 'since', '\u0000'],
    ['SET', 'reply:meta', 'junk'],
    ['DEL', 'reply:meta']
  ] as const) {
    const redis = await redisFor(t)
    const { store } = await openRedisStore(t, redis.url)
    const [name, ...args] = damage
    if (name === 'SET') await redis.command('DEL', 'reply:meta')
    await redis.command(name, ...args)
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')

    await until(() => store.msSinceDataLoss() !== undefined)
    t.equal(store.isReady(), true, damage.join(' '))
  }
})

t.test('forgetfulness ends when what was lost would have expired', needsRedis(), async t => {
  const redis = await redisFor(t, { appendfsync: 'everysec' })
  let passedMs = 0
  const { store } = await openRedisStore(t, redis.url, { monotonic: () => performance.now() + passedMs })
  await redis.restart()
  await until(() => store.msSinceDataLoss() !== undefined)

  passedMs = 47 * 3_600_000
  t.ok((store.msSinceDataLoss() ?? 0) >= passedMs)
  passedMs = 48 * 3_600_000
  t.equal(store.msSinceDataLoss(), undefined)
})

t.test('a transition whose answer is lost has happened, and asked again it says so', needsRedis(), async t => {
  const redis = await redisFor(t)
  const proxy = await startTcpProxy(t, redis.port)
  const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`, PROMPT)
  const claim = newClaim()
  const { key, owner } = claim
  const losingTheAnswer = async (transition: () => Promise<unknown>): Promise<void> => {
    proxy.dropsAnswers = true
    await t.rejects(transition())
    proxy.dropsAnswers = false
    proxy.cut()
    await until(() => store.isReady())
  }

  await losingTheAnswer(async () => store.acquire(claim))
  t.same(await store.acquire(claim), { kind: 'acquired' }, 'not locked out of its own claim')
  await losingTheAnswer(() => store.markSent(key, owner))
  t.equal(await store.markSent(key, owner), true)
  await store.markInDoubt(key, owner)
  await losingTheAnswer(() => store.takeOver(key, owner, { ...claim, owner: 'B' }))
  t.equal(await store.takeOver(key, owner, { ...claim, owner: 'B' }), true)
  await losingTheAnswer(async () => store.complete(key, 'B', DONE))
  t.same(await store.acquire(claim), DONE)
})

t.test('nothing that was rejected is sent again by itself', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  await redis.kill()
  const claim = newClaim()
  await t.rejects(async () => store.acquire(claim))

  await redis.restart()
  await until(() => store.isReady())
  await sleep(100)
  t.equal(await redis.command('EXISTS', `reply:${claim.key}`), 0)
})

t.test('after a failover what had reached the replica is there, and the rest is missed', needsRedis(), async t => {
  const primary = await redisFor(t)
  const replica = await redisFor(t, { replicaof: `127.0.0.1 ${primary.port}` })
  const proxy = await startTcpProxy(t, primary.port)
  const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`)
  const [replicated, lost] = [lastingClaim(), newClaim()]
  await store.acquire(replicated)
  await store.markSent(replicated.key, replicated.owner)
  while ((await primary.command('WAIT', 1, 1000)) !== 1) await sleep(10)
  while ((await replica.command('EXISTS', `reply:${replicated.key}`)) !== 1) await sleep(10)
  await replica.command('REPLICAOF', 'NO', 'ONE')
  await store.acquire(lost)
  await store.markSent(lost.key, lost.owner)
  t.equal(store.msSinceDataLoss(), undefined)

  proxy.target = replica.port
  await primary.kill()

  await until(() => store.msSinceDataLoss() !== undefined)
  t.same(await store.acquire({ ...replicated, owner: 'B' }), { kind: 'in-flight' })
  t.same(await store.acquire({ ...lost, owner: 'B' }), { kind: 'acquired' }, 'whoever gets it looks before it sends')
})

t.test('a primary that becomes a replica is left for whoever is at the address by then', needsRedis(), async t => {
  const demoted = await redisFor(t)
  const promoted = await redisFor(t)
  const proxy = await startTcpProxy(t, demoted.port)
  const { store } = await openRedisStore(t, `redis://127.0.0.1:${proxy.port}`)
  proxy.target = promoted.port

  await demoted.command('REPLICAOF', '127.0.0.1', promoted.port)

  await until(() => store.msSinceDataLoss() !== undefined)
  const claim = newClaim()
  t.same(await store.acquire(claim), { kind: 'acquired' })
  t.equal(await promoted.command('EXISTS', `reply:${claim.key}`), 1)
})

t.test('a store that is closed while Redis is away ends at once', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  await redis.kill()
  await t.rejects(async () => store.acquire(newClaim()))

  await store.close()
  await redis.restart()
  await sleep(300)
  t.equal(store.isReady(), false, 'it does not come back to life')
  await t.rejects(async () => store.acquire(newClaim()))
})
