// What is said of a keyed reply while its record cannot be read: the thread itself is asked.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const STORE_SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'
const LOST = { headers: { 'idempotency-key': 'lost-on-the-way' } }
const NEW = { headers: { 'idempotency-key': 'never-seen' } }

t.test('with the store away a reply that was posted is not called unsent, by any instance', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { emulator, env, parentId } = await startEmulator(t)
  const stored = { ...env, STORE_URL: redis.url, STORE_SECRET }
  const [first, second] = await Promise.all([hostService(t, stored), hostService(t, stored)])
  emulator.failNext({ kind: 'reset', commit: true }, { method: 'POST' })
  expectProblem(t, await postReply(first, { parentId, ...LOST }), 'upstream-reset', { hasKey: true })
  await redis.kill()

  const [again, elsewhere] = [
    await postReply(first, { parentId, ...LOST }),
    await postReply(second, { parentId, ...LOST })
  ]

  for (const { json } of [again, elsewhere]) {
    t.match(json, { code: 'store-unavailable', delivery: 'unknown', retryable: true })
  }
  t.equal(emulator.ledger.length, 1)
})

t.test('with the store away a reply that is not in its thread is not sent', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await hostService(t, { ...env, STORE_URL: redis.url, STORE_SECRET })
  await redis.kill()

  const answer = await postReply(service, { parentId, ...NEW })

  t.match(answer.json, { code: 'store-unavailable', delivery: 'not-sent', retryable: true })
  t.equal(answer.status, 503)
  t.same(emulator.ledger, [])
})
