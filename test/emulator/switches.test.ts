import t from 'tap'
import { applySwitches } from '../../emulator/apply-switches.ts'
import { DEFAULT_SWITCHES } from '../../emulator/switches.ts'
import { call, reply, replyToTeam, startEmulator, toBob, toTeam, verdict } from './start-emulator.ts'

t.test('the status of any code can be another', async t => {
  const emulator = await startEmulator(t, { switches: { statuses: { ERR_WRONG_MESSAGE_THREAD: 409 } } })

  t.equal(verdict(await reply(emulator, { ...toBob, receiver: 'carol' })), '409 ERR_WRONG_MESSAGE_THREAD')
})

t.test('the receiver may be omitted where the switch says so', async t => {
  const emulator = await startEmulator(t, { switches: { receiverMayBeOmitted: true } })

  t.match((await reply(emulator, { data: toBob.data })).json.data, { receiver: 'bob', receiverType: 'user' })
  t.match((await replyToTeam(emulator, { data: toBob.data })).json.data, { receiver: 'team', receiverType: 'group' })
})

t.test('category and type are required where the switch says so', async t => {
  const emulator = await startEmulator(t, { switches: { categoryAndTypeMayBeOmitted: false } })

  t.equal(verdict(await reply(emulator)), '400 ERR_EMPTY_MESSAGE_CATEGORY')
  t.equal(verdict(await reply(emulator, { ...toBob, category: 'message' })), '400 ERR_EMPTY_MESSAGE_TYPE')
  t.equal(verdict(await reply(emulator, { ...toBob, category: 'message', type: 'text' })), '200')
})

t.test('a muid can be dropped, refused when repeated, or answered with the first message', async t => {
  const emulator = await startEmulator(t)
  const body = { ...toBob, muid: 'm1' }

  emulator.switches.muid = 'dropped'
  t.notOk('muid' in (await reply(emulator, body)).json.data)
  emulator.switches.muid = 'stored'
  const first = await reply(emulator, body)
  emulator.switches.muidDuplicate = 'first-returned'
  t.equal((await reply(emulator, body)).json.data['id'], first.json.data['id'])
  emulator.switches.muidDuplicate = 'refused'
  t.equal(verdict(await reply(emulator, body)), '400 ERR_BAD_REQUEST')
  t.equal(emulator.ledger.length, 2)
})

t.test('data can be limited to 10 KB', async t => {
  const emulator = await startEmulator(t, { switches: { dataMaxBytes: 10_240 } })

  t.equal(verdict(await reply(emulator, { ...toBob, data: { text: 'x'.repeat(9000) } })), '200')
  t.equal(verdict(await reply(emulator, { ...toBob, data: { text: 'x'.repeat(11_000) } })), '400 ERR_BAD_REQUEST')
})

t.test('a deleted parent can be replied to where the switch says so', async t => {
  const emulator = await startEmulator(t, { switches: { deletedParent: 'accepted' } })
  emulator.deleteMessage('100')

  t.equal(verdict(await reply(emulator)), '200')
})

t.test('a post to somebody who blocked the sender can hang or pass', async t => {
  const emulator = await startEmulator(t, { switches: { blockedByReceiver: 'hangs' } })
  emulator.block('bob', 'alice')

  await t.rejects(reply(emulator, toBob, { timeoutMs: 80 }), { name: 'TimeoutError' })
  t.strictSame(emulator.ledger, [])
  emulator.switches.blockedByReceiver = 'accepted'
  t.equal(verdict(await reply(emulator)), '200')
})

t.test('a reply without onBehalfOf is refused, or sent as app_system where the switch says so', async t => {
  const emulator = await startEmulator(t)

  const refused = await reply(emulator, toBob, { as: null })
  t.equal(verdict(refused), '400 ERR_BAD_REQUEST')
  t.match(refused.json.error, { details: { onBehalfOf: ['The onBehalfOf field is required.'] } })
  emulator.switches.threadWithoutOnBehalfOf = 'app_system'
  t.match((await reply(emulator, toBob, { as: null })).json.data, { sender: 'app_system', parentId: '100' })
  t.match(emulator.ledger, [{ onBehalfOf: null }])
})

t.test('several receivers each get a message, answered in one of the other shapes', async t => {
  const emulator = await startEmulator(t, { switches: { multipleReceivers: 'single' } })
  const body = { ...toBob, multipleReceivers: { uids: ['bob', 'carol'], guids: ['team'] } }

  t.match((await reply(emulator, body)).json.data, { receiver: 'bob' })
  t.match(
    emulator.ledger.map(({ message }) => message.receiver),
    ['bob', 'carol', 'team']
  )
  t.ok(emulator.ledger.every(({ parentId }) => parentId === '100'))
  emulator.switches.multipleReceivers = 'array'
  t.match((await reply(emulator, body)).json.data, [{ receiver: 'bob' }, { receiver: 'carol' }, { receiver: 'team' }])
  emulator.switches.multipleReceivers = 'map'
  t.match((await reply(emulator, body)).json.data, { team: { success: true, data: { receiver: 'team' } } })
  emulator.clear()
  emulator.switches.multipleReceivers = 'ignored'
  t.match((await reply(emulator, body)).json.data, { receiver: 'bob' })
  t.equal(emulator.ledger.length, 1)
  emulator.switches.multipleReceivers = 'refused'
  t.equal(verdict(await reply(emulator, body)), '400 ERR_BAD_REQUEST')
})

t.test('one bad receiver among several stops them all where the answer is about one message', async t => {
  const emulator = await startEmulator(t, { switches: { multipleReceivers: 'single' } })

  const answer = await reply(emulator, { ...toBob, multipleReceivers: { uids: ['nobody'] } })

  t.equal(verdict(answer), '404 ERR_UID_NOT_FOUND')
  t.strictSame(emulator.ledger, [])
})

t.test('several receivers stand in for a missing one', async t => {
  const emulator = await startEmulator(t, { switches: { multipleReceivers: 'single' } })

  const answer = await reply(emulator, { data: toBob.data, multipleReceivers: { uids: ['bob'] } })

  t.match(answer.json.data, { receiver: 'bob', parentId: '100' })
})

t.test('tags are echoed where the switch says so', async t => {
  const emulator = await startEmulator(t, { switches: { tagsEchoed: true } })

  t.strictSame((await reply(emulator, { ...toBob, tags: ['a'] })).json.data['tags'], ['a'])
})

t.test('metadata can be missing in the answer alone, or everywhere', async t => {
  const emulator = await startEmulator(t)
  const body = { ...toBob, data: { text: 'Hi', metadata: { marker: 1 } } }
  const both = async () => [(await reply(emulator, body)).text, (await call(emulator, '/messages/100/thread')).text]
  const shown = async () => (await both()).map(text => text.includes('marker'))

  t.strictSame(await shown(), [true, true])
  emulator.switches.metadata = 'missing-in-answer'
  t.strictSame(await shown(), [false, true])
  emulator.switches.metadata = 'missing'
  t.strictSame(await shown(), [false, false])
})

t.test('every id can be a JSON number', async t => {
  const emulator = await startEmulator(t, { switches: { ids: 'number' }, firstMessageId: '9007199254740993001' })

  t.match((await reply(emulator)).text, '"id":9007199254740993001,')
  t.match((await call(emulator, '/messages/100/thread')).text, '"parentId":100}')
})

t.test('a conversation can be named sender first, and keeps its name', async t => {
  const emulator = await startEmulator(t, { switches: { conversationId: 'sender-first' } })
  emulator.addMessage({ id: '300', sender: 'dave', receiver: 'carol', receiverType: 'user' })

  const answer = await call(emulator, '/messages/300/thread', { as: 'carol', body: { ...toBob, receiver: 'dave' } })

  t.equal(answer.json.data['conversationId'], 'dave_user_carol')
})

t.test('a stranger to a group can be refused without access instead', async t => {
  const emulator = await startEmulator(t, { switches: { notAMember: 'no-access' } })

  t.equal(verdict(await replyToTeam(emulator, toTeam, { as: 'dave' })), '403 ERR_MESSAGE_NO_ACCESS')
})

t.test("one's own 1-on-1 message can be refused as a parent", async t => {
  const emulator = await startEmulator(t, { switches: { ownParent: 'refused' } })

  t.equal(verdict(await reply(emulator, { ...toBob, receiver: 'alice' }, { as: 'bob' })), '403 ERR_MESSAGE_NO_ACCESS')
  t.equal(verdict(await reply(emulator)), '200')
})

t.test('a moderated message is pending first, and no parent until then', async t => {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { switches: { moderation: 'pending' }, now: () => nowMs })
  const { json } = await call(emulator, '/messages', { as: 'alice', body: toBob })
  const statusNow = async () => (await call(emulator, `/messages/${json.data['id']}`)).json.data['data']
  const replyNow = () => call(emulator, `/messages/${json.data['id']}/thread`, { as: 'alice', body: toBob })

  t.match(json.data, { data: { moderation: { status: 'pending' } } })
  t.equal(verdict(await replyNow()), '403 ERR_MESSAGE_NO_ACCESS')
  nowMs += 3000
  t.match(await statusNow(), { moderation: { status: 'approved' } })
  t.equal(verdict(await replyNow()), '200')
  emulator.switches.moderationVerdict = 'disapproved'
  t.match(await statusNow(), { moderation: { status: 'disapproved' } })
})

t.test('custom messages are not moderated', async t => {
  const emulator = await startEmulator(t, { switches: { moderation: 'pending' } })

  const { json } = await reply(emulator, { ...toBob, category: 'custom', type: 'x', data: { customData: { a: 1 } } })

  t.notOk('moderation' in (json.data['data'] as object))
})

t.test('unsettled replies can be listed to everyone or nobody, newest first if wanted', async t => {
  const emulator = await startEmulator(t, { settleMs: 3000, now: () => 0, switches: { threadOrder: 'newest-first' } })
  await reply(emulator)
  await reply(emulator)
  const list = async (as: string) => (await call(emulator, '/messages/100/thread', { as })).json.data

  t.match(await list('alice'), [{ id: '102' }, { id: '101' }])
  emulator.switches.unsettledListedTo = 'everyone'
  t.match(await list('bob'), [{ id: '102' }, { id: '101' }])
  emulator.switches.unsettledListedTo = 'nobody'
  t.strictSame(await list('alice'), [])
})

t.test('words can be blocked as an extension does', async t => {
  const emulator = await startEmulator(t, { switches: { blockedWords: ['darn'] } })

  const answer = await reply(emulator, { ...toBob, data: { text: 'oh darn it' } })

  t.equal(verdict(answer), '400 ERR_BLOCKED_BY_EXTENSION')
})

t.test('a switch set by text is checked', t => {
  const switches = { ...DEFAULT_SWITCHES }

  applySwitches(switches, { moderation: 'pending', dataMaxBytes: 5, tagsEchoed: true, statuses: { X: 418 } })

  t.match(switches, { moderation: 'pending', dataMaxBytes: 5, tagsEchoed: true, statuses: { X: 418 } })
  for (const [name, value] of Object.entries({
    moderation: 'on',
    dataMaxBytes: 'x',
    tagsEchoed: 1,
    statuses: 5,
    moderationMs: null,
    blockedWords: 'x',
    nope: 1
  })) {
    t.throws(() => applySwitches(switches, { [name]: value }), { message: new RegExp(`switch "${name}"`) })
  }
  t.end()
})
