import t, { type Test } from 'tap'
import { createRedisSessionStore } from '../../../src/login/stores/redis.ts'
import type { SessionRecord, SessionStore } from '../../../src/login/stores/session-store.ts'
import { fastestMs } from '../../helpers/fastest.ts'
import { needsRedis, type RedisServer, redisFor } from '../../helpers/redis-server.ts'
import { startTcpProxy } from '../../helpers/tcp-proxy.ts'
import { until } from '../../helpers/until.ts'
import { redisAddress } from '../../lib/addresses.ts'

const HOUR_MS = 3_600_000
const OWNER_KEYS = 'thread-reply-bff:login:owner:'

function record(indexKeys: readonly string[], endsAtMs = Date.now() + HOUR_MS): SessionRecord {
  return { sealed: 'sealed', indexKeys, idleEndsAtMs: endsAtMs, endsAtMs }
}

async function open(t: Test, url: string, onChange?: (isReachable: boolean) => void): Promise<SessionStore> {
  const store = await createRedisSessionStore(redisAddress(url), onChange)
  t.teardown(() => store.close())
  return store
}

function ownedBy(redis: RedisServer, owner: string): Promise<unknown> {
  return redis.command('ZRANGE', OWNER_KEYS + owner, 0, -1)
}

t.test('after a failover the session store finds the new primary', needsRedis(), async t => {
  const [former, next] = [await redisFor(t), await redisFor(t)]
  const proxy = await startTcpProxy(t, former.port)
  const store = await open(t, `redis://127.0.0.1:${proxy.port}`)
  await store.put('a', record(['alice']), Date.now())

  proxy.target = next.port
  await former.command('REPLICAOF', '127.0.0.1', next.port)
  await t.rejects(store.put('b', record(['alice']), Date.now()))

  await until(() => store.isReady())
  await store.put('b', record(['alice']), Date.now())
  t.match(await store.get('b'), { indexKeys: ['alice'] })
  t.same(await ownedBy(next, 'alice'), ['b'])
})

t.test('a connection that hears nothing any more is given up', needsRedis(), async t => {
  const [silent, next] = [await redisFor(t), await redisFor(t)]
  const proxy = await startTcpProxy(t, silent.port)
  const changes: boolean[] = []
  const store = await open(t, `redis://127.0.0.1:${proxy.port}`, isReachable => changes.push(isReachable))
  t.equal(store.isReady(), true)

  silent.pause()
  proxy.target = next.port
  await t.rejects(store.get('a'))
  t.equal(store.isReady(), false)
  const leastMs = await fastestMs(() => store.get('a').catch(() => undefined), 12)
  t.ok(leastMs < 300, 'once that is known, nobody waits for it any more')

  await until(() => store.isReady())
  t.equal(await store.get('a'), undefined)
  t.same(changes, [false, true])
})

t.test('a user who may do no more than sessions need is enough, and nothing is printed', needsRedis(), async t => {
  const redis = await redisFor(t)
  const commands = 'get mget set del multi exec zadd zrem zrange zremrangebyscore pexpire'
    .split(' ')
    .map(name => `+${name}`)
  await redis.command('ACL', 'SETUSER', 'app', 'on', '>p@ss', '~thread-reply-bff:login:*', ...commands)
  const printed = t.capture(console, 'warn')
  const store = await open(t, redis.url.replace('//', `//app:${encodeURIComponent('p@ss')}@`))

  t.equal(store.isReady(), true)
  await store.put('a', record(['alice']), Date.now())
  await store.touch('a', record(['alice']))
  await store.delete('a')
  await store.put('b', record(['alice']), Date.now())
  t.equal((await store.deleteIndexed('alice')).length, 1)
  t.equal(await store.consumeOnce('c', Date.now() + 1000, Date.now()), true)
  await store.forgetConsumed('c')
  t.same(printed(), [])
})

t.test('what belongs to an owner shrinks, too', needsRedis(), async t => {
  const redis = await redisFor(t)
  const store = await open(t, redis.url)
  const nowMs = Date.now()

  await store.put('deleted', record(['sub', 'sid 1']), nowMs)
  await store.delete('deleted')
  t.same(await ownedBy(redis, 'sub'), [], 'a session that was ended')
  t.same(await ownedBy(redis, 'sid 1'), [])

  await store.put('replaced', record(['sub', 'sid 2']), nowMs)
  t.equal((await store.deleteIndexed('sid 2')).length, 1)
  t.same(await ownedBy(redis, 'sub'), [], 'a session that another owner ended')

  await store.put('old', record(['sub'], nowMs + 1000), nowMs)
  await store.put('new', record(['sub']), nowMs + HOUR_MS / 2)
  t.same(await ownedBy(redis, 'sub'), ['new'], 'a session that ended by itself')
})
