import t from 'tap'
import { connected, SECRET, startExpressBackend } from '../../helpers/app-backends.ts'
import { startSessionTarget } from '../../helpers/app-session.ts'
import { fastestMs } from '../../helpers/fastest.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { readiness } from '../../helpers/service-process.ts'
import { postReply } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

/** Of which one is not delayed by what else a busy machine does. */
const MANY_TRIES = 12

t.test(
  'while the store hangs a cookie is answered 503, never 401, and works again afterwards',
  needsRedis(),
  async t => {
    const { redis, service, parentId, reply, takeNames } = await startSessionTarget(t)
    const backend = await startExpressBackend(t, { redisUrl: redis.url, secrets: [SECRET] })
    const cookie = await backend.login('alice')
    t.same(await readiness(service), [200, []])

    redis.pause()
    const answers = await Promise.all(Array.from({ length: 20 }, () => reply(cookie)))
    const later = await reply(cookie)
    const leastMs = await fastestMs(() => reply(cookie), MANY_TRIES)
    t.ok(leastMs < 700, 'once that is known, nobody waits for it any more')

    for (const answer of [...answers, later]) expectProblem(t, answer, 'store-unavailable')
    t.same(takeNames(), [])
    t.same(await readiness(service), [503, ['session-store']])
    t.equal((await postReply(service, { parentId })).status, 201, 'a bearer token needs no session store')
    takeNames()

    redis.resume()
    const recovered = await until(
      () => readiness(service),
      ([status]) => status === 200
    )
    t.same(recovered, [200, []])
    t.equal((await reply(cookie)).status, 201)
    t.same(takeNames(), ['alice'])
    const told = () => service.logLines().filter(({ msg }) => String(msg).includes('AUTH_SESSION_STORE_URL'))
    // On a busy machine it may be away more than once, and the last line may come after the answer.
    const both = await until(told, ({ length }) => length >= 2 && length % 2 === 0)
    const directions = both.map(({ level }) => level)
    t.ok(
      directions.every((level, index) => level !== directions[index - 1]),
      'the log says once that it went and once that it came back'
    )
  }
)

t.test('a store that died is answered 503, at once, and found again when it is back', needsRedis(), async t => {
  const { redis, service, reply } = await startSessionTarget(t)
  const backend = await startExpressBackend(t, { redisUrl: redis.url, secrets: [SECRET] })
  const cookie = await backend.login('alice')

  await redis.kill()
  expectProblem(t, await reply(cookie), 'store-unavailable')
  expectProblem(t, await reply(cookie), 'store-unavailable')
  t.ok((await fastestMs(() => reply(cookie), MANY_TRIES)) < 300, 'without waiting for anything')

  await redis.restart()
  await until(
    () => readiness(service),
    ([status]) => status === 200
  )
  t.equal((await reply(cookie)).status, 201)
})

t.test('a service that starts without its session store serves, says so, and finds it later', needsRedis(), async t => {
  const away = await redisFor(t)
  await away.kill()
  const target = await startSessionTarget(t, { AUTH_SESSION_STORE_URL: away.url }, 'listening')
  const { service, reply, parentId } = target

  expectProblem(t, await reply(`connect.sid=${'a'.repeat(32)}.${'b'.repeat(43)}`), 'unauthenticated')
  t.same(await readiness(service), [503, ['session-store']])
  t.equal((await postReply(service, { parentId })).status, 201)

  await away.restart()
  const backend = await startExpressBackend(t, { redisUrl: away.url, secrets: [SECRET] })
  await until(
    () => readiness(service),
    ([status]) => status === 200
  )
  t.equal((await reply(await backend.login('alice'))).status, 201)
})

t.test('a user of the store that may only read sessions is enough', needsRedis(), async t => {
  const redis = await redisFor(t)
  await redis.command('ACL', 'SETUSER', 'replies', 'on', '>p@ss/word', '~sess:*', '+get', '+pttl')
  const url = redis.url.replace('redis://', `redis://replies:${encodeURIComponent('p@ss/word')}@`)
  const { service, reply } = await startSessionTarget(t, { AUTH_SESSION_STORE_URL: url })
  const backend = await startExpressBackend(t, { redisUrl: redis.url, secrets: [SECRET] })

  t.same(await readiness(service), [200, []])
  t.equal((await reply(await backend.login('alice'))).status, 201)
  t.notMatch(service.output.join('\n') + service.errors.join(''), 'p@ss', 'and the password is nowhere')
})

t.test('a store that refuses its user is a store that is down', needsRedis(), async t => {
  const redis = await redisFor(t)
  await redis.command('ACL', 'SETUSER', 'replies', 'on', '>other', '~other:*', '+get', '+pttl')
  const backend = await startExpressBackend(t, { redisUrl: redis.url, secrets: [SECRET] })
  const cookie = await backend.login('alice')

  for (const user of ['replies:wrong', 'replies:other', 'nobody:other']) {
    const url = redis.url.replace('redis://', `redis://${user}@`)
    const { service, reply } = await startSessionTarget(t, { AUTH_SESSION_STORE_URL: url }, 'listening')
    expectProblem(t, await reply(cookie), 'store-unavailable', { without: [user] })
    t.same(await readiness(service), [503, ['session-store']], user)
  }
})

t.test('whatever else is stored where a session should be opens nothing and breaks nothing', needsRedis(), async t => {
  const { redis, reply, takeNames, service } = await startSessionTarget(t)
  const backend = await startExpressBackend(t, { redisUrl: redis.url, secrets: [SECRET] })
  const cookie = await backend.login('alice')
  const client = await connected(t, redis.url)
  const [key = ''] = await client.keys('sess:*')
  const user = { id: 'alice' }
  const texts = [
    '',
    'alice',
    '"alice"',
    'null',
    '[]',
    '{"user":{"id":"alice"}}',
    '{"cookie":null,"user":{"id":"alice"}}',
    JSON.stringify({ cookie: { expires: 1 }, user }),
    JSON.stringify({ cookie: { expires: 'soon' }, user }),
    JSON.stringify({ cookie: { originalMaxAge: 'long' }, user }),
    JSON.stringify({ cookie: {}, user: 'alice' }),
    JSON.stringify({ cookie: {}, user: ['alice'] }),
    `{"cookie":{},"__proto__":{"user":{"id":"alice"}}}`,
    JSON.stringify({ cookie: {}, user, more: 'x'.repeat(300_000) }),
    '[['.repeat(50_000),
    '\u0000\ufffd\ud800'
  ]

  for (const text of texts) {
    await client.set(key, text)
    t.equal((await reply(cookie)).json?.code, 'unauthenticated', text.slice(0, 60))
  }
  t.same(takeNames(), [])
  await client.del(key)
  await client.hSet(key, 'user', 'alice')
  expectProblem(t, await reply(cookie), 'unauthenticated')
  t.ok(await service.lineWhere(({ reason }) => reason === 'session-unreadable'))
  t.same(await readiness(service), [200, []], 'one key of another type is one session, and no trouble of the store')
  t.equal((await reply(await backend.login('bob'))).status, 201)
  t.same(takeNames(), ['bob'])
  await client.del(key)
  await client.set(key, JSON.stringify({ cookie: {}, user }))
  t.equal((await reply(cookie)).status, 201, 'what is right is accepted')
})

t.test('a Redis of a cluster is named: the session is elsewhere, or the cluster is down', needsRedis(), async t => {
  const cluster = { 'cluster-enabled': 'yes', 'cluster-require-full-coverage': 'no', appendonly: 'no' }
  const [one, other] = [await redisFor(t, cluster), await redisFor(t, cluster)]
  await other.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
  const backend = await startExpressBackend(t, { redisUrl: (await redisFor(t)).url, secrets: [SECRET] })
  const cookie = await backend.login('alice')
  const { service, reply } = await startSessionTarget(t, { AUTH_SESSION_STORE_URL: one.url }, 'listening')

  expectProblem(t, await reply(cookie), 'store-unavailable')
  t.match(await service.lineWhere(({ msg }) => String(msg).includes('AUTH_SESSION_STORE_URL')), {
    reason: 'CLUSTERDOWN'
  })

  await one.command('CLUSTER', 'MEET', '127.0.0.1', other.port)
  const answer = await until(
    () => one.command('GET', 'sess:x').catch(error => String(error)),
    text => String(text).includes('MOVED')
  )
  t.match(answer, 'MOVED')
  const moved = await startSessionTarget(t, { AUTH_SESSION_STORE_URL: one.url }, 'listening')
  expectProblem(t, await moved.reply(cookie), 'store-unavailable')
  t.match(await moved.service.lineWhere(({ msg }) => String(msg).includes('AUTH_SESSION_STORE_URL')), {
    reason: 'MOVED'
  })
})
