// What else is kept in a Redis (sessions of both kinds, owners of UIDs, quotas) on a cluster, where each key is at another
// server, and behind sentinels.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { createAppSessionRedis } from '../../src/auth/app-session/store.ts'
import { createRedisUidOwners } from '../../src/auth/uid/owners/redis.ts'
import { createRedisStore } from '../../src/delivery/stores/redis/store.ts'
import { RedisQuotas } from '../../src/limits/stores/redis.ts'
import { createRedisSessionStore } from '../../src/login/stores/redis.ts'
import { clusterFor } from '../helpers/redis-cluster.ts'
import { sentinelFor } from '../helpers/redis-sentinel.ts'
import { needsRedis, type RedisServer } from '../helpers/redis-server.ts'
import { until } from '../helpers/until.ts'
import { redisAddress } from '../lib/addresses.ts'

t.setTimeout(240_000)

/** Keys enough for every server to get some. */
const MANY = Array.from({ length: 40 }, (_, number) => `user-${number}`)
const HOUR_MS = 3_600_000

interface Place {
  readonly url: string
  readonly serverOf: (key: string) => Promise<RedisServer>
}

function testAll(t: Test, { url, serverOf }: Place): void {
  const address = redisAddress(url)

  t.test('login sessions are kept, found by their owners, and ended', async t => {
    const store = await createRedisSessionStore(address)
    t.teardown(() => store.close())
    const endsAtMs = Date.now() + HOUR_MS
    const record = (indexKeys: readonly string[]) => ({ sealed: 'sealed', indexKeys, idleEndsAtMs: endsAtMs, endsAtMs })
    for (const name of MANY) await store.put(name, record(['everybody', `sid-${name}`]), Date.now())

    t.match(await store.get('user-1'), { indexKeys: ['everybody', 'sid-user-1'] })
    await store.touch('user-1', { ...record(['everybody', 'sid-user-1']), idleEndsAtMs: 5 })
    t.match(await store.get('user-1'), { idleEndsAtMs: 5 })
    await store.delete('user-1')
    t.equal(await store.get('user-1'), undefined)
    t.same(await store.deleteIndexed('sid-user-2'), ['user-2'])
    t.same(
      (await store.deleteIndexed('everybody')).toSorted(),
      MANY.filter(name => !/^user-[12]$/.test(name)).toSorted()
    )
    for (const name of MANY) t.equal(await store.get(name), undefined)
    const claim = randomUUID()
    const once = () => store.consumeOnce(claim, endsAtMs, Date.now())
    t.same([await once(), await once()], [true, false])
    await store.forgetConsumed(claim)
    t.equal(await once(), true)
  })

  t.test('sessions of the app are read wherever they are', async t => {
    const store = await createAppSessionRedis({ address, prefix: 'sess:' })
    t.teardown(() => store.close())
    for (const name of MANY) {
      await (await serverOf(`sess:${name}`)).command('SET', `sess:${name}`, `of ${name}`, 'PX', HOUR_MS)
      t.match(await store.read(name), { text: `of ${name}` })
    }
    t.equal(await store.read('nobody'), undefined)
    t.equal(store.isReady(), true)
  })

  t.test('a UID has one owner', async t => {
    const owners = await createRedisUidOwners(address, () => undefined)
    t.teardown(() => owners.close())
    for (const uid of MANY) {
      t.same(await owners.own(uid, { issuer: 'i', subject: uid }), { issuer: 'i', subject: uid })
      t.same(await owners.own(uid, { issuer: 'i', subject: 'another' }), { issuer: 'i', subject: uid })
    }
  })

  t.test('quotas are charged beside the records', async t => {
    const store = await createRedisStore({ address, monotonic: () => performance.now(), emit: () => undefined })
    t.teardown(() => store.close())
    const quotas = new RedisQuotas(store.redis)
    const charge = { units: 1, limit: 1, random: 0, latenessMs: 0, tag: 1 }
    const first = await Promise.all(MANY.map(user => quotas.charge(user, charge)))
    t.ok(first.every(({ isAdmitted }) => isAdmitted))
    const second = await Promise.all(MANY.map(user => quotas.charge(user, { ...charge, tag: 2 })))
    t.ok(second.every(({ isAdmitted }) => !isAdmitted))
    t.match(await quotas.reserve({ name: 'app', limit: 10, wanted: 5, force: 0, returned: [] }), { granted: 5 })
  })
}

t.test('in a cluster', needsRedis(), async t => {
  const cluster = await clusterFor(t)
  testAll(t, { url: cluster.url, serverOf: key => cluster.masterOf(key) })
})

t.test('behind sentinels', needsRedis(), async t => {
  const watched = await sentinelFor(t)
  testAll(t, { url: watched.url, serverOf: async () => watched.master })
})

t.test(
  'a session that has moved to another master is read there, by the call that finds out',
  needsRedis(),
  async t => {
    const cluster = await clusterFor(t)
    const store = await createAppSessionRedis({ address: redisAddress(cluster.url), prefix: 'sess:' })
    t.teardown(() => store.close())
    const key = 'sess:moving'
    const from = await cluster.masterOf(key)
    const to = cluster.masters.find(one => one !== from)
    await from.command('SET', key, 'session')
    const slot = Number(await from.command('CLUSTER', 'KEYSLOT', key))
    if (!to) return
    await cluster.beginMove(slot, to)
    await cluster.endMove(slot, to)

    await until(async () =>
      (await Promise.all(cluster.masters.map(one => ownerSeenBy(one, slot)))).every(port => port === to.port)
    )
    t.match(await store.read('moving'), { text: 'session' })
  }
)

t.test('a database other than 0 is that of the master', needsRedis(), async t => {
  const watched = await sentinelFor(t, { sentinels: 1 })
  const store = await createAppSessionRedis({ address: redisAddress(`${watched.url}/3`), prefix: 'sess:' })
  t.teardown(() => store.close())
  t.equal(await store.read('nobody'), undefined)
  await t.rejects(createAppSessionRedis({ address: redisAddress(`${watched.url}/99`), prefix: 'sess:' }), {
    message: 'AUTH_SESSION_STORE_URL names a database that this Redis does not have: change the number at its end.'
  })
})

/** The port of the master of a slot, as this node knows it: nodes tell each other, which takes a moment. */
async function ownerSeenBy(node: Pick<RedisServer, 'command'>, slot: number): Promise<number | undefined> {
  const ranges = (await node.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
  return ranges.find(([begin, end]) => begin <= slot && slot <= end)?.[2][1]
}
