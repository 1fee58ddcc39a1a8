// Who receives a reply: the other party of the parent message, found once and remembered, unless the caller says it.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const { emulator, env, parentId, groupParentId } = await startEmulator(t, { switches: { multipleReceivers: 'single' } })
const service = await hostService(t, env)
const text = { data: { text: 'hello' } }
const requests = () => emulator.requests.map(({ method, path }) => `${method} ${path}`)

for (const [who, as, parent, receiver, receiverType] of [
  ['the receiver of a message to two', 'alice', parentId, 'bob', 'user'],
  ['its own sender', 'bob', parentId, 'alice', 'user'],
  ['a member of the group', 'alice', groupParentId, 'team', 'group'],
  ['the member who began the thread', 'carol', groupParentId, 'team', 'group']
] as const) {
  t.test(`a reply by ${who} goes to ${receiver}`, async t => {
    emulator.clear()

    const first = await postReply(service, { as, parentId: parent, body: text })
    const second = await postReply(service, { as, parentId: parent, body: text })

    for (const { status, json } of [first, second]) {
      t.match({ status, ...json }, { status: 201, data: { sender: as, receiver, receiverType, parentId: parent } })
    }
    t.same(requests(), [
      `GET /v3/messages/${parent}`,
      `POST /v3/messages/${parent}/thread`,
      `POST /v3/messages/${parent}/thread`
    ])
    t.same(
      emulator.requests.map(({ headers }) => headers['onbehalfof']),
      [as, as, as],
      'read as this user, too'
    )
  })
}

t.test('a receiver that is given is forwarded as it is, unread', async t => {
  for (const given of [
    { receiver: 'bob', receiverType: 'user' },
    { receiver: 'BoB', receiverType: 'user' }
  ]) {
    emulator.clear()

    const answer = await postReply(service, { parentId, body: { ...text, ...given } })

    t.equal(answer.status, 201)
    t.same(requests(), [`POST /v3/messages/${parentId}/thread`])
    t.match(JSON.parse(emulator.requests[0]?.body ?? ''), given)
  }
})

t.test('a receiver of another conversation is a mismatch, and so is a reply to a reply', async t => {
  emulator.clear()
  const { json } = await postReply(service, { parentId, body: text })
  const replyId = String(json.data.id)
  const posts = emulator.ledger.length

  for (const [what, attempt] of [
    ['another user', { parentId, body: { ...text, receiver: 'carol', receiverType: 'user' } }],
    ['a group', { parentId, body: { ...text, receiver: 'team', receiverType: 'group' } }],
    ['a reply, its receiver left out', { parentId: replyId, body: text }],
    ['a reply, its receiver given', { parentId: replyId, body: { ...text, receiver: 'bob', receiverType: 'user' } }]
  ] as const) {
    t.test(what, async t => expectProblem(t, await postReply(service, attempt), 'thread-mismatch'))
  }
  t.equal(emulator.ledger.length, posts)
})

t.test('unknown, hidden and foreign threads are one and the same answer', async t => {
  const deleted = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  emulator.deleteMessage(deleted.id)
  emulator.ban('team', 'carol')
  t.teardown(() => emulator.addGroup({ guid: 'team', members: ['alice', 'bob', 'carol'] }))
  const receivers = [{}, { receiver: 'team', receiverType: 'group' }]
  const asked = [
    { as: 'alice', parentId: '987654321' },
    { as: 'alice', parentId: deleted.id },
    { as: 'mallory', parentId },
    { as: 'mallory', parentId: groupParentId },
    { as: 'carol', parentId: groupParentId }
  ]
  const posts = emulator.ledger.length

  const answers = []
  for (const receiver of receivers) {
    for (const attempt of asked) answers.push(await postReply(service, { ...attempt, body: { ...text, ...receiver } }))
  }

  for (const answer of answers) expectProblem(t, answer, 'thread-not-found', { without: ['mallory', 'team'] })
  const seen = answers.map(({ headers, json: { instance: _, ...rest } }) => ({ ...rest, names: [...headers.keys()] }))
  t.equal(new Set(seen.map(one => JSON.stringify(one))).size, 1)
  t.equal(emulator.ledger.length, posts)
})

t.test('a sender or receiver that CometChat does not know is no thread that is not there', async t => {
  const stranger = await postReply(service, { as: 'stranger', parentId, body: text })
  const unheardOf = { ...text, multipleReceivers: { uids: ['unheard-of'] } }

  expectProblem(t, stranger, 'identity-unmappable', { without: ['stranger'] })
  expectProblem(t, await postReply(service, { parentId, body: unheardOf }), 'rejected-by-cometchat')
})
