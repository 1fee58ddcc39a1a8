// What is said of a keyed reply while its record cannot be read: the thread itself is asked.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

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

t.test('after a loss of records a new key waits for as long as it is told, and is sent then', needsRedis(), async t => {
  const redis = await redisFor(t, { appendfsync: 'everysec' })
  const { emulator, env, parentId } = await startEmulator(t)
  const stored = { ...env, STORE_URL: redis.url, STORE_SECRET }
  const service = await hostService(t, { ...stored, QUIET_PERIOD_MS: '3000', REPLY_DEADLINE_MS: '5000' })
  const warnings = async (): Promise<readonly string[]> => {
    const answer = await fetch(`${service.adminUrl}/readyz?verbose`)
    const { warnings = [] } = (await answer.json()) as { warnings?: readonly string[] }
    return answer.ok ? warnings : []
  }
  await redis.restart()
  const warned = await until(warnings, all => all.length > 0)
  const [begun, refused] = [
    await service.lineWhere(({ msg }) => String(msg).startsWith('records may be lost')),
    await postReply(service, { parentId, ...NEW })
  ]
  const retryAfterS = Number(refused.headers.get('retry-after'))

  t.match(warned, [/^records may be lost: new keys are refused for \d+ s \(store-recovering\): it was restarted, /])
  expectProblem(t, refused, 'store-recovering', { hasKey: true })
  t.ok(retryAfterS > 3 && retryAfterS <= 13, `a quiet period and a lease at the most: ${retryAfterS} s`)
  t.equal(begun['level'], 'warn')
  t.match(begun['why'], /appendfsync always/)
  t.ok(Number(begun['forS']) >= retryAfterS, `told first: ${begun['forS']} s`)
  t.equal(emulator.ledger.length, 0, 'nothing is sent meanwhile')
  t.equal((await postReply(service, { parentId })).status, 201, 'without a key there is nothing to wait for')

  await sleep(retryAfterS * 1000)
  t.equal((await postReply(service, { parentId, ...NEW })).status, 201)
  await service.lineWhere(({ msg }) => msg === 'replies with a new key are sent again')
  t.same(await until(warnings, all => all.length === 0), [])
})
