import t from 'tap'
import { hostService } from '../helpers/hosted-service.ts'
import { postReply } from '../helpers/thread.ts'
import { startPrism } from './prism.ts'

const KEY = 'b7d4c1f09a2e86d35f10c4e7a98b2d6f3e5c7a10'

// Prism answers every reply with the example of CometChat's page: a message by cometchat-uid-3 in thread 1.
const prism = await startPrism(t, 'send-threaded-message.openapi.yaml')
const service = await hostService(t, { COMETCHAT_BASE_URL: prism.url, COMETCHAT_API_KEY: KEY })
const toUser5 = { receiver: 'cometchat-uid-5', receiverType: 'user', data: { text: 'Hi Tom!' } }

t.test("the example answer of CometChat's page is an answer to its sender in its thread", async t => {
  const answer = await postReply(service, { as: 'cometchat-uid-3', parentId: '1', body: toUser5 })

  t.equal(answer.status, 201)
  t.match(answer.json.data, {
    id: '2',
    conversationId: 'cometchat-uid-3_user_cometchat-uid-5',
    sender: 'cometchat-uid-3',
    receiver: 'cometchat-uid-5',
    parentId: '1',
    sentAt: 1638423490,
    data: { metadata: { key1: 'val1' }, entities: { sender: { entity: { name: 'Nancy Grace' } } } }
  })
})

t.test('it is no answer to somebody else', async t => {
  const answer = await postReply(service, { as: 'cometchat-uid-4', parentId: '1', body: toUser5 })

  t.match(answer, { status: 502, json: { code: 'upstream-mismatch', delivery: 'unknown' } })
})

t.test('it is no answer about another thread', async t => {
  const answer = await postReply(service, { as: 'cometchat-uid-3', parentId: '7', body: toUser5 })

  t.match(answer, { status: 502, json: { code: 'upstream-mismatch', delivery: 'unknown' } })
})

t.test('Prism would have refused a call without a user to act for', async t => {
  const answer = await fetch(`${prism.url}/v3/messages/1/thread`, {
    method: 'POST',
    headers: { apikey: KEY, 'content-type': 'application/json' },
    body: JSON.stringify(toUser5)
  })

  t.equal(answer.status, 422)
  t.match(await answer.text(), "must have required property 'onbehalfof'")
})
