// Records in a Redis Cluster: what one shard suffers is that shard's alone, and nothing is lost on the way between two.
import t from 'tap'
import type { Acquisition, RecordStore } from '../../../../src/delivery/record.ts'
import { Shards } from '../../../../src/delivery/stores/redis/shards.ts'
import { ServerRun } from '../../../../src/delivery/stores/server-run.ts'
import { slotOf } from '../../../../src/redis/slots.ts'
import { clusterFor, type RedisCluster } from '../../../helpers/redis-cluster.ts'
import { needsRedis, redisFor, withoutRedis } from '../../../helpers/redis-server.ts'
import { until } from '../../../helpers/until.ts'
import { testStore } from '../conformance.ts'
import { lastingClaim } from '../store-kit.ts'
import { makeClusterKit, openRedisStore, type Told } from './records.ts'
import { refusalOf } from './refusal.ts'

t.setTimeout(240_000)

const SHARDS = new Shards(true, () => new ServerRun(() => 0, 0))
/** As in use: a node that hangs keeps no caller for longer. */
const QUICK = { commandTimeoutMs: 1000 }

/** A claim on a record that lies on the master with this number of so many. */
function claimOn(master: number, masters = 3): Acquisition {
  for (;;) {
    const claim = lastingClaim()
    if (Math.floor((slotIn(claim) * masters) / 16_384) === master) return claim
  }
}

function slotIn({ key }: Pick<Acquisition, 'key'>): number {
  return slotOf(SHARDS.of(key).memory)
}

async function canAcquire(store: RecordStore, claim: Acquisition): Promise<boolean> {
  try {
    await store.acquire(claim)
    return true
  } catch {
    return false
  }
}

const sentences = (told: readonly Told[]): readonly string[] => told.map(({ sentence }) => sentence)

t.test('on a cluster that stays as it is', needsRedis(), async t => {
  const cluster = await clusterFor(t)

  t.test('the store does what every store does', async t => testStore(t, t => makeClusterKit(t, cluster)))

  t.test('each record is with what is remembered of its server, and every node gets its part', async t => {
    const { store, told } = await openRedisStore(t, cluster.url)
    const claims = [0, 1, 2].map(master => claimOn(master))
    for (const claim of claims) t.same(await store.acquire(claim, 'sent'), { kind: 'acquired-as-sent' })
    for (const [index, { key }] of claims.entries()) {
      const { prefix, memory } = SHARDS.of(key)
      t.equal(await cluster.masters[index]?.command('EXISTS', prefix + key, memory), 2)
    }
    t.same(told, [])
    t.same(store.warnings?.(), [])
  })

  t.test('any node that is named leads to all of them', async t => {
    const { store } = await openRedisStore(t, `redis+cluster://127.0.0.1:${cluster.masters[1]?.port}`)
    for (const master of [0, 1, 2]) t.equal(await canAcquire(store, claimOn(master)), true)
  })
})

t.test('a shard that is lost takes its own records away, and no other', needsRedis(), async t => {
  const cluster = await clusterFor(t)
  const [lost] = cluster.masters
  const { store, told } = await openRedisStore(t, cluster.url, QUICK)
  const before = claimOn(0)
  await store.acquire(before, 'sent')
  await lost?.kill()

  t.equal(await canAcquire(store, before), false)
  const { store: late } = await openRedisStore(t, cluster.url, QUICK)
  t.equal(late.msSinceDataLoss(before.key), 0, 'to one that has never met it, it may have lost all')
  t.equal(late.msSinceDataLoss(claimOn(1).key), undefined)
  for (const master of [1, 2]) t.same(await store.acquire(claimOn(master)), { kind: 'acquired' })
  t.equal(store.isReady(), true)
  await until(() => store.warnings?.().length === 1)
  t.same(store.warnings?.(), ['1 of 3 shards of STORE_URL cannot be reached: their keys are answered 503'])
  t.match(sentences(told), [/^some shards of a Redis Cluster cannot be reached/])

  await lost?.restart()
  await until(() => canAcquire(store, claimOn(0)))
  t.same(await store.acquire({ ...before, owner: 'B' }), { kind: 'in-flight' }, 'what it kept on disk is there')
  t.equal(store.msSinceDataLoss(), undefined, 'each write was on its disk, and no replica took its place')
  await until(() => told.length === 2)
  t.match(sentences(told), [/^some shards/, /can be used again/])
})

t.test('a replica takes the place of its master, and its shard alone may have forgotten', needsRedis(), async t => {
  const cluster = await clusterFor(t, { hasReplicas: true })
  const { store } = await openRedisStore(t, cluster.url, QUICK)
  const { store: other } = await openRedisStore(t, cluster.url, QUICK)
  const before = claimOn(0)
  await store.acquire(before, 'sent')
  await cluster.masters[0]?.command('WAIT', 1, 1000)
  await cluster.masters[0]?.kill()
  for (const master of [1, 2]) t.equal(await canAcquire(store, claimOn(master)), true, 'meanwhile the others go on')

  await until(() => canAcquire(store, claimOn(0)))
  t.same(await store.acquire({ ...before, owner: 'B' }), { kind: 'in-flight' })
  for (const one of [store, other]) {
    await until(() => one.msSinceDataLoss(before.key) !== undefined)
    t.equal(one.msSinceDataLoss(claimOn(1).key), undefined)
  }
  const { store: late } = await openRedisStore(t, cluster.url, QUICK)
  // Of the nodes that it asks one may not have heard of it: then it opens without this shard.
  await until(() => canAcquire(late, before))
  t.type(late.msSinceDataLoss(before.key), 'number', 'also one that was not there when it happened')
})

t.test('a master that another is put in the place of answers no more, and loses nothing', needsRedis(), async t => {
  const cluster = await clusterFor(t, { masters: 1, hasReplicas: true })
  const { store } = await openRedisStore(t, cluster.url, QUICK)
  const claims = [lastingClaim(), lastingClaim()]
  for (const claim of claims) await store.acquire(claim, 'sent')
  await cluster.replicas[0]?.command('CLUSTER', 'FAILOVER')
  await until(async () => String(await cluster.replicas[0]?.command('ROLE')).startsWith('master'))

  await until(() => canAcquire(store, lastingClaim()))
  for (const claim of claims) t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
})

t.test('while a slot moves its new records wait, and afterwards all of it is there', needsRedis(), async t => {
  const cluster = await clusterFor(t)
  const { store, told } = await openRedisStore(t, cluster.url, QUICK)
  const [held, apart] = [claimOn(0), claimOn(0)]
  const slot = slotIn(held)
  await store.acquire(held, 'sent')
  const to = cluster.masters[1]
  if (!to || slot === slotIn(apart)) return t.bailout('another seed')
  await cluster.beginMove(slot, to)

  const fresh = sibling(held)
  t.equal(await canAcquire(store, fresh), false)
  t.equal(await canAcquire(store, apart), true, 'the other slots of that master go on')
  t.equal(await canAcquire(store, fresh), false)
  t.equal(await canAcquire(store, apart), true)
  t.same(sentences(told).length, 1, 'said once, while keys that move are asked for')
  t.match(sentences(told), [/^STORE_URL names a cluster that is being resharded/])

  await cluster.endMove(slot, to)
  await until(() => canAcquire(store, fresh))
  t.same(await store.acquire({ ...held, owner: 'B' }), { kind: 'in-flight' })
  t.equal(await to.command('EXISTS', SHARDS.of(held.key).prefix + held.key), 1)
  t.equal(store.msSinceDataLoss(held.key), undefined, 'it came whole')
  const { store: late } = await openRedisStore(t, cluster.url, QUICK)
  t.equal(late.msSinceDataLoss(held.key), undefined, 'which everybody learns')
  await until(() => /can be used again/.test(sentences(told).at(-1) ?? ''))
})

/** Another record of the same shard. */
function sibling({ key }: Acquisition): Acquisition {
  for (;;) {
    const claim = lastingClaim()
    if (SHARDS.of(claim.key) === SHARDS.of(key)) return claim
  }
}

t.test('slots that no node serves are told, and the others work', needsRedis(), async t => {
  const cluster = await clusterFor(t)
  const claim = claimOn(0)
  await cluster.tellAll('CLUSTER', 'DELSLOTS', slotIn(claim))
  await until(async () => String(await cluster.masters[2]?.command('CLUSTER', 'INFO')).includes('slots_assigned:16383'))
  const { store, told } = await openRedisStore(t, cluster.url, QUICK)

  t.match(sentences(told), [/^STORE_URL names a cluster with slots that no node serves: .*redis-cli --cluster fix/])
  t.same(store.warnings?.(), ['slots of STORE_URL are served by no node: their keys are answered 503'])
  t.equal(await canAcquire(store, claim), false)
  for (const master of [1, 2]) t.equal(await canAcquire(store, claimOn(master)), true)
})

t.test('what cannot be is refused in words', { skip: withoutRedis() ?? false }, async t => {
  const cluster = await clusterFor(t, { settings: { requirepass: 'right-password', masterauth: 'right-password' } })
  const withPassword = (text: string): string => cluster.url.replace('//', `//:${text}@`)

  for (const url of [cluster.url, withPassword('wrong-password')]) {
    t.match(await refusalOf(url), /^StoreError: STORE_URL names a Redis that refuses its user or password/)
  }
  const { store } = await openRedisStore(t, withPassword('right-password'), QUICK)
  for (const master of [0, 1, 2]) t.equal(await canAcquire(store, claimOn(master)), true)

  await passwordOf(cluster, 'another')
  t.match(await refusalOf(withPassword('right-password')), /refuses its user or password/, 'on one node only')
  const single = await redisFor(t)
  t.match(
    await refusalOf(single.url.replace('redis:', 'redis+cluster:')),
    /^StoreError: STORE_URL names a Redis that is no cluster: write redis:\/\//
  )
})

async function passwordOf({ masters }: RedisCluster, password: string): Promise<void> {
  await masters[2]?.command('CONFIG', 'SET', 'requirepass', password)
}
