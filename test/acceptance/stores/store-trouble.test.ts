// What becomes of replies when the store of their records is away, or the service dies: over the wire, from outside.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { CometChatEmulator } from '../../../emulator/handles.ts'
import { fastestMs } from '../../helpers/fastest.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import {
  type RunningService,
  readiness,
  runService,
  type ServiceEnv,
  startService
} from '../../helpers/service-process.ts'
import { postReply, type ReplyAnswer, startEmulator } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(240_000)
// Most of the time here is leases that run out.
t.jobs = 4

const STORE_SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'
/** The deadline is long for a busy machine, and the lease 5 s longer. */
const TIMES = { REPLY_DEADLINE_MS: '5000', QUIET_PERIOD_MS: '1000' }
const KEYED = { 'idempotency-key': 'one-key' }

function storedIn(storeUrl: string): ServiceEnv {
  return { STORE_URL: storeUrl, STORE_SECRET, ...TIMES }
}

function fileFor(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'records-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return `file:${join(directory, 'records.db')}`
}

/** Sends the same again for as long as it is told to come back, as a client would. */
async function insist(service: RunningService, parentId: string, headers = KEYED): Promise<ReplyAnswer> {
  const deadlineMs = performance.now() + 60_000
  for (;;) {
    const answer = await postReply(service, { parentId, headers })
    if (answer.json.retryable !== true || performance.now() > deadlineMs) return answer
    await sleep(200)
  }
}

/**
 * Where the machine is too busy for Redis to answer in time, nothing is sent, and the caller comes again. What is
 * answered once a reply was posted is the answer.
 */
async function postUntilSent(
  { service, emulator, parentId }: { service: RunningService; emulator: CometChatEmulator; parentId: string },
  headers?: Record<string, string>
): Promise<ReplyAnswer> {
  const before = emulator.ledger.length
  const deadlineMs = performance.now() + 30_000
  for (;;) {
    const answer = await postReply(service, { parentId, ...(headers && { headers }) })
    const isAnswer = answer.json.retryable !== true || emulator.ledger.length > before
    if (isAnswer || performance.now() > deadlineMs) return answer
    await sleep(200)
  }
}

function isReplayOf(t: Test, answer: ReplyAnswer, id: string | undefined): void {
  t.equal(answer.status, 201)
  t.equal(answer.headers.get('idempotent-replayed'), 'true')
  t.equal(answer.json.data.id, id)
}

t.test('with Redis away a reply is refused before it is sent, and readyz says why', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await hostService(t, { ...env, ...storedIn(redis.url) })
  t.same(await readiness(service), [200, []])
  await redis.kill()

  const answer = await postReply(service, { parentId })

  expectProblem(t, answer, 'store-unavailable')
  t.same(emulator.ledger, [])
  t.same(await readiness(service), [503, ['store']])
  await redis.restart()
  await until(
    () => readiness(service),
    ([status]) => status === 200
  )
  t.equal((await postUntilSent({ service, emulator, parentId })).status, 201)
  t.equal(emulator.ledger.length, 1)
})

t.test('a Redis that is stopped costs a caller half a second, not a reply', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await hostService(t, { ...env, ...storedIn(redis.url) })
  redis.pause()

  const tookMs = await fastestMs(async () => t.equal((await postReply(service, { parentId })).status, 503))

  t.ok(tookMs < 2000, `${Math.round(tookMs)} ms`)
  t.same(emulator.ledger, [])
})

t.test(
  'the service starts without its Redis, waits for it, and prints nothing of its address',
  needsRedis(),
  async t => {
    const redis = await redisFor(t, { requirepass: 'pass-word-of-redis' })
    await redis.kill()
    const { emulator, env, parentId } = await startEmulator(t)
    const storeUrl = redis.url.replace('//', '//:pass-word-of-redis@')
    const service = await hostService(t, { ...env, ...storedIn(storeUrl) }, 'listening')

    t.same(await readiness(service), [503, ['store']])
    t.equal((await postReply(service, { parentId })).status, 503)
    await redis.restart()
    await until(
      () => readiness(service),
      ([status]) => status === 200
    )
    t.equal((await postUntilSent({ service, emulator, parentId })).status, 201)
    t.notMatch(service.output.join() + service.errors.join(), /pass-word-of-redis|ioredis/)
    t.notMatch(service.output.join() + service.errors.join(), `:${redis.port}`)
  }
)

t.test('a store that cannot be used ends the start with one sentence', async t => {
  const { env } = await startEmulator(t)

  const { exitCode, errors, output } = await runService({ ...env, ...storedIn('file:/missing/directory/records.db') })

  t.equal(exitCode, 1)
  t.equal(errors, 'STORE_URL names a file in a directory that does not exist.\n')
  t.notMatch(output, 'listening')
})

t.test('a Redis that evicts ends the start with one sentence', needsRedis(), async t => {
  const redis = await redisFor(t, { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' })
  const { env } = await startEmulator(t)

  const { exitCode, errors } = await runService({ ...env, ...storedIn(redis.url) })

  t.equal(exitCode, 1)
  t.match(errors, /^STORE_URL [^\n]*maxmemory-policy to noeviction[^\n]*\n$/)
})

for (const [title, lose, restore] of [
  ['stopped', 'pause', 'resume'],
  ['killed', 'kill', 'restart']
] as const) {
  t.test(`a reply that was posted is told, though Redis is ${title} before it is recorded`, needsRedis(), async t => {
    const redis = await redisFor(t)
    const { emulator, env, parentId } = await startEmulator(t)
    const service = await hostService(t, { ...env, ...storedIn(redis.url) })
    emulator.failNext({ kind: 'delay', delayMs: 500 }, { method: 'POST' })

    const answering = postUntilSent({ service, emulator, parentId }, KEYED)
    await until(() => emulator.ledger.length === 1)
    await redis[lose]()
    const answer = await answering

    t.equal(answer.status, 201)
    await redis[restore]()
    isReplayOf(t, await insist(service, parentId), answer.json.data.id)
    t.equal(emulator.ledger.length, 1, 'there is one post')
  })
}

t.test('a Redis that comes back empty makes no second post of a key that it has forgotten', needsRedis(), async t => {
  const redis = await redisFor(t, { appendonly: 'no' })
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await hostService(t, { ...env, ...storedIn(redis.url) })
  const answer = await postUntilSent({ service, emulator, parentId }, KEYED)

  await redis.restart()

  isReplayOf(t, await insist(service, parentId), answer.json.data.id)
  const other = await insist(service, parentId, { 'idempotency-key': 'another-key' })
  t.equal(other.status, 201, 'a key that it never knew is sent after a while')
  t.equal(other.headers.get('idempotent-replayed'), null)
  t.equal(emulator.ledger.length, 2)
})

for (const [name, needs, storeFor] of [
  ['file', () => ({}), async (t: Test) => fileFor(t)],
  ['redis', needsRedis, async (t: Test) => (await redisFor(t)).url]
] as const) {
  t.test(`${name}: a service that dies after posting tells the truth when it is back`, needs(), async t => {
    const storeUrl = await storeFor(t)
    const { emulator, env, parentId } = await startEmulator(t)
    const before = await startService(t, { ...env, ...storedIn(storeUrl) })
    emulator.failNext({ kind: 'stall', commit: true }, { method: 'POST' })

    const lost = postUntilSent({ service: before, emulator, parentId }, KEYED).catch(() => undefined)
    await until(() => emulator.ledger.length === 1)
    await before.stop('SIGKILL')
    t.equal(await lost, undefined)
    const after = await hostService(t, { ...env, ...storedIn(storeUrl) })

    isReplayOf(t, await insist(after, parentId), emulator.ledger[0]?.id)
    isReplayOf(t, await postReply(after, { parentId, headers: KEYED }), emulator.ledger[0]?.id)
    t.equal(emulator.ledger.length, 1, 'there is one post')
  })

  t.test(`${name}: an outcome outlives the service`, needs(), async t => {
    const storeUrl = await storeFor(t)
    const { emulator, env, parentId } = await startEmulator(t)
    const before = await startService(t, { ...env, ...storedIn(storeUrl) })
    const answer = await insist(before, parentId)
    await before.stop('SIGKILL')

    const after = await hostService(t, { ...env, ...storedIn(storeUrl) })

    isReplayOf(t, await insist(after, parentId), answer.json.data.id)
    t.equal(emulator.ledger.length, 1)
  })

  t.test(`${name}: two instances make one post of one key`, needs(), async t => {
    const storeUrl = await storeFor(t)
    const { emulator, env, parentId } = await startEmulator(t)
    const start = () => startService(t, { ...env, ...storedIn(storeUrl) })
    const [here, there] = await Promise.all([start(), start()])

    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => insist(i % 2 ? here : there, parentId)))

    t.equal(emulator.ledger.length, 1)
    t.same(
      answers.filter(({ status }) => status !== 201).map(({ text }) => text),
      [],
      'all are told to come back, and then the truth'
    )
    t.equal(new Set(answers.map(({ json }) => json.data.id)).size, 1, 'which is the same for all')
    isReplayOf(t, await insist(here, parentId), emulator.ledger[0]?.id)
    isReplayOf(t, await insist(there, parentId), emulator.ledger[0]?.id)
    t.equal(emulator.ledger.length, 1)
  })
}
