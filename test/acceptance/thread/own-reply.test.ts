// What a sender does with their own reply: edits and deletes it.
import t, { type Test } from 'tap'
import type { Switches } from '../../../emulator/switches.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { askThread, type ThreadCall } from '../../helpers/thread-reader.ts'

const { emulator, env, parentId } = await startEmulator(t)
const durable = { STORE_URL: `file:${t.testdir()}/replies.db`, STORE_SECRET: 'x'.repeat(32), QUIET_PERIOD_MS: '0' }
const service = await hostService(t, { ...env, ...durable })

async function posted(
  body: object = { data: { text: 'first' } },
  headers: Record<string, string> = {}
): Promise<string> {
  const { json } = await postReply(service, { parentId, body, headers })
  return json.data.id
}

const edit = (id: string, body: unknown, call: ThreadCall = {}, parent = parentId) =>
  askThread(service, `${parent}/replies/${id}`, { method: 'PATCH', body, ...call })
/** The methods that change a reply. */
const CHANGES = ['PATCH', 'DELETE'] as const
const stored = (id: string) => emulator.ledger.find(post => post.id === id)?.message

function setSwitches(t: Test, switches: Partial<Switches>): void {
  const before = { ...emulator.switches }
  Object.assign(emulator.switches, switches)
  t.teardown(() => void Object.assign(emulator.switches, before))
}

t.test('an edit gives what is new, and the answer is the message', async t => {
  for (const editedData of ['members-replaced', 'metadata-merged', 'replaced'] as const) {
    setSwitches(t, { editedData })
    const id = await posted({ data: { text: 'first', metadata: { a: 1, b: 1 } } })
    const { bffDelivery: mark } = Object(stored(id)?.data['metadata'])
    const { status, json, text } = await edit(id, { data: { text: 'second', metadata: { b: 2 } } })
    t.equal(status, 200, editedData)
    t.match(json, { data: { id, parentId, sender: 'alice', category: 'message', data: { text: 'second' } } })
    t.same(json.data.data.metadata, { a: 1, b: 2 })
    t.notMatch(text, 'bffDelivery')
    t.same(stored(id)?.data, { text: 'second', metadata: { a: 1, b: 2, bffDelivery: mark } }, 'the mark is carried on')
    await edit(id, { data: { metadata: { c: 3 } } })
    t.same(
      stored(id)?.data,
      { text: 'second', metadata: { a: 1, b: 2, c: 3, bffDelivery: mark } },
      'and the text stays'
    )
    await edit(id, { tags: ['x'] })
    t.match(stored(id), { tags: ['x'], data: { text: 'second' } })
  }
})

t.test('the answer to an edit may be lost: the same once more comes to the same', async t => {
  const id = await posted()
  emulator.failNext({ kind: 'server-error', commit: true }, { method: 'PUT' })
  const lost = await edit(id, { data: { text: 'second' } })
  t.match(lost.json, { code: 'upstream-error', delivery: 'unknown', retryable: true })
  t.match((await edit(id, { data: { text: 'second' } })).json, { data: { data: { text: 'second' } } })
  const request = emulator.requests.findLast(({ method }) => method === 'PUT')
  t.equal(request?.headers['onbehalfof'], 'alice')
})

t.test('a lost reply that was edited is found by its mark', async t => {
  const key = { 'idempotency-key': 'edited' }
  emulator.failNext({ kind: 'server-error', commit: true }, { method: 'POST' })
  const body = { data: { text: 'lost' } }
  t.equal((await postReply(service, { parentId, body, headers: key })).json.delivery, 'unknown')
  const { id } = emulator.ledger.at(-1) ?? { id: '' }
  t.equal((await edit(id, { data: { text: 'found' } })).status, 200)
  emulator.clear()
  t.match((await postReply(service, { parentId, body, headers: key })).json, { data: { id, data: { text: 'found' } } })
  t.equal(emulator.ledger.length, 0)
})

t.test('only its sender changes a reply, and only in its thread', async t => {
  const id = await posted()
  const other = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  for (const method of CHANGES) {
    const call = { method, ...(method === 'PATCH' && { body: { data: { text: 'x' } } }) }
    const change = (as: string, reply: string, parent: string) =>
      askThread(service, `${parent}/replies/${reply}`, { ...call, as })
    emulator.clear()
    expectProblem(t, await change('bob', id, parentId), 'not-yours')
    const hidden = await change('mallory', id, parentId)
    const answers = [hidden, await change('alice', id, other.id), await change('alice', '999999', parentId)]
    for (const answer of [...answers, await change('bob', parentId, parentId)])
      expectProblem(t, answer, 'thread-not-found')
    t.equal(new Set(answers.map(({ json }) => json.detail)).size, 1)
    t.same(
      emulator.requests.filter(({ method: asked }) => asked !== 'GET'),
      [],
      `${method}: nothing is changed`
    )
  }
  expectProblem(t, await edit(id, { data: { text: 'x' } }, { as: 'bob' }), 'not-yours')
})

t.test('what is no edit is refused, and CometChat is asked nothing', async t => {
  const id = await posted()
  emulator.clear()
  for (const [body, code, pointer] of [
    [{}, 'invalid-request', ''],
    [{ data: {} }, 'invalid-request', '/data'],
    [{ data: { text: '' } }, 'invalid-request', '/data/text'],
    [{ data: { text: 1 } }, 'invalid-request', '/data/text'],
    [{ text: 'x' }, 'invalid-request', '/text'],
    [{ receiver: 'bob', data: { text: 'x' } }, 'invalid-request', '/receiver'],
    [{ data: { url: 'http://a.test/x' } }, 'invalid-request', '/data/url'],
    [{ data: { text: 'x'.repeat(65_536) } }, 'invalid-request', ''],
    [{ data: { text: 'x', sender: 'bob' } }, 'reserved-name', '/data/sender'],
    [{ data: { metadata: { bffDelivery: 'x' } } }, 'reserved-name', '/data/metadata/bffDelivery']
  ] as const) {
    const answer = await edit(id, body)
    expectProblem(t, answer, code)
    t.equal(answer.json.errors[0].pointer, pointer)
  }
  expectProblem(t, await edit('x', { data: { text: 'x' } }), 'invalid-request')
  expectProblem(t, await edit('%31', { data: { text: 'x' } }), 'invalid-request')
  t.equal(emulator.requests.length, 0)
})

t.test('an answer about another message is none', async t => {
  const id = await posted()
  const foreign = { data: { id: '1', sender: 'alice', parentId, category: 'message', data: { text: 'secret' } } }
  emulator.failNext({ kind: 'answer', status: 200, body: JSON.stringify(foreign) }, { method: 'PUT' })
  expectProblem(t, await edit(id, { data: { text: 'x' } }), 'upstream-mismatch', {
    // It may be made again without one.
    hasKey: true,
    without: ['secret']
  })
})

t.test('a line of the log says which message was changed', async t => {
  const id = await posted()
  await edit(id, { data: { text: 'x' } })
  const line = await service.lineWhere(({ method, messageId }) => method === 'PATCH' && messageId === id)
  t.match(line, { route: '/threads/:parentId/replies/:replyId', delivery: 'sent', uid: 'alice', parentId })
})

const remove = (id: string, call: ThreadCall = {}, parent = parentId) =>
  askThread(service, `${parent}/replies/${id}`, { method: 'DELETE', ...call })

t.test('a delete leaves a tombstone, and may be repeated', async t => {
  for (const tombstones of ['bare', 'whole'] as const) {
    setSwitches(t, { tombstones })
    const id = await posted()
    const { status, json, text } = await remove(id)
    t.equal(status, 200)
    t.match(json, { data: { id, parentId, sender: 'alice', deletedAt: Number, deletedBy: 'alice' } }, tombstones)
    t.notOk('data' in json.data)
    t.notMatch(text, 'bffDelivery')
    emulator.clear()
    t.same((await remove(id)).json, json, 'what is done is done')
    t.same(emulator.requests, [], 'CometChat is asked nothing')
    expectProblem(t, await remove(id, { as: 'bob' }), 'thread-not-found')
    expectProblem(t, await edit(id, { data: { text: 'x' } }), 'thread-not-found')
  }
})

t.test('the answer to a delete may be lost', async t => {
  const id = await posted()
  emulator.failNext({ kind: 'server-error', commit: true }, { method: 'DELETE' })
  const lost = await remove(id)
  t.match(lost.json, { code: 'upstream-error', delivery: 'unknown', retryable: true })
  const request = emulator.requests.findLast(({ method }) => method === 'DELETE')
  t.same([request?.headers['onbehalfof'], request?.body], ['alice', ''], 'softly')
})

t.test('one that did not happen is made when it is repeated', async t => {
  const id = await posted()
  emulator.failNext({ kind: 'server-error', commit: false }, { method: 'DELETE' })
  t.match((await remove(id)).json, { delivery: 'unknown', retryable: true })
  t.match((await remove(id)).json, { data: { id, deletedBy: 'alice' } })
})

t.test('a delete has no body', async t => {
  const id = await posted()
  emulator.clear()
  const answer = await remove(id, { body: { permanent: true } })
  expectProblem(t, answer, 'invalid-request')
  t.equal(emulator.requests.length, 0)
  const { status } = await remove(id, { headers: { 'content-type': 'application/json' } })
  t.equal(status, 200, 'many clients name the type of a body that they do not send')
})

t.test(
  'a lost reply that its author deleted is not posted again: its key answers that it was sent and deleted',
  async t => {
    for (const tombstones of ['bare', 'absent', 'whole'] as const) {
      setSwitches(t, { tombstones })
      const key = `lost-${tombstones}`
      const send = () =>
        postReply(service, { parentId, body: { data: { text: 'lost' } }, headers: { 'idempotency-key': key } })
      emulator.failNext({ kind: 'server-error', commit: true }, { method: 'POST' })
      t.equal((await send()).json.delivery, 'unknown')
      const { id } = emulator.ledger.at(-1) ?? { id: '' }
      t.equal((await remove(id)).status, 200)
      emulator.clear()
      t.match((await askThread(service, `${parentId}/replies/by-key/${key}`)).json, {
        delivery: 'sent',
        data: { id, deletedBy: 'alice' }
      })
      const again = await send()
      t.match([again.status, again.json], [201, { data: { id, deletedBy: 'alice', deletedAt: Number } }], tombstones)
      t.equal(again.headers.get('idempotent-replayed'), 'true')
      t.equal(emulator.ledger.length, 0, 'nothing is posted')
    }
  }
)

t.test('a key says that its reply was deleted, also where its record has the reply', async t => {
  const id = await posted({ data: { text: 'first' } }, { 'idempotency-key': 'kept' })
  await remove(id)
  t.match((await askThread(service, `${parentId}/replies/by-key/kept`)).json, {
    delivery: 'sent',
    data: { id, deletedBy: 'alice' }
  })
})

t.test('a delete that CometChat refuses deletes nothing, and the key of the reply says so', async t => {
  const id = await posted({ data: { text: 'stays' } }, { 'idempotency-key': 'stays' })
  emulator.failNext({ kind: 'error', code: 'ERR_BLOCKED_BY_EXTENSION' }, { method: 'DELETE' })
  t.match((await remove(id)).json, { delivery: 'not-sent' })
  const { json } = await askThread(service, `${parentId}/replies/by-key/stays`)
  t.match(json, { delivery: 'sent', data: { id, data: { text: 'stays' } } })
  t.notOk('deletedBy' in json.data)
})
