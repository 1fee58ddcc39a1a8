import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { upstreamError } from '../../../src/upstream/errors/upstream-error.ts'
import type { UpstreamRequest } from '../../../src/upstream/transport/exchange.ts'
import { type ConnectionOptions, createConnections } from '../../../src/upstream/transport/pool.ts'
import { startJsonServer } from '../../helpers/json-server.ts'
import { until } from '../../helpers/until.ts'

const get: UpstreamRequest = { method: 'GET', path: '/', headers: [] }
const post: UpstreamRequest = { method: 'POST', path: '/', headers: [], body: '{}' }
const OVERLOADED = { kind: 'failure', cause: 'overloaded', sent: false, errorCode: 'QUEUE_FULL' }
const PATIENT_MS = 60_000
/** Long enough for a busy machine to look at another exchange meanwhile. */
const DEADLINE_MS = 2000

/** A CometChat that takes requests and never answers, and the connections to it. */
async function startSilence(t: Test, options: Partial<ConnectionOptions> = {}) {
  const server = await startJsonServer(t)
  server.answer(() => undefined)
  const connections = createConnections({ origin: server.url, ...options })
  t.teardown(() => connections.close())
  return { server, connections }
}

t.test(
  'one exchange more than may be under way is overloaded and not sent; the first ends by its deadline',
  async t => {
    const { server, connections } = await startSilence(t, { maxInFlight: 1 })
    const first = connections.exchange(post, { timeoutMs: DEADLINE_MS })
    await until(() => server.asked.length === 1)
    const startMs = performance.now()

    const second = await connections.exchange(post, { timeoutMs: PATIENT_MS })

    t.same(second, OVERLOADED)
    t.match(upstreamError({ outcome: second }, 'post'), { code: 'overloaded', options: { retryAfterMs: 1000 } })
    t.ok(performance.now() - startMs < DEADLINE_MS, 'at once')
    t.match(await first, { kind: 'failure', cause: 'deadline', sent: true })
    t.equal(server.asked.length, 1, 'nothing of the second arrived')
  }
)

t.test('what has ended makes room, however it ended', async t => {
  const { server, connections } = await startSilence(t, { maxInFlight: 1 })
  await connections.exchange(get, { timeoutMs: 50 })
  t.same(await connections.exchange(get, { timeoutMs: 50, shouldSend: () => false }), {
    kind: 'failure',
    cause: 'client-closed',
    sent: false,
    errorCode: 'NOT_STARTED'
  })
  server.answerWith({ data: 1 })

  for (const _ of [1, 2]) {
    t.match(await connections.exchange(get, { timeoutMs: PATIENT_MS }), { kind: 'answer', status: 200 })
  }
})

t.test('a reset ends what is under way as sent, whoever waits for it, and what follows is served', async t => {
  const { server, connections } = await startSilence(t)
  const underWay = [get, post, post].map(request => connections.exchange(request, { timeoutMs: PATIENT_MS }))
  await until(() => server.asked.length === underWay.length)
  const startMs = performance.now()

  connections.reset()

  for (const outcome of await Promise.all(underWay)) t.match(outcome, { kind: 'failure', cause: 'reset', sent: true })
  t.ok(performance.now() - startMs < PATIENT_MS / 2, 'at once')
  server.answerWith({ data: 1 })
  t.match(await connections.exchange(post, { timeoutMs: PATIENT_MS }), { kind: 'answer', status: 200 })
  t.equal(server.asked.length, underWay.length + 1, 'nothing was sent twice')
})

t.test('an answer that comes byte by byte is whole, whatever comes on other connections meanwhile', async t => {
  const server = await startJsonServer(t)
  const connections = createConnections({ origin: server.url })
  t.teardown(() => connections.close())
  server.answer(async ({ path }, response) => {
    for (const letter of path.repeat(20)) {
      response.write(letter)
      await sleep(1)
    }
    response.end()
  })
  const paths = ['/aaaa', '/bbbb', '/cccc', '/dddd']

  const outcomes = await Promise.all(
    paths.map(path => connections.exchange({ ...get, path }, { timeoutMs: PATIENT_MS }))
  )

  for (const [index, outcome] of outcomes.entries()) {
    t.match(outcome, { kind: 'answer', status: 200 })
    if (outcome.kind === 'answer') t.equal(outcome.body.toString(), paths[index]?.repeat(20))
  }
})
