// Each way of paging a thread, walked from end to end.
import t, { type Test } from 'tap'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import type { Switches } from '../../emulator/switches.ts'
import { call, reply, startEmulator, verdict } from './start-emulator.ts'

const IDS = ['101', '102', '103', '104', '105', '106', '107']
const NEWEST = [...IDS].reverse()
const MOST_READS = 12

/** A thread of seven replies, one a second. */
async function startThread(t: Test, switches: Partial<Switches> = {}) {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { now: () => nowMs, switches })
  for (const _ of IDS) {
    await reply(emulator)
    nowMs += 1000
  }
  return emulator
}

interface ListAnswer {
  readonly ids: readonly string[]
  readonly next: Record<string, unknown> | undefined
  readonly meta: Record<string, unknown>
}

async function list(emulator: CometChatEmulator, query: Record<string, unknown>): Promise<ListAnswer> {
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])
  )
  const { json } = await call(emulator, `/messages/100/thread?${search}`, { as: 'alice' })
  const ids = (json.data as unknown as { id: string }[]).map(({ id }) => id)
  return { ids, next: json.meta['next'] as ListAnswer['next'], meta: json.meta }
}

/** Reads page by page until one is empty, or the same as the one before. */
async function walkByPage(emulator: CometChatEmulator, perPage = 3): Promise<string[][]> {
  const pages: string[][] = []
  for (let page = 1; page <= MOST_READS; page += 1) {
    const { ids } = await list(emulator, { perPage, page })
    if (ids.length === 0 || String(ids) === String(pages.at(-1))) break
    pages.push([...ids])
  }
  return pages
}

/** Follows `next` until there is none, or a page without replies. */
async function walkByNext(emulator: CometChatEmulator, first: Record<string, unknown>): Promise<string[][]> {
  const pages: string[][] = []
  let next: ListAnswer['next'] = {}
  while (next !== undefined && pages.length < MOST_READS) {
    const answer: ListAnswer = await list(emulator, { ...first, ...next })
    if (answer.ids.length === 0) break
    pages.push([...answer.ids])
    ;({ next } = answer)
  }
  return pages
}

const inThrees = (ids: readonly string[]) => [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]

for (const [title, switches, expected] of [
  ['oldest first', {}, inThrees(IDS)],
  ['newest first', { threadOrder: 'newest-first' }, inThrees(NEWEST)],
  ['pages alone', { threadPaging: 'page' }, inThrees(IDS)],
  ['the page ignored', { threadPaging: 'ignored' }, [IDS.slice(0, 3)]],
  ['the page ignored, newest first', { threadPaging: 'ignored', threadOrder: 'newest-first' }, [NEWEST.slice(0, 3)]],
  ['the page unknown to a list by cursor', { threadPaging: 'cursor' }, [IDS.slice(0, 3)]],
  ['short pages', { threadPageMax: 2 }, [IDS.slice(0, 2), IDS.slice(2, 4), IDS.slice(4, 6), IDS.slice(6)]]
] as const satisfies readonly [string, Partial<Switches>, readonly (readonly string[])[]][]) {
  t.test(`by page: ${title}`, async t => {
    t.strictSame(await walkByPage(await startThread(t, switches)), expected)
  })
}

for (const threadPaging of ['page-and-cursor', 'cursor'] as const) {
  for (const [title, switches, first, expected] of [
    ['oldest first', {}, { per_page: 3 }, inThrees(IDS)],
    ['newest first', { threadOrder: 'newest-first' }, { per_page: 3, affix: 'prepend' }, inThrees(NEWEST)],
    ['from the oldest on', {}, { per_page: 3, affix: 'append' }, inThrees(IDS)],
    ['from the newest back', {}, { perPage: 3, affix: 'prepend' }, [IDS.slice(4), IDS.slice(1, 4), IDS.slice(0, 1)]],
    ['short pages', { threadPageMax: 4 }, { limit: 7 }, [IDS.slice(0, 4), IDS.slice(4)]],
    ['told where it ends', { threadNext: 'while-more' }, { per_page: 3 }, inThrees(IDS)]
  ] as const satisfies readonly [
    string,
    Partial<Switches>,
    Record<string, unknown>,
    readonly (readonly string[])[]
  ][]) {
    t.test(`by cursor (${threadPaging}): ${title}`, async t => {
      const emulator = await startThread(t, { ...switches, threadPaging })

      t.strictSame(await walkByNext(emulator, first), expected)
    })
  }
}

t.test('an inclusive cursor repeats the reply that it names', async t => {
  const emulator = await startThread(t, { threadCursor: 'inclusive' })

  const first = await list(emulator, { per_page: 3 })
  const second = await list(emulator, { per_page: 3, ...first.next })

  t.strictSame([first.ids, second.ids], [IDS.slice(0, 3), IDS.slice(2, 5)])
})

t.test('a list that knows pages alone repeats itself to who follows the cursor', async t => {
  const emulator = await startThread(t, { threadPaging: 'page' })

  const first = await list(emulator, { perPage: 3 })
  const second = await list(emulator, { perPage: 3, ...first.next })

  t.strictSame(second.ids, first.ids)
})

for (const [title, query, expected] of [
  ['a second, towards newer ones', { sentAt: 1003, affix: 'append' }, IDS.slice(4)],
  ['a second, towards older ones', { sentAt: 1003, affix: 'prepend' }, IDS.slice(0, 3)],
  ['a second between two', { sentAt: 999, affix: 'append' }, IDS],
  ['an id', { id: 104, affix: 'append' }, IDS.slice(4)],
  ['a second and an id', { sentAt: 1003, id: 104, affix: 'prepend' }, IDS.slice(0, 3)]
] as const) {
  t.test(`a list is jumped into at ${title}`, async t => {
    t.strictSame((await list(await startThread(t), query)).ids, expected)
  })
}

t.test('within one second the id decides', async t => {
  const emulator = await startEmulator(t, { now: () => 1_000_000 })
  for (let i = 0; i < 3; i += 1) await reply(emulator)

  t.strictSame((await list(emulator, { sentAt: 1000, id: 101, affix: 'append' })).ids, ['102', '103'])
  t.strictSame((await list(emulator, { sentAt: 1000, affix: 'append' })).ids, [])
  emulator.switches.threadCursor = 'inclusive'
  t.strictSame((await list(emulator, { sentAt: 1000, affix: 'append' })).ids, ['101', '102', '103'])
})

for (const [threadNext, onFullPage, onLastPage, onEmptyPage] of [
  ['always', true, true, true],
  ['when-not-empty', true, true, false],
  ['while-more', true, false, false],
  ['never', false, false, false]
] as const) {
  t.test(`meta.next ${threadNext}`, async t => {
    const emulator = await startThread(t, { threadNext })
    const hasNext = async (page: number) => (await list(emulator, { perPage: 3, page })).next !== undefined

    t.strictSame([await hasNext(1), await hasNext(3), await hasNext(4)], [onFullPage, onLastPage, onEmptyPage])
    const beyond = await list(emulator, { per_page: 3, affix: 'append', sentAt: 1006, id: 107 })
    t.strictSame(beyond.ids, [])
    t.strictSame(beyond.next, onEmptyPage ? { affix: 'append', sentAt: 1006, id: '107' } : undefined)
  })
}

t.test('the cursor can stand in meta.cursor, where the SDK reads it', async t => {
  const emulator = await startThread(t, { threadMeta: 'cursor' })
  const cursor = { affix: 'append', sentAt: 1006, id: '107' }

  t.strictSame((await list(emulator, {})).meta, { current: { limit: 100, count: 7 }, cursor })
  emulator.switches.threadMeta = 'both'
  t.match((await list(emulator, {})).meta, { next: cursor, cursor })
})

t.test('hidden replies can leave gaps: a page is short, or empty, before the end', async t => {
  const emulator = await startThread(t, { threadGaps: true })
  for (const id of ['101', '104', '105', '106']) emulator.deleteMessage(id)
  const pages = []
  for (let page = 1; page <= 3; page += 1) {
    pages.push((await list(emulator, { perPage: 3, page, hideDeleted: true })).ids)
  }

  t.strictSame(pages, [['102', '103'], [], ['107']])
  const empty = await list(emulator, { perPage: 3, page: 2, hideDeleted: true })
  t.strictSame(empty.next, { affix: 'append', sentAt: 1005, id: '106' }, 'the cursor goes on all the same')
  emulator.switches.threadGaps = false
  t.strictSame((await list(emulator, { perPage: 3, page: 1, hideDeleted: true })).ids, ['102', '103', '107'])
})

for (const query of ['affix=before', 'id=x', 'sentAt=yesterday', 'per_page=0', 'limit=1001']) {
  t.test(`a list with ${query} is refused`, async t => {
    const emulator = await startEmulator(t)
    const more = query.startsWith('affix') ? '' : '&affix=append'

    t.equal(verdict(await call(emulator, `/messages/100/thread?${query}${more}`)), '400 ERR_BAD_REQUEST')
  })
}

t.test('a reply that is posted late has its place by when it was posted', async t => {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { now: () => nowMs })
  emulator.failNext({ kind: 'late-commit', afterMs: 5000, ending: 'close' })
  await t.rejects(reply(emulator))
  nowMs += 1000
  await reply(emulator)
  nowMs += 9000

  t.strictSame((await list(emulator, {})).ids, ['102', '101'])
})
