// What a sender does with a reply that is posted: in which order, what is remembered of it, and what a failure says.
import t from 'tap'
import { type ChangeOrder, type ChangesOptions, createReplyChanges } from '../../../src/delivery/posted/changes.ts'
import { createDeletionNotes } from '../../../src/delivery/posted/deletion-notes.ts'
import { createRecordKeys } from '../../../src/delivery/record-keys.ts'
import { createMemoryStore } from '../../../src/delivery/stores/memory/store.ts'
import { AppError } from '../../../src/errors.ts'
import type { CometChatUid } from '../../../src/lib/service/cometchat-uid.ts'
import { LogFields } from '../../../src/observability/log-fields.ts'
import type { OwnReply } from '../../../src/upstream/own-replies.ts'
import type { Deadline } from '../../../src/upstream/types.ts'

const ALICE = 'alice' as CometChatUid
const MESSAGE = { id: '7', parentId: '100', sender: 'alice', data: { text: 'hi' } }
const LEFT = { id: '7', parentId: '100', deletedAt: 17, deletedBy: 'alice' }
const LOST = { code: 'upstream-reset', delivery: 'unknown' } as const

function start(found: Partial<OwnReply> = {}, more: Partial<ChangesOptions> = {}, hasAudit = true) {
  const did: string[] = []
  const deadlines: Deadline[] = []
  const notes = createDeletionNotes(createMemoryStore({ monotonic: () => 0 }), createRecordKeys('a secret'))
  const changes = createReplyChanges({
    ownReplies: {
      async read(_place, deadline) {
        did.push('read')
        deadlines.push(deadline)
        return { message: MESSAGE, marker: 'mark', isDeleted: false, ...found }
      },
      async edit() {
        did.push('edit')
        return { ...MESSAGE, data: { text: 'new' } }
      },
      async remove() {
        did.push('remove')
        return LEFT
      }
    },
    notes: {
      find: notes.find,
      async keep(reply, tombstone) {
        did.push('marker' in reply ? 'keep mark' : 'keep id')
        await notes.keep(reply, tombstone)
      }
    },
    timeMs: () => 17_999,
    clock: { monotonic: () => 50 },
    deadlineMs: 1000,
    ...(hasAudit && { beforeSend: async () => void did.push('before') }),
    ...more
  })
  const facts = new LogFields()
  const order: ChangeOrder = {
    parentId: '100',
    replyId: '7',
    author: { issuer: 'https://issuer.test', subject: 'alice', uid: ALICE },
    facts,
    isWaiting: () => true
  }
  return { changes, did, deadlines, notes, facts, order }
}

t.test('an edit reads first, within one deadline, and the line says which reply it was', async t => {
  const { changes, did, deadlines, facts, order } = start()
  t.match(await changes.edit({ ...order, waitMs: 200 }, { data: { text: 'new' } }), { data: { text: 'new' } })
  t.same(did, ['read', 'before', 'edit'])
  t.match(deadlines, [{ atMs: 250, isShortened: true }])
  t.match(facts, { delivery: 'sent', messageId: '7' })
})

t.test('a deleted reply is not edited', async t => {
  const { changes, did, facts, order } = start({ isDeleted: true })
  await t.rejects(changes.edit(order, {}), { code: 'thread-not-found' })
  t.same(did, ['read'])
  t.equal(facts.delivery, undefined)
})

t.test('before a reply is deleted its mark is kept, and after it what is left of it', async t => {
  const { changes, did, notes, order } = start()
  t.same(await changes.remove(order), LEFT)
  t.same(did, ['read', 'keep mark', 'before', 'remove', 'keep id'])
  t.same(await notes.find({ marker: 'mark' }), {
    id: '7',
    parentId: '100',
    sender: 'alice',
    deletedAt: 17,
    deletedBy: 'alice'
  })
  t.same(await changes.remove(order), LEFT, 'once more comes to the same')
  t.equal(did.length, 5, 'without asking CometChat')
})

t.test('a reply without a mark is deleted without one, and CometChat may not have told its time yet', async t => {
  const unmarked = start({ marker: undefined })
  await unmarked.changes.remove(unmarked.order)
  t.same(unmarked.did, ['read', 'before', 'remove', 'keep id'])
  const early = start({}, { timeMs: () => undefined })
  await early.changes.remove(early.order)
  t.same(await early.notes.find({ marker: 'mark' }), { id: '7', parentId: '100', sender: 'alice', deletedBy: 'alice' })
})

t.test('what was deleted before is told without its content, and nothing is done', async t => {
  const { changes, did, order } = start({ isDeleted: true, message: { ...MESSAGE, deletedAt: 5 } })
  t.same(await changes.remove(order), { id: '7', parentId: '100', sender: 'alice', deletedAt: 5 })
  t.same(did, ['read'])
})

t.test('nothing is deleted where its mark cannot be kept; that its id is not kept costs nothing', async t => {
  const keep = async (reply: object): Promise<void> => {
    if ('marker' in reply === isMarkLost) throw new Error('away')
  }
  let isMarkLost = true
  const { changes, did, order } = start({}, { notes: { find: async () => undefined, keep } })
  await t.rejects(changes.remove(order), { code: 'store-unavailable', delivery: 'not-sent' })
  t.same(did, ['read'])
  isMarkLost = false
  t.same(await changes.remove(order), LEFT)
})

t.test('a change that may have happened may be made again; a bug stays one', async t => {
  const failing = (error: unknown) => {
    const fail = (): Promise<never> => Promise.reject(error)
    return start({}, { ownReplies: { read: fail, edit: fail, remove: fail } })
  }
  const unknown = failing(new AppError(LOST.code, 'It was lost.', { delivery: LOST.delivery }))
  await t.rejects(unknown.changes.edit(unknown.order, {}), { ...LOST, options: { isRepeatable: true } })
  t.equal(unknown.facts.delivery, undefined)
  const bug = failing(new TypeError('a bug'))
  await t.rejects(bug.changes.remove(bug.order), { name: 'TypeError' })
})

t.test('nothing is changed where the audit refuses it', async t => {
  const refuse = async (): Promise<never> => {
    throw new AppError('draining', 'It cannot be written down.')
  }
  const { changes, did, order } = start({}, { beforeSend: refuse })
  await t.rejects(changes.edit(order, {}), { code: 'draining' })
  await t.rejects(changes.remove(order), { code: 'draining' })
  t.same(did, ['read', 'read', 'keep mark'])
})

t.test('without an audit file nothing is waited for', async t => {
  const { changes, did, order } = start({}, {}, false)
  await changes.edit(order, {})
  t.same(await changes.remove(order), LEFT)
  t.same(did, ['read', 'edit', 'read', 'keep mark', 'remove', 'keep id'])
})
