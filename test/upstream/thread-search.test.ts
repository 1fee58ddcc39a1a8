// How a thread is searched: pages by number of a list that changes between two reads.
import fc from 'fast-check'
import t from 'tap'
import {
  overlappingWindow,
  searchThread,
  type ThreadPage,
  type ThreadWindow
} from '../../src/upstream/thread-search.ts'
import { seedOf } from '../helpers/seed.ts'

const SOUGHT = 'sought'
const SIZES = [50, 10, 1] as const
const MAX_PAGE_BYTES = 1000

interface FakeThread {
  readonly reads: ThreadWindow[]
  readonly readPage: (window: ThreadWindow) => Promise<ThreadPage<string>>
}

interface FakeThreadOptions {
  /** Told before each read; may change the list. */
  readonly beforeRead?: (reads: number) => void
  readonly maxPerPage?: number
  readonly bytesOf?: (id: string) => number
  readonly showsFirstId?: boolean
}

/** A thread as CometChat pages it; a page longer than the bound is too large. */
function fakeThread(ids: readonly string[], options: FakeThreadOptions = {}): FakeThread {
  const { beforeRead, maxPerPage = Number.POSITIVE_INFINITY, bytesOf = () => 1, showsFirstId = true } = options
  const reads: ThreadWindow[] = []
  return {
    reads,
    async readPage(window) {
      beforeRead?.(reads.length)
      reads.push(window)
      const size = Math.min(window.size, maxPerPage)
      const page = ids.slice((window.page - 1) * size, window.page * size)
      const bytes = page.reduce((sum, id) => sum + bytesOf(id), 0)
      const [firstId] = page
      if (bytes > MAX_PAGE_BYTES) return { kind: 'too-large', ...(showsFirstId && firstId && { firstId }) }
      return page.includes(SOUGHT) ? { kind: 'found', found: SOUGHT } : { kind: 'messages', ids: page, bytes }
    }
  }
}

function search({ readPage }: FakeThread, maxReads = 51) {
  return searchThread({ readPage, sizes: SIZES, maxPageBytes: MAX_PAGE_BYTES, maxReads })
}

interface Change {
  readonly read: number
  readonly deletes: readonly number[]
  readonly posts: number
}

/** Others delete and post. */
function applyTo(ids: string[], { read, deletes, posts }: Change, newestFirst: boolean): void {
  for (const at of deletes) if (ids[at] !== undefined && ids[at] !== SOUGHT) ids.splice(at, 1)
  for (const id of some(posts, `new-${read}-${ids.length}-`)) {
    if (newestFirst) ids.unshift(id)
    else ids.push(id)
  }
}

const some = (count: number, name = 'm'): string[] => Array.from({ length: count }, (_, index) => `${name}${index}`)

t.test('a message that is there is found, and one that is not is absent, at a cost that is known', async t => {
  const cases: [others: number, readsToFind: number, readsToProve: number][] = [
    [0, 1, 1],
    [3, 1, 3],
    [50, 2, 4],
    [100, 3, 5],
    [2000, 49, 51]
  ]
  for (const [others, readsToFind, readsToProve] of cases) {
    const present = fakeThread([...some(others), SOUGHT])
    const absent = fakeThread(some(others))
    t.equal((await search(present)) !== 'absent' && present.reads.length, readsToFind, `${others}: found`)
    t.same([await search(absent), absent.reads.length], ['absent', readsToProve], `${others}: absent`)
  }
  t.equal(await search(fakeThread(some(2100))), 'unproven', 'beyond the bound')
})

t.test('a message that slips to a page that was read is never called absent', async t => {
  const ids = [...some(50), SOUGHT, ...some(60, 'later')]
  const thread = fakeThread(ids, { beforeRead: reads => void (reads === 1 && ids.splice(0, 1)) })

  t.same(await search(thread), { kind: 'found', found: SOUGHT })
})

t.test('more messages that disappear than pages overlap make the search step back', async t => {
  for (const others of [60, 200]) {
    const ids = [...some(50), SOUGHT, ...some(others, 'later')]
    const beforeRead = (reads: number): void => void (reads === 1 && ids.splice(0, 20))
    t.same(await search(fakeThread(ids, { beforeRead })), { kind: 'found', found: SOUGHT })

    const without = some(others + 50)
    const proved = fakeThread(without, { beforeRead: reads => void (reads === 1 && without.splice(0, 20)) })
    t.equal(await search(proved), 'absent')
  }
})

t.test('a message behind the last page that moves while the end is proved is seen', async t => {
  for (const at of [1, 2]) {
    const ids = [...some(10), SOUGHT]
    // CometChat gives ten at most, so the first page is short and the sought message behind it.
    const thread = fakeThread(ids, { maxPerPage: 10, beforeRead: reads => void (reads === at && ids.splice(0, 1)) })
    t.same(await search(thread), { kind: 'found', found: SOUGHT }, `deleted before read ${at}`)
  }
})

t.test('whatever is deleted or posted between two reads, a message that stays is never called absent', async t => {
  const changes = fc.array(
    fc.record({
      read: fc.nat({ max: 12 }),
      deletes: fc.array(fc.nat({ max: 120 }), { maxLength: 4 }),
      posts: fc.nat({ max: 3 })
    }),
    { maxLength: 8 }
  )
  const scenarios = fc.record({
    before: fc.nat({ max: 120 }),
    behind: fc.nat({ max: 60 }),
    newestFirst: fc.boolean(),
    maxPerPage: fc.constantFrom(Number.POSITIVE_INFINITY, 50, 20, 7, 1),
    large: fc.nat({ max: 3 }),
    changes
  })
  const results = { found: 0, unproven: 0 }
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ before, behind, newestFirst, maxPerPage, large, changes }) => {
      const ids = [...some(before), SOUGHT, ...some(behind, 'later')]
      const beforeRead = (reads: number): void => {
        for (const change of changes) if (change.read === reads) applyTo(ids, change, newestFirst)
      }
      const bytesOf = (id: string): number => (Number(id.at(-1)) < large ? 120 : 1)
      const result = await search(fakeThread(ids, { beforeRead, maxPerPage, bytesOf }), 200)
      if (result === 'absent') throw new Error('it was there all the time')
      results[result === 'unproven' ? 'unproven' : 'found']++
    }),
    { seed: seedOf(t), numRuns: 3000 }
  )
  t.comment(JSON.stringify(results))
  t.ok(results.found > 20 * results.unproven, `it is found, too: ${JSON.stringify(results)}`)
})

t.test('in a thread that does not change absence is proved, however CometChat cuts its pages', async t => {
  const scenarios = fc.record({
    count: fc.nat({ max: 130 }),
    maxPerPage: fc.constantFrom(Number.POSITIVE_INFINITY, 50, 30, 7),
    large: fc.nat({ max: 4 })
  })
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ count, maxPerPage, large }) => {
      const bytesOf = (id: string): number => (Number(id.at(-1)) < large ? 90 : 1)
      const result = await search(fakeThread(some(count), { maxPerPage, bytesOf }), 300)
      if (result !== 'absent') throw new Error(String(result))
    }),
    { seed: seedOf(t), numRuns: 500 }
  )
})

t.test('pages that are too large shrink to 10 and to 1 and grow again', async t => {
  const ids = [...some(5), ...some(3, 'large'), ...some(200, 'small'), SOUGHT]
  const bytesOf = (id: string): number => (id.startsWith('large') ? 400 : 1)
  const thread = fakeThread(ids, { bytesOf })

  t.same(await search(thread), { kind: 'found', found: SOUGHT })
  const sizes = thread.reads.map(({ size }) => size)
  t.ok(sizes.includes(1) && sizes.slice(-3).every(size => size > 10), `${sizes}`)
})

t.test('a message that is too large by itself is skipped, and what is behind it is found or absent', async t => {
  const bytesOf = (id: string): number => (id === 'huge' ? MAX_PAGE_BYTES + 1 : 1)
  for (const before of [0, 1, 12, 60]) {
    for (const showsFirstId of [true, false]) {
      const options = { bytesOf, showsFirstId }
      const without = [...some(before), 'huge', ...some(5, 'later')]
      t.same(await search(fakeThread([...without, SOUGHT], options)), { kind: 'found', found: SOUGHT })
      t.equal(await search(fakeThread(without, options)), showsFirstId ? 'absent' : 'unproven', `${before} before`)
      t.equal(await search(fakeThread([...some(before), 'huge'], options)), showsFirstId ? 'absent' : 'unproven')
    }
  }
})

t.test('a CometChat that ignores the number of the page proves nothing, and is not asked for ever', async t => {
  for (const count of [3, 50, 70]) {
    const thread = fakeThread(some(count))
    const first = (window: ThreadWindow) => thread.readPage({ ...window, page: 1 })
    t.equal(await search({ ...thread, readPage: first }), 'unproven')
    t.ok(thread.reads.length <= 8, `${thread.reads.length} reads`)
  }
})

t.test('a CometChat that ignores the length of the page still shows what is there', async t => {
  const ids = [...some(250), SOUGHT]
  const readPage = async ({ page }: ThreadWindow): Promise<ThreadPage<string>> => {
    const shown = ids.slice((page - 1) * 100, page * 100)
    return shown.includes(SOUGHT) ? { kind: 'found', found: SOUGHT } : { kind: 'messages', ids: shown, bytes: 1 }
  }
  t.same(await search({ reads: [], readPage }), { kind: 'found', found: SOUGHT })
})

t.test('each page shows messages that are new, and one that is not', async t => {
  for (const size of [50, 10, 2]) {
    for (let covered = 1; covered < 2500; covered++) {
      const window = overlappingWindow(covered, size)
      const [start, end] = [(window.page - 1) * window.size, window.page * window.size]
      const isFine = window.size <= size && end > covered && (window.size === 1 ? start === covered : start < covered)
      if (!isFine) t.fail(`${covered} by ${size}: ${JSON.stringify(window)}`)
    }
  }
})
