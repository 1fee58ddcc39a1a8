// What became of one's own reply, asked with its key alone: nothing is sent.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { askThread } from '../../helpers/thread-reader.ts'

const { emulator, env, parentId } = await startEmulator(t)
const durable = { STORE_URL: `file:${t.testdir()}/replies.db`, STORE_SECRET: 'x'.repeat(32), QUIET_PERIOD_MS: '0' }
const service = await hostService(t, { ...env, ...durable })
const young = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user', sentAtMs: Date.now() })

const post = (key: string, parent = parentId) =>
  postReply(service, { parentId: parent, headers: { 'idempotency-key': key } })
const known = (key: string, parent = parentId, as = 'alice', of = service) =>
  askThread(of, `${parent}/replies/by-key/${encodeURIComponent(key)}`, { as })

t.test('a reply that was sent is told as its sender was told it', async t => {
  for (const key of [
    'k-1',
    '"with blanks, and a /"',
    '"a \\"quoted\\" %2F?#"',
    'x'.repeat(255),
    `"${'/'.repeat(255)}"`
  ]) {
    const { json } = await post(key)
    emulator.clear()
    const bare = key.startsWith('"') ? key.slice(1, -1).replaceAll('\\"', '"') : key
    const answer = await known(bare)
    t.same([answer.status, answer.json], [200, { delivery: 'sent', data: json.data }], key.slice(0, 30))
    t.equal(emulator.requests.length, 0, 'the record knows')
  }
})

t.test(
  'a key that nobody used is not-sent in a thread that is younger than any record that can be forgotten',
  async t => {
    t.same((await known('never', young.id)).json, { delivery: 'not-sent' })
    t.match((await known('never')).json, { delivery: 'unknown', retryAfterMs: Number }, 'in an old one nobody can tell')
    t.equal(emulator.ledger.length, 0)
  }
)

t.test('it is of this user in this thread', async t => {
  await post('mine', young.id)
  t.match((await known('mine', young.id)).json, { delivery: 'sent' })
  t.match((await known('mine', young.id, 'bob')).json, { delivery: 'not-sent' })
  t.match((await known('mine', parentId)).json, { delivery: 'unknown' })
  expectProblem(t, await known('mine', young.id, 'mallory'), 'thread-not-found')
})

t.test('a refusal that is kept is not-sent', async t => {
  emulator.failNext({ kind: 'error', code: 'ERR_BLOCKED_BY_EXTENSION' }, { method: 'POST' })
  t.equal((await post('refused')).status, 422)
  t.same((await known('refused')).json, { delivery: 'not-sent' })
})

t.test('a reply in doubt is looked for, found, and from then on known', async t => {
  emulator.clear()
  emulator.failNext({ kind: 'server-error', commit: true }, { method: 'POST' })
  t.equal((await post('lost')).json.delivery, 'unknown')
  const [posted] = emulator.ledger
  const answer = await known('lost')
  t.match(answer.json, { delivery: 'sent', data: { id: posted?.id } })
  t.notMatch(answer.text, 'bffDelivery')
  emulator.clear()
  t.match((await post('lost')).json, { data: { id: posted?.id } })
  t.equal(emulator.ledger.length, 0, 'and not posted again')
})

t.test('one in doubt that is not there stays unknown: only its sender can send it again', async t => {
  emulator.failNext({ kind: 'server-error', commit: false }, { method: 'POST' })
  await post('gone')
  t.match((await known('gone')).json, { delivery: 'unknown', retryAfterMs: Number })
  t.equal(emulator.ledger.length, 0)
})

t.test('without its record a reply is found in the thread', async t => {
  await post('forgotten')
  const { id } = emulator.ledger.at(-1) ?? {}
  const another = await hostService(t, { ...env, STORE_SECRET: durable.STORE_SECRET })
  t.match((await known('forgotten', parentId, 'alice', another)).json, { delivery: 'sent', data: { id } })
  t.match((await known('never', young.id, 'alice', another)).json, { delivery: 'unknown' }, 'it began after the thread')
})

t.test('what is no key is refused, and CometChat is asked nothing', async t => {
  emulator.clear()
  for (const key of ['x'.repeat(256), 'ä', 'a\nb', '\u0000'])
    expectProblem(t, await known(key), 'idempotency-key-invalid')
  expectProblem(t, await askThread(service, `${parentId}/replies/by-key/`), 'idempotency-key-invalid')
  expectProblem(t, await askThread(service, `%31/replies/by-key/k`), 'invalid-request')
  t.equal(emulator.requests.length, 0)
})

t.test('asking for keys that nobody used has an end', async t => {
  emulator.clear()
  for (let index = 0; index < 14; index++) await known(`guess-${index}`)
  t.ok(emulator.requests.length <= 10 * 6, `${emulator.requests.length} reads`)
  const reads = emulator.requests.length
  t.match((await known('guess-15')).json, { delivery: 'unknown', retryAfterMs: Number })
  t.equal(emulator.requests.length, reads)
})
