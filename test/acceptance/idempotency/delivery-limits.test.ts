// What is not promised, shown as it is: docs/delivery.md names each of these, and what an operator can do about it.
import { setTimeout as sleep } from 'node:timers/promises'
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

/** Loses a reply in a thread of its own: what is removed there makes no other one unknown. */
async function lose(text: string) {
  const thread = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' }).id
  const [key, attempt] = [newKey(), { parentId: thread, ...withText(text) }]
  emulator.failNext(postAndReset, { method: 'POST' })
  await send(key, attempt)
  return { key, attempt, id: String(posts(text)[0]?.id) }
}

t.test('where CometChat keeps no metadata, a lost reply stays unknown for its content, and is not doubled', async t => {
  emulator.switches.metadata = 'missing'
  const { key, attempt } = await lose('no metadata')
  await sleep(QUIET_MS + 100)
  const answer = await send(key, attempt)
  emulator.switches.metadata = 'echoed'

  t.match(answer.json, { code: 'idempotency-in-flight', delivery: 'unknown' })
  t.equal(posts('no metadata').length, 1)
})

t.test('a lost reply that is removed or edited before the retry stays unknown, and is not posted again', async t => {
  for (const by of [undefined, 'app_system']) {
    const text = `removed by ${by}`
    const { key, id, attempt } = await lose(text)
    emulator.deleteMessage(id, by === undefined ? {} : { by })
    await sleep(QUIET_MS + 100)

    t.match((await send(key, attempt)).json, { code: 'idempotency-in-flight', delivery: 'unknown' })
    t.equal(posts(text).length, 1)
  }
  emulator.switches.editedData = 'replaced'
  const { key, id, attempt } = await lose('edited')
  emulator.editMessage(id, { text: 'another text' })
  await sleep(QUIET_MS + 100)
  t.match((await send(key, attempt)).json, { delivery: 'unknown' })
  t.equal(emulator.ledger.filter(({ message }) => message.id === id).length, 1)
})

t.test('a lost reply that leaves no trace when it is removed is posted again', async t => {
  const { key, id, attempt } = await lose('removed for good')
  emulator.deleteMessage(id, { permanent: true })
  await sleep(QUIET_MS + 100)
  await sendUntilKnown(key, attempt)

  t.equal(posts('removed for good').length, 2)
})

t.test('another message of the same user changes nothing', async t => {
  const thread = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' }).id
  const key = newKey()
  emulator.failNext({ kind: 'reset' }, { method: 'POST' })
  await send(key, { parentId: thread, ...withText('mine') })
  emulator.addMessage({ sender: 'alice', receiver: 'bob', receiverType: 'user', parentId: thread, text: 'of the SDK' })
  await sleep(QUIET_MS + 100)

  t.equal((await send(key, { parentId: thread, ...withText('mine') })).status, 201)
  t.equal(posts('mine').length, 1)
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
