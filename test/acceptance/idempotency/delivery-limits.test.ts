// What is not promised, shown as it is: docs/delivery.md names each of these, and what an operator can do about it.
import t from 'tap'
import { startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'
import { startService } from '../../helpers/service-process.ts'
import { postReply } from '../../helpers/thread.ts'

t.setTimeout(240_000)
const QUIET_MS = 200
const postAndReset = { kind: 'reset', commit: true } as const
const replies = await startKeyedReplies(t, { QUIET_PERIOD_MS: `${QUIET_MS}` })
const { emulator, send, sendUntilKnown, newKey, posts, parentId, service } = replies

t.test('a client that resends an unknown reply without a key, or with a new one, doubles it', async t => {
  emulator.failNext(postAndReset, { method: 'POST' })
  await postReply(service, { parentId, ...withText('no key') })
  await postReply(service, { parentId, ...withText('no key') })
  emulator.failNext(postAndReset, { method: 'POST' })
  await send(newKey(), withText('new key'))
  await send(newKey(), withText('new key'))

  t.same([posts('no key').length, posts('new key').length], [2, 2])
})

t.test('a CometChat that says yes and posts nothing is believed', async t => {
  emulator.failNext({ kind: 'lying-success' }, { method: 'POST' })
  const answer = await send(newKey(), withText('a lie'))

  t.equal(answer.status, 201)
  t.equal(posts('a lie').length, 0)
})

t.test('a CometChat that keeps no metadata hides a lost reply, which is then doubled', async t => {
  emulator.switches.metadata = 'missing'
  const key = newKey()
  emulator.failNext(postAndReset, { method: 'POST' })
  await send(key, withText('no metadata'))
  await sendUntilKnown(key, withText('no metadata'))
  emulator.switches.metadata = 'echoed'

  t.equal(posts('no metadata').length, 2)
})

t.test('a lost reply that its author deletes before the retry is posted again', async t => {
  const key = newKey()
  emulator.failNext(postAndReset, { method: 'POST' })
  await send(key, withText('deleted'))
  emulator.deleteMessage(String(posts('deleted')[0]?.id))
  await sendUntilKnown(key, withText('deleted'))

  t.equal(posts('deleted').length, 2)
})

t.test('a refusal before the key is looked at speaks of its own request, not of the reply', async t => {
  const key = newKey()
  emulator.failNext(postAndReset, { method: 'POST' })
  await send(key, withText('signed out'))
  const signedOut = await send(key, { ...withText('signed out'), token: 'not-a-token' })
  const signedIn = await send(key, withText('signed out'))

  t.match(signedOut.json, { code: 'unauthenticated', delivery: 'not-sent' })
  t.equal(signedIn.json.data.id, posts('signed out')[0]?.id, 'it had been posted all the time')
  t.equal(posts('signed out').length, 1)
})

t.test('memory: forgets with its process, and a key that comes back is a new one', async t => {
  const env = { COMETCHAT_BASE_URL: emulator.url, COMETCHAT_API_KEY: emulator.apiKey }
  const headers = { 'idempotency-key': 'restarted' }
  for (let instance = 0; instance < 2; instance++) {
    const restarted = await startService(t, env)
    t.match(restarted.output.join('\n'), /do not survive this process/, 'it says so when it starts')
    await postReply(restarted, { parentId, headers, ...withText('restarted') })
    await restarted.stop('SIGKILL')
  }

  t.equal(posts('restarted').length, 2)
})
