// One quota for several instances, with the emulator's ledger as the judge; and what holds while their Redis is away.
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { needsRedis, type RedisServer, redisFor } from '../../helpers/redis-server.ts'
import type { RunningService } from '../../helpers/service-process.ts'
import { startTcpProxy } from '../../helpers/tcp-proxy.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const STORE_SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'

async function startInstances(t: Test, redis: RedisServer, count: number) {
  const world = await startEmulator(t, { switches: { userMessagesPerMinute: 30, userWindow: 'sliding' } })
  const env = { ...world.env, LIMIT_MODE: undefined, STORE_URL: redis.url, STORE_SECRET }
  const services = await Promise.all(Array.from({ length: count }, () => hostService(t, env)))
  return { ...world, services }
}

t.test('two instances share the thirty of a user, at many times the load', needsRedis(), async t => {
  const redis = await redisFor(t, { appendonly: 'no' })
  const { emulator, services, parentId, groupParentId } = await startInstances(t, redis, 2)
  const [one, two] = services as [RunningService, RunningService]
  const token = await tokenFor('alice')
  /** Where the machine is too busy for Redis to answer in time, nothing is sent, and the caller comes again. */
  const post = async (service: RunningService) => {
    for (let tries = 0; ; tries++) {
      const answer = await postReply(service, { parentId, token })
      if (answer.status !== 503 || answer.json['delivery'] !== 'not-sent' || tries === 50) return answer
      await delay(100)
    }
  }
  const answers = (
    await Promise.all(
      [one, two].map(async service => {
        const mine = []
        for (let round = 0; round < 10; round++) {
          mine.push(...(await Promise.all(Array.from({ length: 10 }, () => post(service)))))
        }
        return mine
      })
    )
  ).flat()
  const sent = emulator.ledger.filter(({ onBehalfOf }) => onBehalfOf === 'alice').length
  t.ok(sent >= 29 && sent <= 30, `${sent} of ${answers.length}`)
  t.equal(answers.filter(({ status }) => status === 201).length, sent)
  t.notOk(
    emulator.requests.some(({ status }) => status === 429),
    'CometChat refuses none'
  )
  const others = answers.filter(({ status }) => status !== 201 && status !== 429)
  t.same(
    others.map(({ json }) => [json['code'], json['detail']]),
    []
  )
  for (const service of services) {
    const bob = await postReply(service, { parentId: groupParentId, as: 'bob' })
    t.equal(bob.status, 201, 'nobody else is refused')
  }
})

t.test('with Redis stopped nothing is sent, at once', needsRedis(), async t => {
  const redis = await redisFor(t, { appendonly: 'no' })
  const { emulator, services, parentId } = await startInstances(t, redis, 1)
  const [service] = services as [RunningService]
  t.equal((await postReply(service, { parentId })).status, 201)
  const before = emulator.ledger.length
  redis.pause()
  t.teardown(() => redis.resume())
  const first = await postReply(service, { parentId })
  t.match([first.status, first.json['code'], first.json['delivery']], [503, 'store-unavailable', 'not-sent'])
  const answers = await Promise.all(Array.from({ length: 20 }, () => postReply(service, { parentId })))
  t.ok(answers.every(({ status }) => status === 503))
  const times = service.logLines().flatMap(({ status, durationMs }) => (status === 503 ? [Number(durationMs)] : []))
  t.ok(
    times.every(ms => ms < 2000),
    `at most ${Math.max(...times)} ms`
  )
  t.equal(emulator.ledger.length, before)
  redis.resume()
})

t.test('a charge is in the write of its claim: it has no round trip of its own', needsRedis(), async t => {
  const redis = await redisFor(t, { appendonly: 'no' })
  const writes: string[] = []
  const proxy = await startTcpProxy(t, Number(new URL(redis.url).port), bytes => writes.push(bytes.toString('latin1')))
  const { services, parentId } = await startInstances(t, { ...redis, url: `redis://127.0.0.1:${proxy.port}` }, 1)
  const [service] = services as [RunningService]
  // Redis hears the scripts themselves once.
  t.equal((await postReply(service, { parentId })).status, 201)
  writes.length = 0
  for (let count = 0; count < 10; count++) t.equal((await postReply(service, { parentId })).status, 201)

  const charges = writes.filter(write => /reply:quota:user:alice\r\n\$\d+\r\n1 30 /.test(write))
  t.equal(charges.length, 10)
  for (const write of charges) t.match(write, /\r\nreply:(?!quota|meta)\S+\r\n/, 'with a record')
})
