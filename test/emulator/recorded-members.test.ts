// Single members that the real one was seen to add, take or leave out.
import t from 'tap'
import { call, reply, startEmulator, toBob, verdict } from './start-emulator.ts'

t.test('the date is told by the clock of CometChat, whatever spoils the answer', async t => {
  const emulator = await startEmulator(t, { now: () => 1_638_423_490_000 })
  const dateOf = async () => (await reply(emulator)).headers.get('date')
  const date = 'Thu, 02 Dec 2021 05:38:10 GMT'

  t.equal(await dateOf(), date)
  emulator.failNext({ kind: 'server-error', status: 502, format: 'html' })
  t.equal(await dateOf(), date)
  emulator.failNext({ kind: 'gzip' })
  t.equal(await dateOf(), date)
  emulator.switches.dateHeader = false
  t.equal(await dateOf(), null)
  emulator.switches.dateHeader = true
  // The last one: its connection is good for nothing afterwards.
  emulator.failNext({ kind: 'drip-body', everyMs: 0, bytes: 1000 })
  t.equal(await dateOf(), date)
})

t.test('a quoted message is shown as it is now, and its id alone when it is not there', async t => {
  const emulator = await startEmulator(t)

  const quoted = await reply(emulator, { ...toBob, quotedMessageId: 100 })
  const unknown = await reply(emulator, { ...toBob, quotedMessageId: '999' })

  t.match(quoted.json.data, {
    quotedMessageId: '100',
    quotedMessage: { id: '100', sender: 'bob', data: { text: 'Hello' }, sentAt: Number }
  })
  t.notOk('entities' in ((quoted.json.data['quotedMessage'] as { data: object }).data ?? {}))
  t.equal(unknown.json.data['quotedMessageId'], '999')
  t.notOk('quotedMessage' in unknown.json.data)
  emulator.editMessage('100', { text: 'changed' })
  t.match((await call(emulator, '/messages/101')).json.data, { quotedMessage: { data: { text: 'changed' } } })
  emulator.deleteMessage('100')
  t.notOk('quotedMessage' in (await call(emulator, '/messages/101')).json.data)
})

t.test('a quoted message that does not exist can be refused', async t => {
  const emulator = await startEmulator(t, { switches: { unknownQuote: 'not-found' } })

  t.equal(verdict(await reply(emulator, { ...toBob, quotedMessageId: 999 })), '404 ERR_MESSAGE_ID_NOT_FOUND')
  t.equal(verdict(await reply(emulator, { ...toBob, quotedMessageId: 100 })), '200')
})

t.test('who replies or is mentioned is subscribed to the thread, and learns it when asked', async t => {
  const emulator = await startEmulator(t)
  const posted = await reply(emulator, { ...toBob, data: { text: 'Hi <@uid:carol>' } })
  const shown = async (path: string, as: string) =>
    (await call(emulator, `${path}?withThreadSubscribed=true`, { as })).json.data['threadSubscribed']

  t.notOk('threadSubscribed' in posted.json.data)
  t.notOk('threadSubscribed' in (await call(emulator, '/messages/100', { as: 'alice' })).json.data)
  t.equal(await shown('/messages/100', 'alice'), true)
  t.equal(await shown('/messages/100', 'bob'), false)
  const listed = await call(emulator, '/messages/100/thread?withThreadSubscribed=true', { as: 'alice' })
  t.match(listed.json.data, [{ threadSubscribed: true }])
  emulator.switches.threadSubscribedInAnswers = true
  t.equal((await reply(emulator)).json.data['threadSubscribed'], true)
})

t.test('extensions write beside the metadata of the sender, and keep it', async t => {
  const emulator = await startEmulator(t, { switches: { injectedExtensions: ['link-preview', 'profanity-filter'] } })

  const { json } = await reply(emulator, { ...toBob, data: { text: 'Hi', metadata: { mark: 1 } } })
  const plain = await reply(emulator)

  const extensions = { 'link-preview': { links: [] }, 'profanity-filter': {} }
  t.strictSame((json.data['data'] as Record<string, unknown>)['metadata'], { mark: 1, '@injected': { extensions } })
  t.match(plain.json.data, { data: { metadata: { '@injected': { extensions } } } })
  t.strictSame(emulator.ledger[0]?.message.data, { text: 'Hi', metadata: { mark: 1 } }, 'the ledger has what was sent')
  emulator.switches.metadata = 'missing'
  t.notMatch((await reply(emulator)).text, '@injected')
})

t.test('a message of an agent can have a thread, unless the switch leaves its category out', async t => {
  const emulator = await startEmulator(t)
  emulator.addMessage({
    id: '300',
    sender: 'bob',
    receiver: 'alice',
    receiverType: 'user',
    category: 'agentic',
    type: 'assistant',
    data: { text: 'How can I help?', runId: 'r1', threadId: 't1' }
  })
  const attempt = () => call(emulator, '/messages/300/thread', { as: 'alice', body: toBob })

  t.match((await call(emulator, '/messages/300')).json.data, { category: 'agentic', data: { runId: 'r1' } })
  t.equal(verdict(await attempt()), '200')
  emulator.switches.parentCategories = ['message']
  t.equal(verdict(await attempt()), '400 ERR_WRONG_MESSAGE_THREAD_CATEGORY')
})

t.test('interactive messages and cards are taken in a thread, unless the switch leaves them out', async t => {
  const emulator = await startEmulator(t)
  const form = { ...toBob, category: 'interactive', type: 'form', data: { interactiveData: { title: 'T' } } }

  t.equal(verdict(await reply(emulator, form)), '200')
  emulator.switches.threadCategories = ['message', 'custom']
  t.equal(verdict(await reply(emulator, form)), '400 ERR_INVALID_MESSAGE_CATEGORY')
})

for (const [category, type, data, isModerated] of [
  ['message', 'text', { text: 'x' }, true],
  ['message', 'image', { url: 'https://files.example/a' }, true],
  ['message', 'video', { url: 'https://files.example/a' }, true],
  ['message', 'audio', { url: 'https://files.example/a' }, false],
  ['message', 'file', { url: 'https://files.example/a' }, false],
  ['custom', 'x', { customData: { a: 1 } }, false]
] as const) {
  t.test(`a ${category} of type ${type} is ${isModerated ? '' : 'not '}moderated`, async t => {
    const emulator = await startEmulator(t, { switches: { moderation: 'pending' } })

    const { json } = await reply(emulator, { ...toBob, category, type, data })

    t.equal('moderation' in (json.data['data'] as object), isModerated)
  })
}

t.test('a media type may have parameters, and a URL may be a long signed one', async t => {
  const emulator = await startEmulator(t)
  const url = `https://files.example/a.webm?X-Amz-Security-Token=${'x'.repeat(6000)}`
  const attachment = {
    url,
    name: 'rec.webm',
    mimeType: 'audio/webm;codecs=opus',
    extension: 'webm',
    size: 1,
    duration: 3
  }

  const { json } = await reply(emulator, { ...toBob, type: 'audio', data: { url: '', attachments: [attachment] } })

  t.match(json.data['data'], { attachments: [attachment] })
})
