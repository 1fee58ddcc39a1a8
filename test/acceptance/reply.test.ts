import t from 'tap'
import { startService } from '../helpers/service-process.ts'
import { postReply, startEmulator } from '../helpers/thread.ts'

t.test('a reply reaches CometChat under the name of the signed-in user, once', async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await startService(t, env)

  const answer = await postReply(service, { as: 'alice', parentId, body: { data: { text: 'hello' } } })

  t.equal(answer.status, 201)
  t.match(answer.json.data, { sender: 'alice', receiver: 'bob', parentId, data: { text: 'hello' } })
  t.equal(emulator.ledger.length, 1)
  t.match(emulator.ledger[0], { onBehalfOf: 'alice', parentId, id: answer.json.data.id })
})

t.test('an answer shows nothing of the marker and carries the standard headers', async t => {
  const { env, parentId } = await startEmulator(t)
  const service = await startService(t, env)

  const answer = await postReply(service, { parentId, body: { data: { text: 'hello', metadata: { a: 1 } } } })

  t.same(answer.json.data.data.metadata, { a: 1 })
  t.match(answer.headers.get('x-request-id'), /^[0-9a-f-]{36}$/)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
})
