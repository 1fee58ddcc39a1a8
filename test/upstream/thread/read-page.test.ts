// What a page says of where its thread goes on. The recorded answers have `meta.next`, CometChat's SDK reads `meta.cursor`
// and ends where there is none; what an empty page has is not documented.
import t from 'tap'
import type { CometChatUid } from '../../../src/lib/service/cometchat-uid.ts'
import { readThreadPage } from '../../../src/upstream/thread/read-page.ts'

function nextOfEmptyPage(meta: unknown): unknown {
  const page = readThreadPage(Buffer.from(JSON.stringify({ data: [], meta })), {
    parentId: '1',
    uid: 'ann' as CometChatUid,
    marker: 'AAAAAAAAAAAAAAAAAAAAAA'
  })
  return page?.kind === 'messages' ? page.next : page
}

t.test('a page that names no place ends the thread', async t => {
  const next = (value: unknown) => ({ next: value })
  const none: readonly unknown[] = [
    undefined,
    null,
    {},
    { current: { limit: 100, count: 0 } },
    next(null),
    next({}),
    next({ affix: 'append' }),
    next({ affix: 'append', sentAt: 0, id: '0' }),
    next({ affix: 'append', sentAt: '0', id: 0 }),
    next({ affix: 'append', sentAt: null, id: null }),
    { cursor: { affix: 'append', sentAt: 0, id: 0 } }
  ]
  for (const meta of none) t.equal(nextOfEmptyPage(meta), undefined, JSON.stringify(meta))
})

t.test('a page that names one does not', async t => {
  const place = { affix: 'append', sentAt: 1638423490, id: '3' }
  t.same(nextOfEmptyPage({ next: place }), place, 'as recorded')
  t.same(nextOfEmptyPage({ cursor: place }), place, 'as the SDK reads it')
  t.same(nextOfEmptyPage({ cursor: { sentAt: 1638423490, id: 3 } }), place, 'the SDK reads one without affix, too')
  t.same(nextOfEmptyPage({ next: { ...place, affix: 'prepend' } }), { ...place, affix: 'prepend' })
  t.same(nextOfEmptyPage({ next: { affix: 'append', id: '3' } }), { affix: 'append', id: '3' })
  t.same(nextOfEmptyPage({ next: { affix: 'append', sentAt: 7 } }), { affix: 'append', sentAt: 7 })
})

t.test('what is no message counts as one of its own, which may be the lost reply', async t => {
  const body = Buffer.from(JSON.stringify({ data: [null, 'text', 7] }))
  const page = readThreadPage(body, { parentId: '1', uid: 'ann' as CometChatUid, marker: 'AAAAAAAAAAAAAAAAAAAAAA' })

  t.match(page, { kind: 'messages', messages: [{ isSuspect: true }, { isSuspect: true }, { isSuspect: true }] })
  t.equal(page?.kind === 'messages' && new Set(page.messages.map(({ id }) => id)).size, 3)
})
