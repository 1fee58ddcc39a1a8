import t, { type Test } from 'tap'
import { systemClock } from '../../../src/lib/clock.ts'
import { upstreamError } from '../../../src/upstream/errors/upstream-error.ts'
import { type GateOptions, UpstreamGate } from '../../../src/upstream/health/gate.ts'
import type { UpstreamRequest } from '../../../src/upstream/transport/exchange-types.ts'
import { createConnections } from '../../../src/upstream/transport/pool.ts'
import { freePort } from '../../helpers/free-port.ts'
import { startJsonServer } from '../../helpers/json-server.ts'
import { until } from '../../helpers/until.ts'

const get: UpstreamRequest = { method: 'GET', path: '/read', headers: [] }
const post: UpstreamRequest = { method: 'POST', path: '/post', headers: [], body: '{}', probe: () => get }
const PATIENT_MS = 60_000
/** Long enough for a busy machine to look at another exchange meanwhile. */
const DEADLINE_MS = 2000
const ONE_AT_A_TIME = { floor: 1, ceiling: 1, initial: 1 }

function createGate(t: Test, origin: string, options: Partial<GateOptions> = {}): UpstreamGate {
  const connections = createConnections({ origin })
  const gate = new UpstreamGate({
    connections,
    clock: systemClock,
    random: () => 0,
    maxReserveMs: DEADLINE_MS / 2,
    ...options
  })
  t.teardown(() => gate.close())
  return gate
}

/** A CometChat that takes requests and never answers. */
async function startSilence(t: Test, options: Partial<GateOptions> = {}) {
  const server = await startJsonServer(t)
  server.answer(() => undefined)
  return { server, gate: createGate(t, server.url, options) }
}

t.test('a hung CometChat is not handed what waited for it: that was certainly not sent', async t => {
  const { server, gate } = await startSilence(t, { bounds: ONE_AT_A_TIME })
  const first = gate.exchange(post, { timeoutMs: DEADLINE_MS })
  await until(() => server.asked.length === 1)
  const waiting = [1, 2, 3].map(() => gate.exchange(post, { timeoutMs: DEADLINE_MS + 500 }))

  t.match(await first, { kind: 'failure', cause: 'deadline', sent: true })
  const outcomes = await Promise.all(waiting)

  const late = outcomes.slice(1)
  for (const outcome of late) t.match(outcome, { kind: 'failure', cause: 'overloaded', sent: false })
  t.ok(server.asked.length <= 2, `${server.asked.length} arrived`)
})

t.test('one exchange more than may wait is overloaded and not sent; the first ends by its deadline', async t => {
  const { server, gate } = await startSilence(t, { bounds: ONE_AT_A_TIME, maxWaiting: 0 })
  const first = gate.exchange(post, { timeoutMs: DEADLINE_MS })
  await until(() => server.asked.length === 1)
  const startMs = performance.now()

  const second = await gate.exchange(post, { timeoutMs: PATIENT_MS })

  t.match(second, { kind: 'failure', cause: 'overloaded', sent: false, limit: { policy: 'upstream-queue' } })
  t.match(upstreamError({ outcome: second }, 'post'), {
    code: 'overloaded',
    delivery: 'not-sent',
    options: { violatedPolicies: ['upstream-queue'], reason: 'upstream-queue', retryAfterMs: 1000 }
  })
  t.ok(performance.now() - startMs < DEADLINE_MS, 'at once')
  t.match(await first, { kind: 'failure', cause: 'deadline', sent: true })
  t.equal(server.asked.length, 1, 'nothing of the second arrived')
})

t.test('what has ended makes room, however it ended', async t => {
  const { server, gate } = await startSilence(t, { bounds: ONE_AT_A_TIME })
  await gate.exchange(get, { timeoutMs: 50 })
  t.same(await gate.exchange(get, { timeoutMs: 50, shouldSend: () => false }), {
    kind: 'failure',
    cause: 'client-closed',
    sent: false,
    errorCode: 'NOT_STARTED'
  })
  server.answerWith({ data: 1 })

  for (const _ of [1, 2]) t.match(await gate.exchange(get, { timeoutMs: PATIENT_MS }), { kind: 'answer', status: 200 })
  t.equal(gate.state().inFlight, 0)
})

t.test('with nobody at its address, CometChat is soon looked for by reads alone', async t => {
  const outages: unknown[] = []
  const gate = createGate(t, `http://127.0.0.1:${await freePort()}`, { onOutage: outage => void outages.push(outage) })
  for (let count = 0; count < 8; count++) {
    t.match(await gate.exchange(post, { timeoutMs: PATIENT_MS }), { cause: 'unreachable', sent: false })
  }
  t.same(outages, ['unreachable'])
  const refused = await gate.exchange(post, { timeoutMs: PATIENT_MS })
  t.match(refused, { cause: 'unreachable', sent: false, limit: { policy: 'upstream-breaker' } })
  t.match(upstreamError({ outcome: refused }, 'post'), { code: 'upstream-unreachable', delivery: 'not-sent' })
})

t.test('a hung CometChat that answers again is found by a read, and the post behind it is sent', async t => {
  const { server, gate } = await startSilence(t)
  await Promise.all(Array.from({ length: 8 }, () => gate.exchange(post, { timeoutMs: 300 })))
  t.equal(gate.state().outage, 'silent')
  server.answerWith({ data: 1 })
  const before = server.asked.length

  await until(async () => (await gate.exchange(post, { timeoutMs: PATIENT_MS })).kind === 'answer')

  t.same(
    server.asked.slice(before).map(({ path }) => path),
    ['/read', '/post']
  )
  t.equal(gate.state().outage, undefined)
})

t.test('connections that are destroyed on purpose are no outage', async t => {
  const { server, gate } = await startSilence(t)
  const underWay = Array.from({ length: 16 }, () => gate.exchange(get, { timeoutMs: PATIENT_MS }))
  await until(() => server.asked.length === 16)
  gate.reset()
  for (const outcome of await Promise.all(underWay)) t.match(outcome, { cause: 'reset', sent: true })
  t.equal(gate.state().outage, undefined)
})
