import t from 'tap'
import { hostService } from '../helpers/hosted-service.ts'
import { postReply, startEmulator } from '../helpers/thread.ts'
import { readDocument, startPrism } from './prism.ts'

const { emulator, env, parentId, groupParentId } = await startEmulator(t, { switches: { multipleReceivers: 'single' } })
const prism = await startPrism(t, 'chat-apis.openapi.json', emulator.url)
const service = await hostService(t, { ...env, COMETCHAT_BASE_URL: prism.url })

const toBob = { receiver: 'bob', receiverType: 'user' }
const attachment = { url: 'https://cdn.example.com/a.png', name: 'a', mimeType: 'image/png', extension: 'png', size: 7 }

const postedAs = (messageId: string) => emulator.ledger.find(({ id }) => id === messageId)

for (const [title, thread, body] of [
  ['a text', parentId, { ...toBob, data: { text: 'Hi' } }],
  ['a text with metadata and a mention', parentId, { ...toBob, data: { text: '<@uid:bob>!', metadata: { a: [1] } } }],
  ['a text with tags', parentId, { ...toBob, data: { text: 'Hi' }, tags: ['pinned', 'red'] }],
  ['an image with attachments', parentId, { ...toBob, type: 'image', data: { attachments: [attachment] } }],
  ['a file by its url', parentId, { ...toBob, type: 'file', data: { url: 'https://cdn.example.com/a.pdf' } }],
  ['a custom message', parentId, { ...toBob, category: 'custom', data: { customData: { poll: { a: 1 } } } }],
  [
    'more receivers',
    parentId,
    { ...toBob, data: { text: 'Hi' }, multipleReceivers: { uids: ['carol'], guids: ['team'] } }
  ],
  ['a text to a group', groupParentId, { receiver: 'team', receiverType: 'group', data: { text: 'Hi' } }],
  ['a text whose receiver is the parent of the thread', parentId, { data: { text: 'Hi' } }],
  ['a text whose group is that of the parent', groupParentId, { data: { text: 'Hi' } }]
] as const) {
  t.test(`${title}: request and answer are what CometChat describes`, async t => {
    const answer = await postReply(service, { as: 'alice', parentId: thread, body })

    t.equal(answer.status, 201)
    t.match(postedAs(answer.json.data.id), { onBehalfOf: 'alice', parentId: thread })
  })
}

t.test('the search for a lost reply is what CometChat describes', async t => {
  const attempt = { as: 'alice', parentId, headers: { 'idempotency-key': 'lost-and-found' } }
  emulator.failNext({ kind: 'server-error', commit: true }, { method: 'POST' })
  const lost = await postReply(service, attempt)

  const found = await postReply(service, attempt)

  t.equal(lost.json.delivery, 'unknown')
  t.equal(found.status, 201)
  t.match(postedAs(found.json.data.id), { onBehalfOf: 'alice', parentId })
  t.match(emulator.requests.at(-1), {
    method: 'GET',
    path: new RegExp(`^/v3/messages/${parentId}/thread`),
    status: 200
  })
})

t.test('refusals come through: their requests are what CometChat describes, their answers it does not', async t => {
  const unknown = await postReply(service, { as: 'alice', parentId: '999' })
  const outsider = await postReply(service, { as: 'mallory', parentId })

  t.match([unknown, outsider], [{ status: 404 }, { status: 404 }])
})

t.test('the documents describe no error answer, which is why none is judged', async t => {
  const { paths } = JSON.parse(readDocument('chat-apis.openapi.json'))
  const calls = [paths['/messages/{id}'].get, paths['/messages/{id}/thread'].get, paths['/messages/{id}/thread'].post]

  for (const { responses } of calls) t.strictSame(Object.keys(responses), ['200'])
})

t.test(
  'a custom type of its own is refused by the page of this call, and taken by that of a first message',
  async t => {
    const { paths, components } = JSON.parse(readDocument('chat-apis.openapi.json'))
    const described = paths['/messages/{id}/thread'].post.requestBody.content['application/json'].schema.properties.type
    const body = { ...toBob, category: 'custom', type: 'poll', data: { customData: { a: 1 } } }

    const answer = await postReply(service, { as: 'alice', parentId, body })

    t.not(answer.status, 201)
    t.strictSame(described.enum, ['text', 'image', 'file', 'audio', 'video'])
    t.equal(components.schemas.customCategorySchema.properties.type.enum, undefined)
  }
)

/** A reply sent to CometChat without the service in between. */
const call = (headers: Record<string, string>, body: unknown) =>
  fetch(`${prism.url}/v3/messages/${parentId}/thread`, {
    method: 'POST',
    headers: { apikey: emulator.apiKey, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body)
  })

for (const [title, headers, body, complaint] of [
  ['no user to act for', {}, toBob, "must have required property 'onbehalfof'"],
  [
    'a receiver of no kind',
    { onBehalfOf: 'alice' },
    { ...toBob, receiverType: 'bot' },
    'receiverType must be equal to'
  ],
  ['tags that are no list', { onBehalfOf: 'alice' }, { ...toBob, tags: 'red' }, 'tags must be array']
] as const) {
  t.test(`a request with ${title} is caught and not passed on`, async t => {
    const before = emulator.requests.length

    const answer = await call(headers, body)

    t.equal(answer.status, 422)
    t.match(await answer.text(), complaint)
    t.equal(emulator.requests.length, before)
  })
}

t.test('an answer that breaks the schema is caught', async t => {
  emulator.failNext({ kind: 'break-schema', set: { sentAt: 'yesterday' } }, { method: 'POST' })

  const answer = await call({ onBehalfOf: 'alice' }, { ...toBob, data: { text: 'Hi' } })

  t.equal(answer.status, 500)
  t.match(await answer.text(), 'sentAt must be integer')
})

t.test('every call was judged, and nothing else was objected to', async t => {
  const invalidRequest = 'https://stoplight.io/prism/errors#UNPROCESSABLE_ENTITY: Invalid request'
  const invalidAnswer = 'https://stoplight.io/prism/errors#VIOLATIONS: Request/Response not valid'
  const undescribed = 'response Unable to match the returned status code with those defined in the document: 200'

  const { judged, remarks, refusals } = await prism.verdicts()

  // The custom type and the three requests above; the answer above; errors, which no document describes.
  t.strictSame(refusals, [...Array(4).fill(invalidRequest), invalidAnswer])
  const errors = emulator.requests.filter(({ status = 0 }) => status >= 400)
  t.strictSame(new Set(remarks), new Set([undescribed]))
  t.equal(remarks.length, errors.length)
  t.equal(judged, emulator.requests.length + 4)
})
