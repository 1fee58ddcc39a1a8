// A thread that is not the same when its second page is read.
import t from 'tap'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import type { Change } from '../../emulator/types.ts'
import { call, reply, startEmulator } from './start-emulator.ts'

const page = async (emulator: CometChatEmulator, query: string, as: string | null = 'alice') => {
  const { json } = await call(emulator, `/messages/100/thread?${query}`, { as })
  return json.data as unknown as Record<string, unknown>[]
}
const ids = async (emulator: CometChatEmulator, query: string) => (await page(emulator, query)).map(({ id }) => id)

async function startThread(t: Parameters<typeof startEmulator>[0], options = {}) {
  const emulator = await startEmulator(t, options)
  for (let i = 0; i < 6; i += 1) await reply(emulator)
  return emulator
}

for (const [title, change, second] of [
  ['grows no shorter by a soft deletion', { kind: 'delete', id: '102' }, ['104', '105', '106']],
  ['shrinks by a permanent one, and a reply slips by', { kind: 'delete', id: '102', permanent: true }, ['105', '106']],
  ['keeps a reply that is edited', { kind: 'edit', id: '104', data: { text: 'x' } }, ['104', '105', '106']],
  [
    'keeps for its sender what moderation refuses',
    { kind: 'moderate', id: '104', status: 'blocked' },
    ['104', '105', '106']
  ]
] as const satisfies readonly [string, Change, readonly string[]][]) {
  t.test(`between two pages a thread ${title}`, async t => {
    const emulator = await startThread(t)
    emulator.changeAfterRead(change)

    t.strictSame(await ids(emulator, 'perPage=3&page=1'), ['101', '102', '103'])
    t.strictSame(await ids(emulator, 'perPage=3&page=2'), second)
  })
}

t.test('a thread whose newest come first moves on by a reply, and one is seen twice', async t => {
  const emulator = await startThread(t, { switches: { threadOrder: 'newest-first' } })
  const message = { sender: 'bob', receiver: 'alice', receiverType: 'user', parentId: '100' } as const
  emulator.changeAfterRead({ kind: 'post', message })

  t.strictSame(await ids(emulator, 'perPage=3&page=1'), ['106', '105', '104'])
  t.strictSame(await ids(emulator, 'perPage=3&page=2'), ['104', '103', '102'])
  t.equal(emulator.ledger.length, 6, 'nobody under test posted it')
})

t.test('a change waits for the read of its own thread, and for its number', async t => {
  const emulator = await startThread(t)
  emulator.changeAfterRead({ kind: 'delete', id: '101', permanent: true }, { parentId: '100', read: 2 })
  let called = 0
  emulator.changeAfterRead(
    () => {
      called += 1
    },
    { parentId: '200' }
  )

  await call(emulator, '/messages/100', { as: 'alice' })
  t.equal((await ids(emulator, '')).length, 6)
  t.equal((await ids(emulator, '')).length, 6)
  t.equal((await ids(emulator, '')).length, 5)
  t.equal(called, 0)
  await call(emulator, '/messages/200/thread', { as: 'alice' })
  await call(emulator, '/messages/200/thread', { as: 'alice' })
  t.equal(called, 1)
})

t.test('a change that waits is forgotten by clear', async t => {
  const emulator = await startThread(t)
  emulator.changeAfterRead({ kind: 'delete', id: '101', permanent: true })
  emulator.clear()

  t.equal((await ids(emulator, '')).length, 6)
  t.equal((await ids(emulator, '')).length, 6)
})

for (const [disapproved, own, others] of [
  ['shown-to-sender', 'whole', 'gone'],
  ['shown', 'whole', 'whole'],
  ['hidden', 'gone', 'gone'],
  ['tombstone', 'bare', 'bare']
] as const) {
  t.test(`what moderation refuses is ${disapproved}`, async t => {
    const emulator = await startEmulator(t, { switches: { disapproved }, now: () => 7_000_000 })
    await reply(emulator)
    emulator.moderate('101', 'disapproved')
    const seenBy = async (as: string) => {
      const [message] = await page(emulator, '', as)
      if (message === undefined) return 'gone'
      return 'sender' in message ? 'whole' : 'bare'
    }

    t.strictSame([await seenBy('alice'), await seenBy('bob')], [own, others])
    if (disapproved !== 'tombstone') return
    t.strictSame(await page(emulator, ''), [
      { id: '101', conversationId: 'alice_user_bob', deletedAt: 7000, deletedBy: 'app_system' }
    ])
  })
}

t.test('an edit, a deletion and a verdict by hand need no request', async t => {
  const emulator = await startThread(t, { now: () => 7_000_000 })
  emulator.editMessage('101', { text: 'better' })
  emulator.editMessage('102', { text: 'worse' }, 'app_system')
  emulator.deleteMessage('103', { by: 'app_system' })
  emulator.moderate('104', 'pending')

  t.match(await page(emulator, 'perPage=4'), [
    { editedAt: 7000, editedBy: 'alice', data: { text: 'better' } },
    { editedBy: 'app_system' },
    { deletedBy: 'app_system' },
    { data: { moderation: { status: 'pending' } } }
  ])
  t.throws(() => emulator.editMessage('999', {}), { message: /no message/ })
})

t.test('another process scripts a change', async t => {
  const emulator = await startThread(t, { admin: true })
  const body = { afterRead: [{ change: { kind: 'delete', id: '101', permanent: true }, parentId: '100' }] }

  await fetch(`${emulator.url}/_emulator/state`, { method: 'POST', body: JSON.stringify(body) })

  t.equal((await ids(emulator, '')).length, 6)
  t.equal((await ids(emulator, '')).length, 5)
})
