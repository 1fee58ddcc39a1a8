import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

t.test('a reply reaches CometChat under the name of the signed-in user, once', async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await hostService(t, env)

  const answer = await postReply(service, { as: 'alice', parentId, body: { data: { text: 'hello' } } })

  t.equal(answer.status, 201)
  t.match(answer.json.data, { sender: 'alice', receiver: 'bob', parentId, data: { text: 'hello' } })
  t.equal(emulator.ledger.length, 1)
  t.match(emulator.ledger[0], { onBehalfOf: 'alice', parentId, id: answer.json.data.id })
})

t.test('an answer shows nothing of the marker and carries the standard headers', async t => {
  const { env, parentId } = await startEmulator(t)
  const service = await hostService(t, env)

  const answer = await postReply(service, { parentId, body: { data: { text: 'hello', metadata: { a: 1 } } } })

  t.same(answer.json.data.data.metadata, { a: 1 })
  t.match(answer.headers.get('x-request-id'), /^[0-9a-f-]{36}$/)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
})

t.test('who prefers a minimal answer gets the id and nothing else, also when it is told again', async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await hostService(t, env)
  const key = { 'idempotency-key': 'one-key' }
  const minimal = { ...key, prefer: 'return=minimal' }

  const first = await postReply(service, { parentId, headers: minimal })
  const again = await postReply(service, { parentId, headers: minimal })
  const whole = await postReply(service, { parentId, headers: key })

  const id = emulator.ledger[0]?.id
  for (const answer of [first, again]) {
    t.equal(answer.status, 201)
    t.strictSame(answer.json, { data: { id } })
    t.equal(answer.headers.get('preference-applied'), 'return=minimal')
  }
  t.same(
    [first, again, whole].map(({ headers }) => headers.get('idempotent-replayed')),
    [null, 'true', 'true']
  )
  t.match(whole.json.data, { id, sender: 'alice', data: { text: 'hello' } }, 'the record holds the whole answer')
  t.equal(whole.headers.get('preference-applied'), null)
  t.equal(emulator.ledger.length, 1)
})

t.test('a refusal is told in full, whatever is preferred', async t => {
  const { env } = await startEmulator(t)
  const service = await hostService(t, env)

  const answer = await postReply(service, { parentId: '999999', headers: { prefer: 'return=minimal' } })

  expectProblem(t, answer, 'thread-not-found')
  t.equal(answer.headers.get('preference-applied'), null)
})

t.test('who waits for one second has an answer after one, and never waits longer than the deadline', async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await hostService(t, { ...env, REPLY_DEADLINE_MS: '6000' })

  for (const [prefer, atLeastMs, atMostMs] of [
    ['wait=1', 900, 5000],
    ['wait=600', 5900, 15_000]
  ] as const) {
    emulator.failNext({ kind: 'stall', commit: true }, { method: 'POST' })
    const startMs = performance.now()
    const answer = await postReply(service, { parentId, headers: { prefer } })
    const tookMs = performance.now() - startMs

    expectProblem(t, answer, 'deadline-exceeded', { delivery: 'unknown' })
    t.ok(tookMs > atLeastMs && tookMs < atMostMs, `${prefer}: ${Math.round(tookMs)} ms`)
  }
})
