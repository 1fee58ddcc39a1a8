import t from 'tap'
import { call, reply, replyToTeam, startEmulator, toBob, toTeam, verdict } from './start-emulator.ts'

t.test('a reply is answered with 200 and the message in the shape of CometChat', async t => {
  const emulator = await startEmulator(t, { now: () => 1_638_423_490_000, firstMessageId: '101' })

  const { status, json, headers } = await reply(emulator)

  t.equal(status, 200)
  t.equal(headers.get('content-type'), 'application/json')
  t.strictSame(json.data, {
    id: '101',
    conversationId: 'alice_user_bob',
    sender: 'alice',
    receiverType: 'user',
    receiver: 'bob',
    category: 'message',
    type: 'text',
    data: {
      text: 'Hi Tom!',
      entities: {
        sender: {
          entity: { uid: 'alice', name: 'alice', status: 'offline', role: 'default', createdAt: 1_638_423_490 },
          entityType: 'user'
        },
        receiver: {
          entity: {
            uid: 'bob',
            name: 'bob',
            status: 'offline',
            role: 'default',
            createdAt: 1_638_423_490,
            conversationId: 'alice_user_bob'
          },
          entityType: 'user'
        }
      }
    },
    sentAt: 1_638_423_490,
    updatedAt: 1_638_423_490,
    parentId: '100'
  })
})

t.test('a reply in a group carries the group as its receiver entity', async t => {
  const emulator = await startEmulator(t)

  const { json } = await replyToTeam(emulator)

  t.match(json.data, { receiver: 'team', receiverType: 'group', conversationId: 'group_team', parentId: '200' })
  t.match(json.data['data'], {
    entities: { receiver: { entityType: 'group', entity: { guid: 'team', membersCount: 2, hasJoined: true } } }
  })
})

t.test('the ledger and the record hold what arrived, verbatim', async t => {
  const emulator = await startEmulator(t, { now: () => 5000 })

  await reply(emulator, toBob, { as: 'ALICE' })

  t.match(emulator.ledger, [{ parentId: '100', onBehalfOf: 'ALICE', message: { sender: 'alice' }, atMs: 5000 }])
  t.match(emulator.requests, [
    { method: 'POST', path: '/v3/messages/100/thread', status: 200, body: JSON.stringify(toBob), atMs: 5000 }
  ])
  const [request] = emulator.requests
  t.equal(request?.headers['onbehalfof'], 'ALICE')
  t.ok(request?.rawHeaders.includes('ALICE'))
})

t.test('text, metadata and unknown members of data come back as they were sent', async t => {
  const emulator = await startEmulator(t)
  const data = { text: ' <b>ü🦄</b>\u0000 ', metadata: { id: '7', deep: { list: [1, null, 'x'] } }, extra: true }

  const { json } = await reply(emulator, { ...toBob, data })

  t.match(json.data['data'], data)
  t.strictSame(emulator.ledger[0]?.message.data, data)
})

t.test('the muid is echoed and a UID in capitals is lower-cased', async t => {
  const emulator = await startEmulator(t)

  const { json } = await reply(emulator, { ...toBob, receiver: 'BOB', muid: '_5zytzmceo' }, { as: 'Alice' })

  t.match(json.data, { muid: '_5zytzmceo', sender: 'alice', receiver: 'bob' })
})

t.test('a repeated post with the same muid is a second message', async t => {
  const emulator = await startEmulator(t)

  await reply(emulator, { ...toBob, muid: 'm1' })
  await reply(emulator, { ...toBob, muid: 'm1' })

  t.equal(emulator.ledger.length, 2)
})

t.test('mentions in the text are listed as users', async t => {
  const emulator = await startEmulator(t)

  const { json } = await replyToTeam(emulator, { ...toTeam, data: { text: 'Hi <@uid:Carol> and <@uid:nobody>' } })

  const { mentions } = json.data['data'] as { mentions: object }
  t.match(mentions, { carol: { uid: 'carol' } })
  t.strictSame(Object.keys(mentions), ['carol'])
})

t.test('custom and media messages are accepted', async t => {
  const emulator = await startEmulator(t)
  const url = 'https://files.example/a.png'

  const custom = await reply(emulator, { ...toBob, category: 'custom', type: 'poll', data: { customData: { a: 1 } } })
  const image = await reply(emulator, { ...toBob, type: 'image', data: { attachments: [{ url }] } })
  const linked = await reply(emulator, { ...toBob, type: 'file', data: { url } })

  t.strictSame([custom, image, linked].map(verdict), ['200', '200', '200'])
})

t.test('a message without onBehalfOf is sent as app_system', async t => {
  const emulator = await startEmulator(t)

  const { json } = await call(emulator, '/messages', { body: { ...toBob, sender: 'alice' } })

  t.match(json.data, { sender: 'app_system', data: { entities: { sender: { entity: { name: 'System' } } } } })
  t.notOk('parentId' in json.data)
  t.match(emulator.ledger, [{ parentId: null, onBehalfOf: null }])
})

t.test('a message that was just posted can be replied to by the other party', async t => {
  const emulator = await startEmulator(t)
  const { json } = await call(emulator, '/messages', { as: 'alice', body: toBob })

  const answer = await call(emulator, `/messages/${json.data['id']}/thread`, {
    as: 'bob',
    body: { ...toBob, receiver: 'alice' }
  })

  t.equal(verdict(answer), '200')
  t.equal(answer.json.data['conversationId'], json.data['conversationId'])
})

t.test('a thousand replies have a thousand ids', async t => {
  const emulator = await startEmulator(t)

  for (let i = 0; i < 20; i += 1)
    await Promise.all(Array.from({ length: 50 }, () => reply(emulator, toBob, { timeoutMs: 30_000 })))

  t.equal(new Set(emulator.ledger.map(({ id }) => id)).size, 1000)
})
