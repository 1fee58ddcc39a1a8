import t from 'tap'
import { reply, startEmulator, toBob, verdict } from './start-emulator.ts'

t.test('a lying success answers like a posted message that does not exist', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'lying-success' })

  const { status, json } = await reply(emulator)

  t.equal(status, 200)
  t.match(json.data, { id: '101', sender: 'alice', parentId: '100' })
  t.strictSame(emulator.ledger, [])
})

t.test('the answer of the previous message is given again', async t => {
  const emulator = await startEmulator(t)
  const first = await reply(emulator)
  emulator.failNext({ kind: 'foreign-answer' })

  const second = await reply(emulator)

  t.equal(second.json.data['id'], first.json.data['id'])
  t.equal(emulator.ledger.length, 2)
})

t.test("another user's answer is given, made up where there is none", async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'foreign-answer', of: 'other-user' })
  const madeUp = await reply(emulator)
  await reply(emulator, { ...toBob, receiver: 'alice' }, { as: 'bob' })
  await reply(emulator)
  emulator.failNext({ kind: 'foreign-answer', of: 'other-user', commit: false })
  const real = await reply(emulator)

  t.match(madeUp.json.data, { sender: 'somebody-else', parentId: '100' })
  t.match(real.json.data, { sender: 'bob', id: emulator.ledger[1]?.id })
  t.equal(emulator.ledger.length, 3)
})

t.test('a message that was posted comes back broken, by function or by members', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'break-schema', mutate: message => ({ ...message, sentAt: 'soon' }) })
  emulator.failNext({
    kind: 'break-schema',
    mutate: message => {
      delete message['id']
      return undefined
    }
  })
  emulator.failNext({ kind: 'break-schema', set: { category: 7 }, remove: ['type'] })

  const [first, second, third] = [await reply(emulator), await reply(emulator), await reply(emulator)]

  t.match(first.json.data, { id: emulator.ledger[0]?.id, sentAt: 'soon' })
  t.notOk('id' in second.json.data)
  t.match(third.json.data, { id: emulator.ledger[2]?.id, category: 7 })
  t.notOk('type' in third.json.data)
  t.equal(emulator.ledger.length, 3)
})

t.test('a 200 can hold an error envelope', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'error-in-200', code: 'ERR_EXCEPTION' })

  t.equal(verdict(await reply(emulator)), '200 ERR_EXCEPTION')
  t.equal(emulator.ledger.length, 1)
})

t.test('a 200 can repeat the key', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'key-in-answer' })

  const { json } = await reply(emulator)

  t.match(json.data, { note: `The key ${emulator.apiKey} was used.`, data: { key: emulator.apiKey, text: 'Hi Tom!' } })
})

t.test('ids of 19 digits come as JSON numbers with every digit', async t => {
  const emulator = await startEmulator(t, { firstMessageId: '9007199254740993001' })
  emulator.failNext({ kind: 'numeric-ids' })

  const { text } = await reply(emulator, { ...toBob, data: { text: 'Hi', metadata: { id: '5' } } })

  t.match(text, '"id":9007199254740993001,')
  t.match(text, '"parentId":100}')
  t.match(text, '"metadata":{"id":"5"}')
})

t.test('metadata can be missing in one answer', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'metadata-missing' })

  const { json } = await reply(emulator, { ...toBob, data: { text: 'Hi', metadata: { a: 1 } } })

  t.notOk('metadata' in (json.data['data'] as object))
  t.match(emulator.ledger[0]?.message.data, { metadata: { a: 1 } })
})

t.test('a body is as giant as wanted', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'giant-body', bytes: 3_000_000 })

  const { text, json } = await reply(emulator)

  t.ok(text.length > 3_000_000)
  t.match(json.data, { id: emulator.ledger[0]?.id })
})

t.test('a refusal stays what it is under a fault of content', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'numeric-ids' })

  t.equal(verdict(await reply(emulator, toBob, { as: 'dave' })), '403 ERR_MESSAGE_NO_ACCESS')
})
