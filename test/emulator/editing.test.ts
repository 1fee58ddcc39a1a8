import t from 'tap'
import { call, reply, startEmulator, toBob, verdict } from './start-emulator.ts'

const edit = (text: string, more: object = {}) => ({ data: { text, ...more } })

t.test('an edit changes the message and is answered with an action message', async t => {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { now: () => nowMs })
  await reply(emulator)
  nowMs += 5000

  const edited = await call(emulator, '/messages/101', { method: 'PUT', as: 'alice', body: edit('better') })
  const read = await call(emulator, '/messages/101')

  t.match(edited.json.data, {
    id: '102',
    category: 'action',
    type: 'message',
    sender: 'alice',
    data: { action: 'edited', entities: { by: { entity: { uid: 'alice' } }, for: { entity: { uid: 'bob' } } } }
  })
  t.match(edited.json.data['data'], { entities: { on: { entityType: 'message', entity: read.json.data } } })
  t.match(read.json.data, {
    data: { text: 'better' },
    sentAt: 1000,
    editedAt: 1005,
    editedBy: 'alice',
    updatedAt: 1005,
    parentId: '100'
  })
  t.equal(emulator.ledger.length, 1, 'an edit posts nothing')
})

t.test('an action message is read, but neither edited nor deleted, and stands in no thread', async t => {
  const emulator = await startEmulator(t)
  await reply(emulator)
  const { json } = await call(emulator, '/messages/101', { method: 'PUT', as: 'alice', body: edit('better') })
  const path = `/messages/${json.data['id']}`

  t.match((await call(emulator, path)).json.data, { category: 'action' })
  for (const method of ['PUT', 'DELETE']) {
    t.equal(
      verdict(await call(emulator, path, { method, as: 'alice', body: edit('x') })),
      '400 ERR_MESSAGE_ACTION_NOT_ALLOWED'
    )
  }
  t.match((await call(emulator, '/messages/100/thread')).json, { meta: { current: { count: 1 } } })
})

for (const [title, method, path, as, expected] of [
  ['its sender', 'PUT', '/messages/101', 'alice', '200'],
  ['the app', 'PUT', '/messages/101', null, '200'],
  ['the other party', 'PUT', '/messages/101', 'bob', '400 ERR_MESSAGE_NOT_A_SENDER'],
  ['a stranger', 'PUT', '/messages/101', 'carol', '403 ERR_MESSAGE_NO_ACCESS'],
  ['somebody unknown', 'PUT', '/messages/101', 'nobody', '404 ERR_UID_NOT_FOUND'],
  ['its sender', 'DELETE', '/messages/101', 'alice', '200'],
  ['the app', 'DELETE', '/messages/101', null, '200'],
  ['the other party', 'DELETE', '/messages/101', 'bob', '400 ERR_MESSAGE_NOT_A_SENDER'],
  ['its sender, under another id,', 'DELETE', '/messages/999', 'alice', '404 ERR_MESSAGE_ID_NOT_FOUND']
] as const) {
  t.test(`${method} ${path} by ${title} is answered ${expected}`, async t => {
    const emulator = await startEmulator(t)
    await reply(emulator)

    t.equal(verdict(await call(emulator, path, { method, as, body: edit('better') })), expected)
  })
}

for (const [title, body, code] of [
  ['an empty text', edit(''), 'ERR_EMPTY_MESSAGE_TEXT'],
  ['metadata that is text', edit('x', { metadata: 'y' }), 'ERR_INVALID_METADATA'],
  ['data that is text', { data: 'x' }, 'ERR_INVALID_MESSAGE_DATA'],
  ['26 tags', { tags: Array.from({ length: 26 }, String) }, 'ERR_BAD_REQUEST'],
  ['no JSON', '{', 'ERR_BAD_REQUEST']
] as const) {
  t.test(`an edit with ${title} is refused`, async t => {
    const emulator = await startEmulator(t)
    await reply(emulator)

    t.equal(verdict(await call(emulator, '/messages/101', { method: 'PUT', as: 'alice', body })), `400 ${code}`)
    t.match((await call(emulator, '/messages/101')).json.data, { data: { text: 'Hi Tom!' } })
  })
}

t.test('what an edit leaves of data is switched', async t => {
  const data = { text: 'old', metadata: { mark: 1, old: 1 }, extra: true }
  const left = async (editedData: 'members-replaced' | 'metadata-merged' | 'replaced') => {
    const emulator = await startEmulator(t, { switches: { editedData } })
    await reply(emulator, { ...toBob, data })
    await call(emulator, '/messages/101', { method: 'PUT', as: 'alice', body: edit('new', { metadata: { new: 1 } }) })
    return emulator.ledger[0]?.message.data
  }

  t.strictSame(await left('members-replaced'), { text: 'new', metadata: { new: 1 }, extra: true })
  t.strictSame(await left('metadata-merged'), { text: 'new', metadata: { mark: 1, old: 1, new: 1 }, extra: true })
  t.strictSame(await left('replaced'), { text: 'new', metadata: { new: 1 } })
})

t.test('a message that has not settled cannot be edited yet', async t => {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { settleMs: 3000, now: () => nowMs })
  await reply(emulator)
  const attempt = () => call(emulator, '/messages/101', { method: 'PUT', as: 'alice', body: edit('better') })

  t.equal(verdict(await attempt()), '403 ERR_MESSAGE_NO_ACCESS')
  nowMs += 3000
  t.equal(verdict(await attempt()), '200')
})

t.test('a deletion leaves what the switch says, and is not found when repeated', async t => {
  const left = async (tombstones: 'bare' | 'whole' | 'absent') => {
    const emulator = await startEmulator(t, { now: () => 7_000_000, switches: { tombstones } })
    await reply(emulator)
    const remove = () => call(emulator, '/messages/101', { method: 'DELETE', as: 'alice' })
    t.match((await remove()).json.data, { data: { action: 'deleted', entities: { on: { entity: { id: '101' } } } } })
    t.equal(verdict(await remove()), '404 ERR_MESSAGE_ID_NOT_FOUND')
    t.equal((await call(emulator, '/messages/100')).json.data['replyCount'], 1)
    return (await call(emulator, '/messages/100/thread')).json.data
  }

  const bare = { id: '101', conversationId: 'alice_user_bob', deletedAt: 7000, deletedBy: 'alice' }
  t.strictSame(await left('bare'), [bare])
  t.match(await left('whole'), [{ ...bare, sender: 'alice', sentAt: 7000, parentId: '100' }])
  t.strictSame(await left('absent'), [])
})

t.test('a permanent deletion leaves nothing', async t => {
  const emulator = await startEmulator(t)
  await reply(emulator)

  t.equal(
    verdict(await call(emulator, '/messages/101', { method: 'DELETE', as: 'alice', body: { permanent: true } })),
    '200'
  )

  t.strictSame((await call(emulator, '/messages/100/thread')).json.data, [])
  t.equal(verdict(await call(emulator, '/messages/101')), '404 ERR_MESSAGE_ID_NOT_FOUND')
  t.notOk('replyCount' in (await call(emulator, '/messages/100')).json.data)
})

t.test('a deletion can be called an edit, as the documents have it', async t => {
  const emulator = await startEmulator(t, { switches: { deleteAction: 'edited' } })
  await reply(emulator)

  const { json } = await call(emulator, '/messages/101', { method: 'DELETE', as: 'alice' })

  t.match(json.data, { data: { action: 'edited', entities: { on: { entity: { deletedBy: 'alice' } } } } })
})

t.test('an edit whose answer is lost is done when it was committed, and only then', async t => {
  const emulator = await startEmulator(t)
  await reply(emulator)
  const attempt = () => call(emulator, '/messages/101', { method: 'PUT', as: 'alice', body: edit('better') })
  const textNow = async () => (await call(emulator, '/messages/101')).json.data['data']

  emulator.failNext({ kind: 'reset' }, { method: 'PUT' })
  await t.rejects(attempt())
  t.match(await textNow(), { text: 'Hi Tom!' })
  emulator.failNext({ kind: 'reset', commit: true }, { method: 'PUT' })
  await t.rejects(attempt())
  t.match(await textNow(), { text: 'better' })
})
