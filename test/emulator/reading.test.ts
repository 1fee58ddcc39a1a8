import t from 'tap'
import { call, reply, startEmulator, toBob, verdict } from './start-emulator.ts'

t.test('a message is read as it was posted', async t => {
  const emulator = await startEmulator(t)
  const posted = await reply(emulator, { ...toBob, data: { text: 'Hi', metadata: { marker: 'x' } } })

  const read = await call(emulator, `/messages/${posted.json.data['id']}`, { as: 'bob' })

  t.strictSame(read.json.data, posted.json.data)
})

t.test('a parent counts its replies', async t => {
  const emulator = await startEmulator(t)

  t.notOk('replyCount' in (await call(emulator, '/messages/100')).json.data)
  await reply(emulator)
  await reply(emulator)

  t.equal((await call(emulator, '/messages/100', { as: 'alice' })).json.data['replyCount'], 2)
})

t.test('a thread lists its replies in order, page by page, with cursor meta', async t => {
  const emulator = await startEmulator(t, { now: () => 7_000_000, firstMessageId: '101' })
  for (const text of ['1', '2', '3']) await reply(emulator, { ...toBob, data: { text } })

  const all = await call(emulator, '/messages/100/thread', { as: 'alice' })
  const second = await call(emulator, '/messages/100/thread?perPage=2&page=2', { as: 'alice' })
  const third = await call(emulator, '/messages/100/thread?perPage=2&page=3', { as: 'alice' })

  t.match(all.json.data, [
    { id: '101', parentId: '100', data: { text: '1' } },
    { id: '102', parentId: '100', data: { text: '2' } },
    { id: '103', parentId: '100', data: { text: '3' } }
  ])
  t.strictSame(all.json.meta, {
    current: { limit: 100, count: 3 },
    next: { affix: 'append', sentAt: 7000, id: '103' }
  })
  t.match(second.json, { data: [{ id: '103' }], meta: { current: { limit: 2, count: 1 } } })
  t.strictSame(third.json, { data: [], meta: { current: { limit: 2, count: 0 } } })
})

t.test('tags are listed only when asked for', async t => {
  const emulator = await startEmulator(t)
  const { json } = await reply(emulator, { ...toBob, tags: ['t1'] })

  const plain = await call(emulator, '/messages/100/thread')
  const tagged = await call(emulator, '/messages/100/thread?withTags=true')

  t.notOk('tags' in json.data)
  t.notMatch(plain.text, '"tags"')
  t.match(tagged.json.data, [{ tags: ['t1'] }])
})

t.test('a deleted reply is listed without its content, or hidden', async t => {
  const emulator = await startEmulator(t)
  const { json } = await reply(emulator)
  emulator.deleteMessage(String(json.data['id']))

  const shown = await call(emulator, '/messages/100/thread')
  const hidden = await call(emulator, '/messages/100/thread?hideDeleted=true')

  t.match(shown.json.data, [{ deletedBy: 'alice', deletedAt: Number }])
  t.notMatch(shown.text, 'Hi Tom!')
  t.strictSame(hidden.json.data, [])
})

t.test('a reply that has not settled is listed to its sender alone', async t => {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { settleMs: 3000, now: () => nowMs })
  await reply(emulator)
  const count = async (as: string) =>
    ((await call(emulator, '/messages/100/thread', { as })).json.data as unknown as unknown[]).length

  t.strictSame([await count('alice'), await count('bob')], [1, 0])
  nowMs += 3000
  t.strictSame([await count('alice'), await count('bob')], [1, 1])
})

for (const query of ['perPage=0', 'perPage=1001', 'perPage=x', 'page=0', 'page=-1']) {
  t.test(`a thread list with ${query} is refused`, async t => {
    const emulator = await startEmulator(t)

    t.equal(verdict(await call(emulator, `/messages/100/thread?${query}`)), '400 ERR_BAD_REQUEST')
  })
}

t.test('an unknown message is not found, and an unknown reader neither', async t => {
  const emulator = await startEmulator(t)

  t.equal(verdict(await call(emulator, '/messages/999')), '404 ERR_MESSAGE_ID_NOT_FOUND')
  t.equal(verdict(await call(emulator, '/messages/999/thread')), '404 ERR_MESSAGE_ID_NOT_FOUND')
  t.equal(verdict(await call(emulator, '/messages/100', { as: 'nobody' })), '404 ERR_UID_NOT_FOUND')
})

t.test('an id of 19 digits survives as text', async t => {
  const emulator = await startEmulator(t, { firstMessageId: '9007199254740993001' })

  const { json } = await reply(emulator)

  t.equal(json.data['id'], '9007199254740993001')
  t.equal((await call(emulator, '/messages/9007199254740993001')).json.data['id'], '9007199254740993001')
})

for (const [method, path] of [
  ['GET', '/nothing'],
  ['DELETE', '/messages/100/thread'],
  ['GET', '/messages/100/thread/more'],
  ['GET', '/messages/%E0/thread'],
  ['GET', '']
] as const) {
  t.test(`${method} ${path || 'the bare version'} is no API`, async t => {
    const emulator = await startEmulator(t)

    t.equal(verdict(await call(emulator, path, { method })), '404 ERR_API_NOT_FOUND')
  })
}
