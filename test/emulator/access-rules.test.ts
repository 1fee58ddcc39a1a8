import t from 'tap'
import { call, reply, replyToTeam, startEmulator, toBob, toTeam, verdict } from './start-emulator.ts'

t.test('an unknown parent is not found', async t => {
  const emulator = await startEmulator(t)

  t.equal(
    verdict(await call(emulator, '/messages/999/thread', { as: 'alice', body: toBob })),
    '404 ERR_MESSAGE_ID_NOT_FOUND'
  )
  t.strictSame(emulator.ledger, [])
})

t.test('a refusal has the envelope of the chat API', async t => {
  const emulator = await startEmulator(t)

  const { json } = await reply(emulator, toBob, { as: 'nobody' })

  t.strictSame(json, {
    error: {
      message: 'The UID nobody does not exist, please make sure you have created a user with UID nobody.',
      devMessage: 'The UID nobody does not exist, so please make sure you have created a user with UID nobody.',
      source: 'chat-api',
      code: 'ERR_UID_NOT_FOUND'
    }
  })
})

t.test('a user who is no party of a 1-on-1 has no access', async t => {
  const emulator = await startEmulator(t)

  t.equal(verdict(await reply(emulator, toBob, { as: 'dave' })), '403 ERR_MESSAGE_NO_ACCESS')
  t.equal(verdict(await call(emulator, '/messages/100', { as: 'dave' })), '403 ERR_MESSAGE_NO_ACCESS')
  t.equal(verdict(await call(emulator, '/messages/100/thread', { as: 'dave' })), '403 ERR_MESSAGE_NO_ACCESS')
})

t.test('both parties of a 1-on-1 may reply, each to the other', async t => {
  const emulator = await startEmulator(t)

  t.equal(verdict(await reply(emulator)), '200')
  t.equal(verdict(await reply(emulator, { ...toBob, receiver: 'alice' }, { as: 'bob' })), '200')
})

t.test('a user outside the group is told with 401 that the group is not joined', async t => {
  const emulator = await startEmulator(t)

  t.equal(verdict(await replyToTeam(emulator, toTeam, { as: 'dave' })), '401 ERR_GROUP_NOT_JOINED')
  t.equal(verdict(await call(emulator, '/messages/200', { as: 'dave' })), '401 ERR_GROUP_NOT_JOINED')
  t.equal(verdict(await call(emulator, '/messages', { as: 'dave', body: toTeam })), '401 ERR_GROUP_NOT_JOINED')
})

t.test('a member who is removed or banned may not reply any more', async t => {
  const emulator = await startEmulator(t)

  emulator.ban('team', 'alice')
  t.equal(verdict(await replyToTeam(emulator)), '403 ERR_BANNED_GROUPMEMBER')
  emulator.removeMember('team', 'carol')
  t.equal(verdict(await replyToTeam(emulator, toTeam, { as: 'carol' })), '401 ERR_GROUP_NOT_JOINED')
  emulator.addMember('team', 'dave')
  t.equal(verdict(await replyToTeam(emulator, toTeam, { as: 'dave' })), '200')
})

t.test('the app itself reads every message', async t => {
  const emulator = await startEmulator(t)

  t.equal(verdict(await call(emulator, '/messages/200')), '200')
  t.equal(verdict(await call(emulator, '/messages/100/thread')), '200')
})

for (const [title, body] of [
  ['another user', { ...toBob, receiver: 'carol' }],
  ['the sender', { ...toBob, receiver: 'alice' }],
  ['a group', toTeam],
  ['a user named like the group', { ...toBob, receiver: 'team' }]
] as const) {
  t.test(`a receiver that is ${title} is not the parent's conversation`, async t => {
    const emulator = await startEmulator(t)

    t.equal(verdict(await reply(emulator, body)), '400 ERR_WRONG_MESSAGE_THREAD')
    t.strictSame(emulator.ledger, [])
  })
}

t.test('a reply cannot be a parent', async t => {
  const emulator = await startEmulator(t)
  const { json } = await reply(emulator)

  const nested = await call(emulator, `/messages/${json.data['id']}/thread`, { as: 'alice', body: toBob })

  t.equal(verdict(nested), '400 ERR_MESSAGE_THREAD_NESTING')
})

t.test('an action message cannot be a parent', async t => {
  const emulator = await startEmulator(t)
  emulator.addMessage({ id: '300', sender: 'bob', receiver: 'alice', receiverType: 'user', category: 'action' })

  const answer = await call(emulator, '/messages/300/thread', { as: 'alice', body: toBob })

  t.equal(verdict(answer), '400 ERR_WRONG_MESSAGE_THREAD_CATEGORY')
})

t.test('a deleted parent is not found', async t => {
  const emulator = await startEmulator(t)

  emulator.deleteMessage('100')

  t.equal(verdict(await reply(emulator)), '404 ERR_MESSAGE_ID_NOT_FOUND')
})

t.test('a deactivated user can neither send nor receive', async t => {
  const emulator = await startEmulator(t)

  emulator.deactivate('bob')

  t.equal(verdict(await reply(emulator)), '404 ERR_UID_NOT_FOUND')
  t.equal(verdict(await reply(emulator, { ...toBob, receiver: 'alice' }, { as: 'bob' })), '404 ERR_UID_NOT_FOUND')
})

t.test('a block stops replies in both directions, with different codes', async t => {
  const emulator = await startEmulator(t)

  emulator.block('alice', 'bob')

  t.equal(verdict(await reply(emulator)), '403 ERR_BLOCKED_RECEIVER')
  t.equal(verdict(await reply(emulator, { ...toBob, receiver: 'alice' }, { as: 'bob' })), '403 ERR_BLOCKED_SENDER')
  t.strictSame(emulator.ledger, [])
  emulator.unblock('alice', 'bob')
  t.equal(verdict(await reply(emulator)), '200')
})

t.test('a new message cannot be replied to until it has settled', async t => {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { settleMs: 3000, now: () => nowMs })
  const { json } = await call(emulator, '/messages', { as: 'bob', body: { ...toBob, receiver: 'alice' } })
  const replyToIt = (as: string, receiver: string) =>
    call(emulator, `/messages/${json.data['id']}/thread`, { as, body: { ...toBob, receiver } })

  nowMs += 2999
  t.equal(verdict(await replyToIt('alice', 'bob')), '403 ERR_MESSAGE_NO_ACCESS')
  t.equal(verdict(await replyToIt('bob', 'alice')), '403 ERR_MESSAGE_NO_ACCESS')
  nowMs += 1
  t.equal(verdict(await replyToIt('alice', 'bob')), '200')
})

t.test('a message added with its own time settles by that time', async t => {
  const emulator = await startEmulator(t, { settleMs: 3000, now: () => 10_000 })
  emulator.addMessage({ id: '301', sender: 'bob', receiver: 'alice', receiverType: 'user', sentAtMs: 9000 })

  const answer = await call(emulator, '/messages/301/thread', { as: 'alice', body: toBob })

  t.equal(verdict(answer), '403 ERR_MESSAGE_NO_ACCESS')
  t.equal(verdict(await reply(emulator)), '200')
})

t.test('an extension or a webhook can refuse a message before it is posted', async t => {
  const blockedBy = { spam: 'extension', secret: 'webhook' } as const
  const emulator = await startEmulator(t, {
    beforeSend: ({ data }) => Object.entries(blockedBy).find(([word]) => data['text'] === word)?.[1]
  })

  const spam = await reply(emulator, { ...toBob, data: { text: 'spam' } })

  t.equal(verdict(spam), '400 ERR_BLOCKED_BY_EXTENSION')
  t.match(spam.json.error, { details: { action: 'do_not_propagate' } })
  t.equal(verdict(await reply(emulator, { ...toBob, data: { text: 'secret' } })), '400 ERR_BLOCKED_BY_WEBHOOK')
  t.equal(verdict(await reply(emulator, { ...toBob, data: { text: 'ham' } })), '200')
  t.equal(emulator.ledger.length, 1)
})
