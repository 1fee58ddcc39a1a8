import { randomBytes, randomInt } from 'node:crypto'
import t from 'tap'
import { KEPT_MS } from '../../../../src/delivery/record.ts'
import { needsRedis, redisFor } from '../../../helpers/redis-server.ts'
import { until } from '../../../helpers/until.ts'
import { testStore } from '../conformance.ts'
import { DONE, LEASE_MS, newClaim, REFUSED } from '../store-kit.ts'
import { makeRedisKit, openRedisStore } from './records.ts'

t.setTimeout(240_000)

t.test('redis: does what every store does', needsRedis(), async t => {
  const redis = await redisFor(t)
  testStore(t, t => makeRedisKit(t, redis))
})

t.test('every record has an end, in every state', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const claim = newClaim()
  const { key, owner } = claim
  const isKeptFor = async (ms: number, state: string): Promise<void> => {
    const left = Number(await redis.command('PTTL', `reply:${key}`))
    t.ok(left <= ms && left > ms - 5000, `${state}: ${left} of ${ms} ms are left`)
  }

  await store.acquire(claim)
  await isKeptFor(2 * LEASE_MS, 'pending')
  await store.markSent(key, owner)
  await isKeptFor(KEPT_MS.sent, 'sent')
  await store.markInDoubt(key, owner)
  await isKeptFor(KEPT_MS.sent, 'in-doubt')
  await store.takeOver(key, owner, { ...claim, owner: 'B' })
  await isKeptFor(2 * LEASE_MS, 'reclaimed')
  await store.complete(key, 'B', DONE)
  await isKeptFor(KEPT_MS.done, 'done')

  const refused = newClaim()
  await store.acquire(refused)
  await store.complete(refused.key, owner, REFUSED)
  t.ok(Number(await redis.command('PTTL', `reply:${refused.key}`)) <= KEPT_MS.refused)
})

t.test('a record of the version before is read, and remembers a search from then on', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const claim = newClaim({ owner: 'B', search: 'of another' })
  const name = `reply:${claim.key}`
  const [seconds] = (await redis.command('TIME')) as string[]
  const fields = ['s', 'sent', 'fp', claim.fingerprint, 'tok', 'A', 'dl', `${seconds}000`, 'o', 'lease-ended']
  await redis.command('HSET', name, ...fields)

  t.match(await store.acquire(claim), { kind: 'in-doubt', owner: 'A', search: undefined })
  t.equal(await store.noteSearch(claim.key, undefined, 'so far'), true)
  t.match(await store.acquire(claim), { kind: 'in-doubt', search: 'so far' })
  await redis.command('HDEL', name, 'se')
  t.equal(await store.takeOver(claim.key, 'A', claim), true)
  t.same(await store.acquire(claim), { kind: 'acquired' })
})

t.test('every name begins with the prefix, so an ACL can fence the service in', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const claim = newClaim()
  await store.acquire(claim)

  t.same(((await redis.command('KEYS', '*')) as string[]).sort(), ['reply:meta', `reply:${claim.key}`])
})

t.test('a user with no more rights than are needed is enough', needsRedis(), async t => {
  const redis = await redisFor(t)
  const rights = ['~reply:*', '+eval', '+evalsha', '+info', '+type', '+hmget', '+hset', '+hdel', '+del', '+exists']
  await redis.command('ACL', 'SETUSER', 'replies', 'on', '>secret', ...rights, '+pexpire', '+time', '+config|get')
  const { store, told } = await openRedisStore(t, redis.url.replace('//', '//replies:secret@'))
  const claim = newClaim()

  t.same(await store.acquire(claim), { kind: 'acquired' })
  t.equal(await store.markSent(claim.key, claim.owner), true)
  t.same(told, [])
})

t.test('a Redis that has forgotten the scripts gets them again', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const claim = newClaim()
  await store.acquire(claim)

  await redis.command('SCRIPT', 'FLUSH')

  t.same(await store.acquire(claim), { kind: 'acquired' })
  t.equal(store.isReady(), true)
})

t.test(
  'random bytes in any value are trouble: no answer is made of them, and nothing breaks',
  needsRedis(),
  async t => {
    const redis = await redisFor(t)
    const { store } = await openRedisStore(t, redis.url)

    for (const field of ['s', 'fp', 'tok', 'dl', 'o']) {
      for (let i = 0; i < 40; i++) {
        const claim = newClaim()
        await store.acquire(claim)
        await store.complete(claim.key, claim.owner, DONE)
        const junk = randomBytes(randomInt(16, 100)).toString('latin1')
        await redis.command('HSET', `reply:${claim.key}`, field, junk)

        await t.rejects(async () => store.acquire(claim), `${field} is ${JSON.stringify(junk)}`)
      }
    }
    t.same(await store.acquire(newClaim()), { kind: 'acquired' }, 'other records are as usable as before')
  }
)

t.test('a record that lacks a part, or is something else, is trouble for every transition', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const lacking = newClaim()
  const foreign = newClaim()
  await store.acquire(lacking)
  await redis.command('HDEL', `reply:${lacking.key}`, 's')
  await redis.command('SET', `reply:${foreign.key}`, 'something else')

  for (const claim of [lacking, foreign]) {
    const { key, owner } = claim
    await t.rejects(async () => store.acquire(claim))
    await t.rejects(store.markSent(key, owner))
    await t.rejects(store.markInDoubt(key, owner))
    await t.rejects(store.takeOver(key, owner, { ...claim, owner: 'B' }))
    await t.rejects(async () => store.complete(key, undefined, DONE))
    await t.rejects(async () => store.release(key, owner))
  }
  t.equal(await redis.command('GET', `reply:${foreign.key}`), 'something else', 'nothing is repaired by guessing')
})

t.test('a full Redis rejects what is new and keeps what there is', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await openRedisStore(t, redis.url)
  const claim = newClaim()
  await store.acquire(claim)

  await redis.command('CONFIG', 'SET', 'maxmemory', '1')

  await t.rejects(async () => store.acquire(newClaim()))
  t.equal(store.isReady(), false)
  await redis.command('CONFIG', 'SET', 'maxmemory', '0')
  await until(() => store.isReady())
  t.same(await store.acquire(claim), { kind: 'acquired' })
})
