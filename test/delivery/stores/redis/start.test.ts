// Which Redis records may be kept in, and what the operator is told.
import t from 'tap'
import { fastestMs } from '../../../helpers/fastest.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { needsRedis, type RedisSettings, redisFor } from '../../../helpers/redis-server.ts'
import { until } from '../../../helpers/until.ts'
import { newClaim } from '../store-kit.ts'
import { openRedisStore } from './records.ts'
import { refusalOf } from './refusal.ts'

t.setTimeout(240_000)

for (const policy of ['allkeys-lru', 'volatile-ttl', 'volatile-lru']) {
  t.test(`a Redis that evicts records by ${policy} is refused`, needsRedis(), async t => {
    const redis = await redisFor(t, { maxmemory: '100mb', 'maxmemory-policy': policy })

    const refusal = await refusalOf(redis.url)

    t.match(
      refusal,
      /^StoreError: STORE_URL names a Redis that may evict records: set its maxmemory-policy to noeviction/
    )
    t.match(refusal, policy, 'and it says what it is now')
    t.notMatch(refusal, `${redis.port}`, 'but not where')
  })
}

const HARMLESS: readonly (readonly [title: string, settings: RedisSettings])[] = [
  ['has a limit and evicts nothing', { maxmemory: '100mb', 'maxmemory-policy': 'noeviction' }],
  ['would evict if it had a limit', { maxmemory: '0', 'maxmemory-policy': 'allkeys-lru' }]
]
for (const [title, settings] of HARMLESS) {
  t.test(`a Redis that ${title} is accepted`, needsRedis(), async t => {
    const redis = await redisFor(t, settings)
    const { store, told } = await openRedisStore(t, redis.url)

    t.same(await store.acquire(newClaim()), { kind: 'acquired' })
    t.same(told, [])
  })
}

t.test('a Redis that begins to evict while in use is no longer used, until it stops that', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store, told } = await openRedisStore(t, redis.url)
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
  await redis.command('CONFIG', 'SET', 'maxmemory', '100mb')
  await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')

  await until(() => told.some(({ level }) => level === 'error'))
  t.equal(store.isReady(), false)
  await t.rejects(async () => store.acquire(newClaim()))

  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  t.match(told.at(-1), { level: 'info', sentence: /can be used again/ })
})

t.test('a node of a cluster is refused', needsRedis(), async t => {
  const redis = await redisFor(t, { 'cluster-enabled': 'yes' })

  t.match(await refusalOf(redis.url), /^StoreError: STORE_URL names a Redis in cluster mode/)
})

t.test('a node of a cluster that shows no INFO is refused by what it says of the records', needsRedis(), async t => {
  const redis = await redisFor(t, { 'cluster-enabled': 'yes' })
  await redis.command('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-info')

  const refusal = await refusalOf(`redis://app:secret@127.0.0.1:${redis.port}`)
  t.match(refusal, /^StoreError: STORE_URL names a node of a Redis Cluster/)
})

t.test('credentials that Redis refuses are refused, and not repeated', needsRedis(), async t => {
  const redis = await redisFor(t, { requirepass: 'right-password' })

  for (const credentials of ['', ':wrong-password@', 'mallory:wrong-password@']) {
    const refusal = await refusalOf(redis.url.replace('//', `//${credentials}`))
    t.match(refusal, /^StoreError: STORE_URL names a Redis that refuses its user or password/)
    t.notMatch(refusal, /wrong-password|mallory/)
  }
})

t.test('a password may hold every character, encoded', needsRedis(), async t => {
  const redis = await redisFor(t)
  const password = ':/?#@%&é'
  await redis.command('ACL', 'SETUSER', 'app', 'on', `>${password}`, '~*', '+@all')
  const { store } = await openRedisStore(t, `redis://app:${encodeURIComponent(password)}@127.0.0.1:${redis.port}/3`)
  const claim = newClaim()

  t.same(await store.acquire(claim), { kind: 'acquired' })
  t.equal(await redis.command('EXISTS', `reply:${claim.key}`), 0, 'the number at the end is the database')
})

t.test('where INFO is forbidden a warning says what that costs', needsRedis(), async t => {
  const redis = await redisFor(t, { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' })
  await redis.command('ACL', 'SETUSER', 'default', '-info', '-config')
  const { store, told } = await openRedisStore(t, redis.url)

  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  t.match(told, [{ level: 'warn', sentence: /cannot be known/ }])
  t.equal(store.msSinceDataLoss(), undefined)
})

t.test('a Redis that keeps nothing on disk is used with a warning', needsRedis(), async t => {
  const redis = await redisFor(t, { appendonly: 'no' })
  const { store, told } = await openRedisStore(t, redis.url)

  t.equal(store.isReady(), true)
  t.match(told, [{ level: 'warn', sentence: /no append-only file/ }])
})

t.test('a replica is not used, but it may become the primary', needsRedis(), async t => {
  const primary = await redisFor(t)
  const redis = await redisFor(t, { replicaof: `127.0.0.1 ${primary.port}` })
  const { store, told } = await openRedisStore(t, redis.url, { commandTimeoutMs: 400 })

  t.equal(store.isReady(), false)
  await t.rejects(async () => store.acquire(newClaim()))
  t.match(told, [{ level: 'warn', sentence: /cannot be reached \(READONLY\)/ }])

  await redis.command('REPLICAOF', 'NO', 'ONE')
  await until(() => store.isReady())
  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
})

t.test(
  'without a Redis the store opens all the same, rejects at once, and comes to life with it',
  needsRedis(),
  async t => {
    const redis = await redisFor(t)
    await redis.kill()
    const { store, told } = await openRedisStore(t, redis.url)

    t.ok((await fastestMs(() => t.rejects(async () => store.acquire(newClaim())))) < 1000)
    t.equal(store.isReady(), false)
    t.match(told, [
      { level: 'warn', sentence: 'the Redis of STORE_URL cannot be reached (ECONNREFUSED); trying again' }
    ])

    await redis.restart()
    await until(() => store.isReady())
    t.same(await store.acquire(newClaim()), { kind: 'acquired' })
    t.equal(store.msSinceDataLoss(), undefined, 'a Redis that nobody has used has forgotten nothing')
  }
)

t.test('a name that does not exist, or a server that is no Redis, is told once and tried again', async t => {
  const unknown = await openRedisStore(t, 'redis://redis.invalid')
  const nobody = await openRedisStore(t, `rediss://127.0.0.1:${await freePort()}`)

  t.match(unknown.told, [{ level: 'warn', sentence: /\((ENOTFOUND|EAI_AGAIN|ETIMEDOUT)\)/ }])
  t.match(nobody.told, [{ level: 'warn', sentence: /\(ECONNREFUSED\)/ }])
})
