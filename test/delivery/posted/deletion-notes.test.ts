import t from 'tap'
import { createDeletionNotes } from '../../../src/delivery/posted/deletion-notes.ts'
import { KEPT_MS } from '../../../src/delivery/record.ts'
import { createRecordKeys } from '../../../src/delivery/record-keys.ts'
import { createMemoryStore } from '../../../src/delivery/stores/memory/store.ts'

const TOMBSTONE = { id: '7', deletedAt: 17, deletedBy: 'alice' }
const BY_ID = { uid: 'alice', parentId: '1', replyId: '7' }

function start() {
  const time = { nowMs: 0 }
  const store = createMemoryStore({ monotonic: () => time.nowMs })
  return { time, store, notes: createDeletionNotes(store, createRecordKeys('a secret')) }
}

t.test('a note is found by what it was kept under, and by nothing else', async t => {
  const { notes } = start()
  await notes.keep({ marker: 'm' }, TOMBSTONE)
  await notes.keep(BY_ID, TOMBSTONE)
  t.same(await notes.find({ marker: 'm' }), TOMBSTONE)
  t.same(await notes.find(BY_ID), TOMBSTONE)
  for (const other of [{ uid: 'bob' }, { parentId: '2' }, { replyId: '8' }]) {
    t.equal(await notes.find({ ...BY_ID, ...other }), undefined)
  }
  t.equal(await notes.find({ marker: 'n' }), undefined)
})

t.test('it is kept as long as a reply may be in doubt, anew with each delete', async t => {
  const { notes, time } = start()
  await notes.keep({ marker: 'm' }, TOMBSTONE)
  time.nowMs += KEPT_MS.sent - 1
  t.same(await notes.find({ marker: 'm' }), TOMBSTONE)
  await notes.keep({ marker: 'm' }, { ...TOMBSTONE, deletedAt: 18 })
  time.nowMs += KEPT_MS.sent - 1
  t.match(await notes.find({ marker: 'm' }), { deletedAt: 18 })
  time.nowMs += 1
  t.equal(await notes.find({ marker: 'm' }), undefined)
})

t.test('two deletes at the same time keep one note', async t => {
  const { notes, store } = start()
  await Promise.all([notes.keep(BY_ID, TOMBSTONE), notes.keep(BY_ID, TOMBSTONE)])
  t.same(await notes.find(BY_ID), TOMBSTONE)
  t.equal(store.size, 1)
})

t.test('where the store is away nothing is kept and nothing found', async t => {
  const away = () => Promise.reject(new Error('away'))
  const notes = createDeletionNotes({ acquire: away, peek: away, release: away }, createRecordKeys('a secret'))
  await t.rejects(notes.keep(BY_ID, TOMBSTONE))
  t.equal(await notes.find(BY_ID), undefined)
})
