import t from 'tap'
import { createCometChatClient } from '../../../src/upstream/cometchat-client.ts'
import { createReceivers } from '../../../src/upstream/receivers.ts'
import { readOnly } from '../../../src/upstream/transport/read-only.ts'
import { createCometChatUsers } from '../../../src/upstream/users/users.ts'
import { ALICE, answer, scripted } from '../scripted-cometchat.ts'

const DEADLINE = { atMs: 10_000 }
const PARENT = { id: '100', sender: 'bob', receiver: 'alice', receiverType: 'user' }
const RECEIVER = { receiver: 'bob', receiverType: 'user' } as const
const REPLY = {
  parentId: '100',
  uid: ALICE,
  message: { category: 'message', type: 'text', data: { text: 'hello' } },
  marker: 'AAAAAAAAAAAAAAAAAAAAAA'
}

t.test('over connections that only read nothing is posted, whatever a client is asked for', async t => {
  const { options, requests, resets } = scripted(answer({ data: PARENT }))
  const connections = readOnly(options.connections)
  const client = createCometChatClient({ ...options, connections })
  const users = createCometChatUsers({ ...options, connections })

  await t.rejects(client.postReply(REPLY, RECEIVER, DEADLINE), { message: /only reads/ })
  await t.rejects(users.create(ALICE, { name: 'Alice' }, DEADLINE), { message: /only reads/ })
  t.same(requests, [], 'not a byte of it')
  t.same(await createReceivers(client)('100', ALICE, DEADLINE), RECEIVER, 'while the parent can be read')
  t.same(
    requests.map(({ method }) => method),
    ['GET']
  )
  connections.reset()
  t.equal(resets(), 1, 'an answer of another request destroys the connections as ever')
})
