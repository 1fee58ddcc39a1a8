// Records in a Valkey: the same promises, and the same rules for what a restart and a failover lose.
import t from 'tap'
import { needsValkey, redisFor } from '../../../helpers/redis-server.ts'
import { until } from '../../../helpers/until.ts'
import { testStore } from '../conformance.ts'
import { lastingClaim } from '../store-kit.ts'
import { greeted, makeRedisKit, openRedisStore } from './records.ts'

t.setTimeout(240_000)

t.test('in a Valkey', needsValkey(), async t => {
  const valkey = await redisFor(t, {}, 'valkey-server')
  t.test('the store does what every store does', async t => testStore(t, t => makeRedisKit(t, valkey)))
})

t.test('kill -9 with appendfsync always loses nothing, and with everysec it may', needsValkey(), async t => {
  for (const [appendfsync, isLost] of [
    ['always', false],
    ['everysec', true]
  ] as const) {
    const valkey = await redisFor(t, { appendfsync }, 'valkey-server')
    const { store, told } = await openRedisStore(t, valkey.url)
    const claim = lastingClaim()
    await store.acquire(claim, 'sent')
    await valkey.restart()
    await greeted(valkey, store)
    t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
    t.equal(store.msSinceDataLoss() !== undefined, isLost, appendfsync)
    t.match(told, [{ sentence: /cannot be reached/ }, { sentence: /can be used again/ }])
  }
})

t.test('a promoted replica is told from a server of its own log, and replicas confirm', needsValkey(), async t => {
  const primary = await redisFor(t, {}, 'valkey-server')
  const replica = await redisFor(t, { replicaof: `127.0.0.1 ${primary.port}` }, 'valkey-server')
  const promise = { failover: 'detect', waitReplicas: 1 } as const
  const { store } = await openRedisStore(t, primary.url, { promise })
  const claim = lastingClaim()
  await store.acquire(claim, 'sent')
  await until(() => store.confirmSent?.(claim.key, claim.owner))
  await primary.kill()
  await replica.command('REPLICAOF', 'NO', 'ONE')
  const { store: newcomer } = await openRedisStore(t, replica.url)
  t.same(await newcomer.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
  t.match(newcomer.whyLost?.(), /another server took its place/)
})
