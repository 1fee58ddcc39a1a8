// A sender reads, edits and deletes their own reply: what counts as theirs, what is sent, and what an answer proves.
import t from 'tap'
import { createOwnReplies, type ReplyChange } from '../../src/upstream/own-replies.ts'
import type { ExchangeResult } from '../../src/upstream/transport/exchange-types.ts'
import { ALICE, answer, failure, refusal, scripted } from './scripted-cometchat.ts'

const PLACE = { parentId: '100', replyId: '7', uid: ALICE }
const DEADLINE = { atMs: 10_000 }
const MARKED = { bffDelivery: 'mark' }
const REPLY = { id: '7', parentId: '100', sender: 'alice', category: 'message', data: { text: 'hi', metadata: MARKED } }

function calls(...script: [ExchangeResult, ...ExchangeResult[]]) {
  const world = scripted(...script)
  const replies = createOwnReplies(world.options)
  const reply = { message: REPLY, marker: 'mark', isDeleted: false }
  return {
    ...world,
    read: () => replies.read(PLACE, DEADLINE),
    edit: (change: ReplyChange, message: Record<string, unknown> = REPLY) =>
      replies.edit(PLACE, { ...reply, message }, change, DEADLINE),
    remove: () => replies.remove(PLACE, reply, DEADLINE)
  }
}

const message = (members: object) => answer({ data: { ...REPLY, ...members } })

t.test('a reply of this user in this thread is read with its mark, whatever its id is written as', async t => {
  for (const id of ['7', 7]) {
    const found = await calls(message({ id })).read()
    t.match(found, { marker: 'mark', isDeleted: false, message: { data: { text: 'hi' } } })
  }
  t.match(await calls(message({ data: { text: 'hi', metadata: { bffDelivery: 5 } } })).read(), { marker: undefined })
})

t.test('what is left of a deleted reply is theirs where they deleted it, also without its thread', async t => {
  const left = { deletedAt: 5, deletedBy: 'alice' }
  t.match(await calls(message(left)).read(), { isDeleted: true })
  t.match(await calls(message({ ...left, parentId: undefined, sender: 'app_system' })).read(), { isDeleted: true })
  const foreign = [
    { ...left, parentId: undefined, deletedBy: 'bob' },
    { ...left, parentId: '200' },
    { parentId: undefined, deletedBy: 0 }
  ]
  for (const members of foreign) {
    await t.rejects(calls(message(members)).read(), { code: 'thread-not-found' }, JSON.stringify(members))
  }
})

t.test('another thread, an action and what is not there are one answer; another sender is told', async t => {
  const results = [
    message({ parentId: '200' }),
    message({ category: 'action' }),
    refusal('ERR_MESSAGE_ID_NOT_FOUND', 404)
  ]
  for (const result of results)
    await t.rejects(calls(result).read(), { code: 'thread-not-found', delivery: 'not-sent' })
  await t.rejects(calls(message({ sender: 'bob' })).read(), { code: 'not-yours', delivery: 'not-sent' })
})

t.test('an answer about another message is a mismatch, and one that is none cannot be read', async t => {
  const stray = calls(message({ id: '8' }))
  await t.rejects(stray.read(), { code: 'upstream-mismatch', delivery: 'not-sent' })
  t.equal(stray.resets(), 1)
  for (const result of [answer('oops'), answer({ data: {} }), answer({ data: [] }), answer({})]) {
    await t.rejects(calls(result).read(), { code: 'upstream-invalid', delivery: 'not-sent' })
  }
  await t.rejects(
    calls(answer({ data: REPLY }, 202)).read(),
    { name: 'AppError', delivery: 'not-sent' },
    'no answer to a read'
  )
})

t.test('an edit sends what stays and what is new, without what CometChat writes itself', async t => {
  const { edit, requests } = calls(answer({ data: REPLY }))
  const stored = {
    ...REPLY,
    data: { text: 'hi', url: 'https://cdn.test', entities: {}, metadata: { ...MARKED, mine: 1, '@injected': {} } }
  }
  const shown = await edit({ data: { text: 'new', metadata: { mine: 2 } }, tags: ['a'] }, stored)

  t.match(requests, [{ method: 'PUT', path: '/v3/messages/7' }])
  t.same(JSON.parse(requests[0]?.body ?? ''), {
    data: { text: 'new', metadata: { bffDelivery: 'mark', mine: 2 } },
    tags: ['a']
  })
  t.equal(JSON.stringify(shown).includes('bffDelivery'), false, 'the mark is for nobody')
})

t.test('an edit of a message without metadata adds none', async t => {
  const { edit, requests } = calls(answer({ data: REPLY }))
  await edit({ data: { text: 'new' } }, { ...REPLY, data: { text: 'hi' } })
  t.same(JSON.parse(requests[0]?.body ?? ''), { data: { text: 'new' } })
})

t.test('a change is shown by the message, or by the action that is about it', async t => {
  const action = { category: 'action', data: { entities: { on: { entity: { ...REPLY, data: { text: 'new' } } } } } }
  t.match(await calls(answer({ data: action })).edit({ data: { text: 'new' } }), { id: '7', data: { text: 'new' } })
  t.match(
    await calls(answer({ data: { id: 7 } })).edit({ data: { text: 'new' } }),
    { id: 7 },
    'sender and thread are told or not'
  )
})

t.test('an answer to a change that proves nothing leaves it unknown', async t => {
  const change = { data: { text: 'new' } }
  const unreadable = [
    answer('oops'),
    answer({ data: {} }),
    answer({ error: { code: 'x' }, data: REPLY }),
    answer({ data: { category: 'action', data: {} } })
  ]
  for (const result of unreadable) {
    await t.rejects(calls(result).edit(change), { code: 'upstream-invalid', delivery: 'unknown' })
  }
  for (const members of [{ id: '8' }, { parentId: '200' }, { sender: 'bob' }]) {
    const world = calls(message(members))
    await t.rejects(world.edit(change), { code: 'upstream-mismatch', delivery: 'unknown' }, JSON.stringify(members))
    t.equal(world.resets(), 1)
  }
  await t.rejects(calls(answer({ data: REPLY }, 302)).edit(change), { name: 'AppError', delivery: 'unknown' })
  await t.rejects(calls(failure('deadline', true)).edit(change), { name: 'AppError', delivery: 'unknown' })
})

t.test('a change is refused in the words of a change', async t => {
  await t.rejects(calls(refusal('ERR_MESSAGE_NOT_A_SENDER', 403)).edit({}), { code: 'not-yours' })
  await t.rejects(calls(refusal('ERR_MESSAGE_ID_NOT_FOUND', 404)).edit({}), { code: 'thread-not-found' })
})

t.test('a deleted reply keeps no content, and one that is gone meanwhile was deleted', async t => {
  const { remove, requests } = calls(answer({ data: { ...REPLY, deletedAt: 5, deletedBy: 'alice' } }))
  const left = await remove()
  t.match(requests, [{ method: 'DELETE', path: '/v3/messages/7' }])
  t.match(left, { id: '7', deletedAt: 5, deletedBy: 'alice' })
  t.notOk('data' in left)

  const gone = await calls(refusal('ERR_MESSAGE_ID_NOT_FOUND', 404)).remove()
  t.match(gone, { id: '7', parentId: '100', deletedBy: 'alice' })
  t.notOk('data' in gone)
  await t.rejects(calls(refusal('ERR_MESSAGE_NOT_A_SENDER', 403)).remove(), { code: 'not-yours' })
})

t.test('what was lost on its way is made once more: it comes to the same', async t => {
  const lost = failure('reset', true)
  const read = calls(lost, message({}))
  t.match(await read.read(), { marker: 'mark' })
  t.equal(read.requests.length, 2)
  t.match(await calls(lost, message({})).edit({ data: { text: 'hi' } }), { id: '7' })
  t.match(await calls(lost, message({ deletedAt: 5 })).remove(), { deletedAt: 5 })
})
