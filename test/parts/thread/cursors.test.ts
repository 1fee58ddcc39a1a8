import fc from 'fast-check'
import t from 'tap'
import type { AppError } from '../../../src/errors.ts'
import type { CometChatUid } from '../../../src/lib/service/cometchat-uid.ts'
import { createThreadCursors } from '../../../src/parts/thread/cursors.ts'
import type { ListingPlace } from '../../../src/upstream/listing/page.ts'
import { seedOf } from '../../helpers/seed.ts'

let nowMs = 1_700_000_000_000
const clock = { now: () => nowMs }
const cursors = createThreadCursors('a secret', clock)
const caller = { issuer: 'https://a.test', subject: 'alice', uid: 'alice' as CometChatUid }
const scope = { caller, parentId: '100' }
const place: ListingPlace = { direction: 'older', paging: 'page', id: '9007199254740993', sentAt: 17, position: 0 }

function verdict(cursor: string, in_ = scope, by = cursors): string {
  try {
    by.read(cursor, in_)
    return 'read'
  } catch (error) {
    return (error as AppError).code
  }
}

t.test('a place comes back as it was', async t => {
  for (const one of [
    place,
    { direction: 'newer', paging: 'cursor', id: '1' },
    { direction: 'older', paging: 'nothing' }
  ] as const) {
    t.same(cursors.read(cursors.write(one, scope), scope), one)
  }
  t.same(createThreadCursors('a secret', clock).read(cursors.write(place, scope), scope), place, 'another instance')
  t.match(cursors.write(place, scope), /^[\w-]{1,200}$/)
})

t.test('it is worth nothing to another user, in another thread, with another secret, or a day later', async t => {
  const cursor = cursors.write(place, scope)
  t.equal(verdict(cursor), 'read')
  for (const other of [
    { caller, parentId: '101' },
    { caller: { ...caller, subject: 'bob' }, parentId: '100' },
    { caller: { ...caller, issuer: 'https://b.test' }, parentId: '100' },
    { caller: { ...caller, uid: 'bob' as CometChatUid }, parentId: '100' }
  ]) {
    t.equal(verdict(cursor, other), 'invalid-request')
  }
  t.equal(verdict(cursor, scope, createThreadCursors('another', clock)), 'invalid-request')
  t.equal(verdict(createThreadCursors(undefined, clock).write(place, scope)), 'invalid-request')
  t.teardown(() => {
    nowMs -= 24 * 3_600_000
  })
  nowMs += 24 * 3_600_000
  t.equal(verdict(cursor), 'invalid-request')
})

t.test('a changed one is none, nor is any other text', async t => {
  const cursor = cursors.write(place, scope)
  const bytes = Buffer.from(cursor, 'base64url')
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.equal(verdict(changed.toString('base64url')), 'invalid-request')
  }
  for (const spelling of [`${cursor}=`, `${cursor} `, ` ${cursor}`, cursor.slice(0, -1)]) {
    t.equal(verdict(spelling), 'invalid-request')
  }
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), text => verdict(text) === 'invalid-request'),
    { seed: seedOf(t) }
  )
})
