import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import type { ExchangeObserver, UpstreamRequest } from '../../../src/upstream/transport/exchange-types.ts'
import { type ConnectionOptions, createConnections } from '../../../src/upstream/transport/pool.ts'
import { startJsonServer } from '../../helpers/json-server.ts'
import { until } from '../../helpers/until.ts'

const get: UpstreamRequest = { method: 'GET', path: '/', headers: [] }
const post: UpstreamRequest = { method: 'POST', path: '/', headers: [], body: '{}' }
const PATIENT_MS = 60_000
const unobserved: ExchangeObserver = { reserveMs: () => 0, onOutcome: () => undefined, onReleased: () => undefined }

/** A CometChat that takes requests and never answers, and the connections to it. */
async function startSilence(t: Test, options: Partial<ConnectionOptions> = {}) {
  const server = await startJsonServer(t)
  server.answer(() => undefined)
  const connections = createConnections({ origin: server.url, ...options })
  t.teardown(() => connections.close())
  return { server, connections }
}

t.test('a reset ends what is under way as sent, whoever waits for it, and what follows is served', async t => {
  const { server, connections } = await startSilence(t)
  const underWay = [get, post, post].map(request =>
    connections.exchange(request, { timeoutMs: PATIENT_MS }, unobserved)
  )
  await until(() => server.asked.length === underWay.length)
  const startMs = performance.now()

  connections.reset()

  for (const outcome of await Promise.all(underWay)) t.match(outcome, { kind: 'failure', cause: 'reset', sent: true })
  t.ok(performance.now() - startMs < PATIENT_MS / 2, 'at once')
  server.answerWith({ data: 1 })
  t.match(await connections.exchange(post, { timeoutMs: PATIENT_MS }, unobserved), { kind: 'answer', status: 200 })
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
    paths.map(path => connections.exchange({ ...get, path }, { timeoutMs: PATIENT_MS }, unobserved))
  )

  for (const [index, outcome] of outcomes.entries()) {
    t.match(outcome, { kind: 'answer', status: 200 })
    if (outcome.kind === 'answer') t.equal(outcome.body.toString(), paths[index]?.repeat(20))
  }
})

t.test('what has less time left than its observer demands is not written', async t => {
  const { server, connections } = await startSilence(t)
  const outcomes: unknown[] = []
  const observer = { ...unobserved, reserveMs: () => 500, onOutcome: (outcome: unknown) => void outcomes.push(outcome) }
  const late = await connections.exchange(post, { timeoutMs: 499 }, observer)
  t.match(late, { cause: 'overloaded', sent: false, limit: { policy: 'upstream-time' } })
  t.same(outcomes, [late], 'and its observer is told once')
  t.equal(server.asked.length, 0)
  server.answerWith({ data: 1 })
  t.match(await connections.exchange(post, { timeoutMs: PATIENT_MS }, observer), { kind: 'answer' })
})

t.test('an answer that came while this process was held up counts, although its time is over by then', async t => {
  const server = new Worker(new URL('slow-server.ts', import.meta.url))
  t.teardown(() => server.terminate())
  const [port] = await once(server, 'message')
  const connections = createConnections({ origin: `http://127.0.0.1:${port}` })
  t.teardown(() => connections.close())
  const asked = once(server, 'message')
  const outcome = connections.exchange(post, { timeoutMs: 400 }, unobserved)
  await asked
  const endMs = performance.now() + 800
  while (performance.now() < endMs);

  t.match(await outcome, { kind: 'answer', status: 200 })
})

const MIB = 1024 * 1024
const page = (chargedTo: string): UpstreamRequest => ({ ...get, chargedTo, maxAnswerBytes: 8 * MIB })

t.test(
  'large answers that are read at a time have room for a part of each user, and all of it is given back',
  async t => {
    const server = await startJsonServer(t)
    const connections = createConnections({ origin: server.url })
    t.teardown(() => connections.close())
    const ends: (() => void)[] = []
    server.answer((_asked, response) => {
      response.write('x'.repeat(3 * MIB))
      ends.push(() => response.end())
    })
    const read = (uid: string) => connections.exchange(page(uid), { timeoutMs: PATIENT_MS }, unobserved)

    for (let round = 0; round < 2; round++) {
      const noRoom: unknown[] = []
      const reading = ['ann', 'ann', 'ann', 'ann', 'bob'].map(async uid => {
        const outcome = await read(uid)
        if (outcome.kind === 'failure') noRoom.push(outcome)
        return outcome
      })
      await until(() => noRoom.length === 2)
      t.match(noRoom, Array(2).fill({ cause: 'overloaded', sent: true, errorCode: 'NO_ROOM_FOR_ANSWER' }))
      await until(() => ends.length === 5)
      for (const end of ends.splice(0)) end()
      const outcomes = await Promise.all(reading)
      t.equal(outcomes.filter(({ kind }) => kind === 'answer').length, 3, 'two of ann, and that of bob')
      t.match(outcomes.at(-1), { kind: 'answer' })
    }
  }
)
