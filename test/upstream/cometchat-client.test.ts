import { gzipSync } from 'node:zlib'
import t from 'tap'
import { createCometChatClient } from '../../src/upstream/cometchat-client.ts'
import type { ExchangeResult } from '../../src/upstream/transport/exchange-types.ts'
import type { Reply, ThreadLook } from '../../src/upstream/types.ts'
import { ALICE, answer, failure, KEYS, refusal, scripted } from './scripted-cometchat.ts'

const DEADLINE = { atMs: 10_000 }
const MARKER = 'AAAAAAAAAAAAAAAAAAAAAA'
const RECEIVER = { receiver: 'bob', receiverType: 'user' } as const
const REPLY: Reply = {
  parentId: '100',
  uid: ALICE,
  message: { category: 'message', type: 'text', data: { text: 'hello' } },
  marker: MARKER
}
const SOUGHT = { parentId: '100', uid: ALICE, marker: MARKER }

const message = (change: object = {}) => ({
  id: '102',
  sender: 'alice',
  ...RECEIVER,
  category: 'message',
  type: 'text',
  data: { text: 'hello', metadata: { bffDelivery: MARKER } },
  sentAt: 1,
  parentId: '100',
  ...change
})

const posted = (result: ExchangeResult) => {
  const world = scripted(result)
  return { ...world, done: createCometChatClient(world.options).postReply(REPLY, RECEIVER, DEADLINE) }
}

t.test('200, 201 and 202 with the reply are a success', async t => {
  for (const status of [200, 201, 202]) {
    const { done, requests } = posted(answer({ data: message() }, status))

    t.same(JSON.parse((await done).body), { data: message({ data: { text: 'hello' } }) })
    t.match(requests, [{ method: 'POST', path: '/v3/messages/100/thread' }])
    t.same(JSON.parse(requests[0]?.body ?? '').data.metadata, { bffDelivery: MARKER })
  }
})

t.test('a fitting body under any other status is no success, and nobody knows', async t => {
  for (const status of [203, 204, 206, 300, 302, 304]) {
    const { done } = posted(answer({ data: message() }, status))
    await t.rejects(done, { code: 'upstream-invalid', delivery: 'unknown' }, String(status))
  }
})

t.test('a body that says it is encoded is not read, whether it is or not', async t => {
  const plain = { data: message() }
  const zipped: ExchangeResult = {
    kind: 'answer',
    status: 200,
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(JSON.stringify(plain))
  }
  for (const result of [answer(plain, 200, { 'content-encoding': 'gzip' }), zipped]) {
    await t.rejects(posted(result).done, { code: 'upstream-invalid', delivery: 'unknown' })
  }
})

t.test('a coding that is none, or a word that nobody knows, hides nothing', async t => {
  for (const coding of ['identity', 'none', 'utf-8', '']) {
    const { done } = posted(answer(`\ufeff${JSON.stringify({ data: message() })}`, 200, { 'content-encoding': coding }))
    t.equal((await done).messageId, '102', coding)
  }
})

t.test('what the refusal of one receiver says of the app is heard', async t => {
  const error = { code: 'ERR_PLAN_RESTRICTION' }
  const { options } = scripted(answer({ data: { uids: { bob: message(), carol: { success: false, error } } } }))
  const heard: unknown[] = []
  const client = createCometChatClient({ ...options, onResult: ({ refusal }) => void heard.push(refusal) })
  const reply = { ...REPLY, message: { ...REPLY.message, multipleReceivers: { uids: ['carol'] } } }

  const { body } = await client.postReply(reply, RECEIVER, DEADLINE)

  t.match(JSON.parse(body), { data: { id: '102' }, failed: [{ receiver: 'carol', code: 'ERR_PLAN_RESTRICTION' }] })
  t.same(heard, [undefined, { kind: 'feature', errorCode: 'ERR_PLAN_RESTRICTION' }])
})

t.test('what deviates without harm is told once an hour with its name', async t => {
  const world = scripted(answer({ data: message({ sentAt: null, tags: 'x' }) }))
  const client = createCometChatClient(world.options)
  for (let reply = 0; reply < 3; reply++) await client.postReply(REPLY, RECEIVER, DEADLINE)
  await world.options.clock.sleep(3_600_000)
  await client.postReply(REPLY, RECEIVER, { atMs: 4_000_000 })

  const name = 'upstream-deviation'
  t.same(world.events, [
    { name, member: 'sentAt', times: 1 },
    { name, member: 'tags', times: 1 },
    { name, member: 'sentAt', times: 3 },
    { name, member: 'tags', times: 3 }
  ])
})

t.test("another request's answer resets the connections and raises the alarm", async t => {
  const { done, events, resets } = posted(answer({ data: message({ sender: 'mallory' }) }))

  await t.rejects(done, { code: 'upstream-mismatch', delivery: 'unknown' })
  t.same(events, [{ name: 'alarm', alarm: 'upstream-mismatch' }])
  t.equal(resets(), 1)
})

t.test('an answer that repeats the key is not passed on; the reply was sent', async t => {
  const { done, events } = posted(answer({ data: message({ tags: [KEYS[1].reveal()] }) }))

  await t.rejects(done, { code: 'upstream-contract', delivery: 'sent', options: { messageId: '102' } })
  t.same(events, [{ name: 'alarm', alarm: 'key-echoed' }])
})

t.test('what a failure says of the reply', async t => {
  const cases: [result: ExchangeResult, code: string, delivery: string][] = [
    [failure('reset', true), 'upstream-reset', 'unknown'],
    [failure('deadline', true), 'deadline-exceeded', 'unknown'],
    [failure('deadline', false), 'deadline-exceeded', 'not-sent'],
    [failure('untrusted', false), 'upstream-unreachable', 'not-sent'],
    [failure('client-closed', false), 'client-closed', 'not-sent'],
    [failure('unreadable', true), 'upstream-invalid', 'unknown'],
    [answer('oops', 500), 'upstream-error', 'unknown'],
    [answer('oops', 408), 'upstream-error', 'unknown'],
    [answer('oops', 425), 'upstream-unreachable', 'not-sent'],
    [refusal('ERR_BAD_REQUEST', 500), 'upstream-error', 'unknown'],
    [refusal('ERR_MISSION_FAILED', 400), 'upstream-error', 'unknown'],
    [refusal('ERR_GROUP_NOT_JOINED', 401), 'thread-not-found', 'not-sent'],
    [refusal('ERR_WRONG_MESSAGE_THREAD', 400), 'thread-mismatch', 'not-sent'],
    [refusal('ERR_BLOCKED_BY_EXTENSION', 400), 'rejected-by-cometchat', 'not-sent'],
    [refusal('AUTH_ERR_NO_ACCESS', 403), 'upstream-credentials', 'not-sent'],
    [answer('not JSON', 400), 'upstream-invalid', 'unknown']
  ]
  for (const [result, code, delivery] of cases) {
    await t.rejects(posted(result).done, { code, delivery }, JSON.stringify(result).slice(0, 80))
  }
})

t.test('a parent is read, and the parent of another request is none', async t => {
  const read = (result: ExchangeResult) =>
    createCometChatClient(scripted(result).options).readMessage('100', ALICE, DEADLINE)
  const parent = message({ id: '100', sender: 'bob', receiver: 'alice', parentId: undefined })

  t.same(await read(answer({ data: parent })), {
    sender: 'bob',
    receiver: 'alice',
    receiverType: 'user',
    isReply: false
  })
  t.match(await read(answer({ data: { ...parent, parentId: 7 } })), { isReply: true })
  t.match(await read(answer({ data: { ...parent, parentId: '0' } })), { isReply: false })
  await t.rejects(read(answer({ data: message() })), { code: 'upstream-mismatch', delivery: 'not-sent' })
  for (const data of [
    undefined,
    { ...parent, receiver: 7 },
    { ...parent, receiverType: 'planet' },
    { ...parent, id: {} }
  ]) {
    await t.rejects(read(answer({ data })), { code: 'upstream-invalid', delivery: 'not-sent' })
  }
  await t.rejects(read(answer({ data: parent }, 201)), { code: 'upstream-invalid', delivery: 'not-sent' })
})

t.test('a lost reply is found by its marker and its sender, or shown to be absent', async t => {
  const find = (...script: [ExchangeResult, ...ExchangeResult[]]) => {
    const world = scripted(...script)
    const look: ThreadLook = { maxReads: 20, wantsProof: true, reads: 0 }
    return { ...world, look, done: createCometChatClient(world.options).findReply(SOUGHT, look, DEADLINE) }
  }
  const other = message({ id: '101', sender: 'bob' })
  const found = find(answer({ data: [other, message()] }))
  t.match(await found.done, { messageId: '102' })
  t.match(found.requests, [{ path: '/v3/messages/100/thread?perPage=50&page=1&per_page=50&affix=prepend' }])
  t.equal(found.look.reads, 1)

  const empty = answer({ data: [] })
  const page = answer({ data: [other] })
  t.equal(await find(empty).done, 'absent')
  const byCursor = find(page, empty, page, empty)
  t.equal(await byCursor.done, 'absent')
  t.match(byCursor.requests[1]?.path, 'affix=append&sentAt=1&id=101')
  const large: ExchangeResult = {
    kind: 'failure',
    cause: 'unreadable',
    sent: true,
    errorCode: 'ANSWER_TOO_LARGE',
    beginning: Buffer.from('{"data":[{"id":"101",')
  }
  const shrunk = find(large, answer({ data: [message()] }))
  t.match(await shrunk.done, { messageId: '102' })
  t.match(shrunk.requests[1]?.path, 'perPage=10&page=1')
  const refused = find(refusal('ERR_BAD_REQUEST', 400), answer({ data: [message()] }))
  t.match(await refused.done, { messageId: '102' }, 'a cursor that is refused is done without')
  t.match(refused.requests[1]?.path, /perPage=50&page=1$/)
  await t.rejects(find(answer({ data: [message({ parentId: '7' })] })).done, { code: 'upstream-invalid' })
  await t.rejects(find(answer({ data: {} })).done, { code: 'upstream-invalid' })
  await t.rejects(find(answer('oops', 500)).done, { code: 'upstream-error', delivery: 'not-sent' })
})

t.test('requests that fail and are made again count, and no more are made than were booked', async t => {
  const world = scripted(failure('reset', true))
  const look: ThreadLook = { maxReads: 2, wantsProof: true, reads: 0 }
  await t.rejects(createCometChatClient(world.options).findReply(SOUGHT, look, DEADLINE))
  t.ok(look.reads >= 2)
})

t.test("CometChat's time is what its last answer was dated", async t => {
  const world = scripted(answer({ data: [message()] }, 200, { date: 'Tue, 14 Nov 2023 22:13:20 GMT' }))
  const client = createCometChatClient(world.options)
  t.equal(client.timeMs(), undefined)
  await client.findReply(SOUGHT, { maxReads: 1, wantsProof: false, reads: 0 }, DEADLINE)
  t.equal(client.timeMs(), 1_700_000_000_000)
})
