import t from 'tap'
import { createCometChatEmulator } from '../../emulator/cometchat-emulator.ts'
import { call, startEmulator, verdict } from './start-emulator.ts'

t.test('an emulator has no url before it is started, and cannot be started twice', async t => {
  const emulator = createCometChatEmulator()

  t.throws(() => emulator.url, { message: /before it is started/ })
  const { url, port } = await emulator.start()
  t.equal(url, `http://127.0.0.1:${port}`)
  t.equal(emulator.url, url)
  await t.rejects(emulator.start(), { message: /started already/ })
  await emulator.stop()
  await t.resolves(emulator.stop(), 'stopping twice is harmless')
})

t.test('an emulator that was stopped starts again with what it knew', async t => {
  const emulator = await startEmulator(t)

  await emulator.stop()
  await emulator.start()

  t.equal(verdict(await call(emulator, '/messages/100')), '200')
})

t.test('an address that is taken is refused', async t => {
  const emulator = await startEmulator(t)
  const second = createCometChatEmulator()

  await t.rejects(second.start({ port: Number(new URL(emulator.url).port) }), { code: 'EADDRINUSE' })
})

t.test('a mistake in the setting is told at once', async t => {
  const emulator = await startEmulator(t)
  const message = { sender: 'bob', receiver: 'alice', receiverType: 'user' } as const

  t.throws(() => emulator.addMessage({ ...message, sender: 'nobody' }), { message: /no user "nobody"/ })
  t.throws(() => emulator.addMessage({ ...message, receiver: 'x', receiverType: 'group' }), { message: /no group/ })
  t.throws(() => emulator.addMessage({ ...message, parentId: '999' }), { message: /no message/ })
  t.throws(() => emulator.addMessage({ ...message, id: 'abc' }), { message: /decimal/ })
  t.throws(() => emulator.addMessage({ ...message, id: '100' }), { message: /already/ })
  t.throws(() => emulator.addGroup({ guid: 'g', members: ['nobody'] }), { message: /no user/ })
  t.throws(() => emulator.deactivate('nobody'), { message: /no user/ })
})

t.test('a reply that exists already is in the thread but not in the ledger', async t => {
  const emulator = await startEmulator(t)

  emulator.addMessage({ sender: 'alice', receiver: 'bob', receiverType: 'user', parentId: '100', text: 'old' })

  t.match((await call(emulator, '/messages/100/thread')).json.data, [{ data: { text: 'old' }, parentId: '100' }])
  t.equal((await call(emulator, '/messages/100')).json.data['replyCount'], 1)
  t.strictSame(emulator.ledger, [])
})

t.test('repeated headers reach the record as they were sent', async t => {
  const emulator = await startEmulator(t)
  const headers: [string, string][] = [
    ['apikey', emulator.apiKey],
    ['onBehalfOf', 'alice'],
    ['OnBehalfOf', 'bob']
  ]

  const response = await fetch(`${emulator.url}/v3/messages/100`, { headers })

  t.equal(response.status, 404)
  t.equal(emulator.requests[0]?.headers['onbehalfof'], 'alice, bob')
})
