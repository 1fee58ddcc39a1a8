// What CometChat receives is what the caller sent, and the caller gets what CometChat answered: nothing lost, nothing
// added but the marker.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

/** The example of CometChat's page "Send Threaded Message", letter by letter. */
const EXAMPLE = `{
  "receiver": "<string>",
  "receiverType": "user",
  "category": "message",
  "type": "text",
  "data": {
    "text": "Hi Tom!",
    "metadata": {
      "key1": "value1",
      "key2": "value2"
    }
  },
  "multipleReceivers": {
    "uids": [
      "uid1",
      "uid2"
    ],
    "guids": [
      "guid1"
    ]
  },
  "tags": [
    "tag1"
  ]
}`
const LONG_ID = '9007199254740993'

const { emulator, env, parentId } = await startEmulator(t, { firstMessageId: LONG_ID })
for (const uid of ['<string>', 'uid1', 'uid2']) emulator.addUser({ uid })
emulator.addGroup({ guid: 'guid1', members: ['alice'] })
const example = emulator.addMessage({ sender: '<string>', receiver: 'alice', receiverType: 'user' })
const [service, unmarked] = await Promise.all([
  hostService(t, env),
  hostService(t, { ...env, DELIVERY_MARKER: 'off', MULTIPLE_RECEIVERS_MAX: '0' })
])
const text = { data: { text: 'hello' } }
const received = () => JSON.parse(emulator.requests.at(-1)?.body ?? '')

for (const shape of ['single', 'array'] as const) {
  t.test(`CometChat's own example passes unchanged but for the marker, answered by ${shape}`, async t => {
    emulator.switches.multipleReceivers = shape
    const posts = emulator.ledger.length

    const answer = await postReply(service, { parentId: example.id, body: EXAMPLE })

    t.equal(answer.status, 201)
    const { data, ...rest } = received()
    const { bffDelivery, ...metadata } = data.metadata
    t.match(bffDelivery, /^[\w-]{22}$/)
    t.same({ ...rest, data: { ...data, metadata } }, JSON.parse(EXAMPLE))
    t.equal(emulator.ledger.length, posts + 4, 'one message for each receiver')
    t.notMatch(answer.text, /bffDelivery/)
    t.equal(Array.isArray(answer.json.data), shape === 'array')
  })
}

t.test('an answer to several receivers in a shape nobody knows is not called a success', async t => {
  const body = JSON.stringify({ data: { results: [{ to: 'uid1', ok: true }] } })
  emulator.failNext({ kind: 'answer', status: 200, body }, { method: 'POST' })

  expectProblem(t, await postReply(service, { parentId: example.id, body: EXAMPLE }), 'upstream-invalid')
})

t.test('25 receivers are taken, 26 are not, and none where they are switched off', async t => {
  const uids = Array.from({ length: 26 }, (_, index) => `friend-${index}`)
  for (const uid of uids) emulator.addUser({ uid })
  const to = (count: number) => ({ ...text, multipleReceivers: { uids: uids.slice(0, count - 1), guids: ['guid1'] } })
  const tooMany = { errors: [{ pointer: '/multipleReceivers' }] }
  const posts = emulator.ledger.length

  const taken = await postReply(service, { parentId, body: to(25) })
  const refused = await postReply(service, { parentId, body: to(26) })
  const off = await postReply(unmarked, { parentId, body: to(2) })

  t.equal(taken.status, 201)
  t.equal(emulator.ledger.length, posts + 26)
  for (const answer of [refused, off]) {
    expectProblem(t, answer, 'invalid-request')
    t.match(answer.json, tooMany)
  }
})

for (const ids of ['string', 'number'] as const) {
  t.test(`ids of 16 and 19 digits survive both ways, written by CometChat as a ${ids}`, async t => {
    emulator.switches.ids = ids
    t.teardown(() => Object.assign(emulator.switches, { ids: 'string' }))
    const id = `12345678901234567${ids === 'string' ? '87' : '89'}`
    const parent = emulator.addMessage({ id, sender: 'bob', receiver: 'alice', receiverType: 'user' })

    const answer = await postReply(service, { parentId: parent.id, body: text })

    t.equal(answer.status, 201)
    const quote = ids === 'string' ? '"' : ''
    t.match(answer.text, `"parentId":${quote}${id}${quote}`)
    t.match(answer.text, `"id":${quote}${emulator.ledger.at(-1)?.id}${quote}`)
    t.match(emulator.ledger.at(-1), { parentId: id, id: /^900719925474\d{4}$/ })
    t.equal(emulator.requests.at(-1)?.path, `/v3/messages/${id}/thread`)
  })
}

t.test('texts, members and numbers arrive as they were sent', async t => {
  const data = {
    text: '\u{1F600} <b>&amp;</b> "\\ \u2028\u0000\t日本 %00 {{x}} <@uid:bob>',
    metadata: { nested: [{ a: null, b: [1.5, -0.25, 1e15, true] }], '': 'empty name', 'a b': 1, constructor: 'x' }
  }
  const custom = { category: 'custom', type: 'poll', data: { customData: { options: ['a', 'b'], id: 'x' } } }
  const file = { url: 'https://files.test/a?b=c', name: 'a.png', mimeType: 'image/png', extension: 'png', size: 4761 }
  const image = { type: 'image', data: { text: 'caption', attachments: [file] } }

  for (const body of [{ data }, custom, image]) {
    const answer = await postReply(service, { parentId, body: { ...body, tags: ['a', 'b'] } })

    t.equal(answer.status, 201)
    const { metadata, ...rest } = received().data
    const { bffDelivery: _, ...own } = metadata
    t.same({ ...rest, ...('metadata' in body.data && { metadata: own }) }, body.data)
    t.same(received().tags, ['a', 'b'])
    t.match(answer.json.data.data, body.data)
  }
})

t.test('no marker is sent where markers are off', async t => {
  const answer = await postReply(unmarked, { parentId, body: text })

  t.equal(answer.status, 201)
  const { category, type, receiver, receiverType, data } = received()
  t.same(
    { category, type, receiver, receiverType },
    { category: 'message', type: 'text', receiver: 'bob', receiverType: 'user' }
  )
  t.same(data, text.data)
  t.same(Object.keys(received()).sort(), ['category', 'data', 'receiver', 'receiverType', 'type'])
})

t.test('every reply carries a marker of its own', async t => {
  const markers = new Set()
  for (let count = 0; count < 3; count++) {
    await postReply(service, { parentId, body: text })
    markers.add(received().data.metadata.bffDelivery)
  }

  t.equal(markers.size, 3)
})

t.test('members that this service does not know are kept in the answer', async t => {
  const news = { brandNew: { deep: [1, 2.5, '3'] }, replyCount: 7, threadSubscribed: true }
  emulator.failNext({ kind: 'break-schema', set: news }, { method: 'POST' })

  const answer = await postReply(service, { parentId, body: text })

  t.match(answer, { status: 201, json: { data: news } })
})
