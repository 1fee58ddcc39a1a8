// How a thread is searched: whatever CometChat pages by, and however the list changes between two reads.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { ThreadMemory } from '../../../src/upstream/thread/page.ts'
import { overlappingWindow } from '../../../src/upstream/thread/windows.ts'
import { seedOf } from '../../helpers/seed.ts'
import { type Entry, MAX_PAGE_BYTES, PagedThread, type Paging, SOUGHT, some } from './paged-thread.ts'

const NOW_S = 1_700_000_000
/** When the first attempt began, by CometChat's clock. */
const SINCE_S = NOW_S - 60
const SINCE = { sinceMs: SINCE_S * 1000 }
const MARGIN_S = 300

const WAYS: Readonly<Record<string, Paging>> = {
  'by page or cursor': {},
  'by page': { threadPaging: 'page' },
  'by cursor': { threadPaging: 'cursor' },
  'cursors that include their message': { threadCursor: 'inclusive' },
  'short pages': { threadPageMax: 20 },
  'short pages, by page': { threadPageMax: 20, threadPaging: 'page' },
  'newest first': { threadOrder: 'newest-first' },
  'newest first, by page': { threadOrder: 'newest-first', threadPaging: 'page' },
  'meta.next always': { threadNext: 'always' },
  'meta.next always, by cursor': { threadNext: 'always', threadPaging: 'cursor' },
  'meta.next always, cursors that include their message': { threadNext: 'always', threadCursor: 'inclusive' },
  'meta.next always, by page': { threadNext: 'always', threadPaging: 'page' },
  'meta.next never': { threadNext: 'never' },
  'meta.next never, by page': { threadNext: 'never', threadPaging: 'page' },
  'meta.next while there is more': { threadNext: 'while-more' }
}

/** Old messages, then some that are not older than the first attempt. */
function threadOf(old: number, young: number): Entry[] {
  return [
    ...some(old, NOW_S - 3600),
    ...some(young, NOW_S, 50_000).map((one, index) => ({ ...one, sentAt: SINCE_S + index }))
  ]
}

const sought: Entry = { id: '90000', sentAt: NOW_S, isSought: true }
const isFound = { kind: 'found', found: SOUGHT }

for (const [name, paging] of Object.entries(WAYS)) {
  t.test(`${name}: what is there is found, what is not is absent, at a bounded cost`, async t => {
    for (const [old, young] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [3, 0],
      [0, 3],
      [100, 0],
      [97, 3],
      [2100, 0],
      [2040, 60]
    ] as const) {
      const without = new PagedThread(threadOf(old, young), paging)
      t.equal(await without.search(SINCE), 'absent', `${old} and ${young}: absent in ${without.reads} reads`)
      const present = new PagedThread([...threadOf(old, young), sought], paging)
      t.same(await present.search(SINCE), isFound, `${old} and ${young}: found in ${present.reads} reads`)
    }
  })

  t.test(`${name}: what is on the first page costs one read`, async t => {
    const thread = new PagedThread([...threadOf(3, 0), sought], paging)
    t.same(await thread.search(SINCE), isFound)
    t.equal(thread.reads, 1)
  })

  t.test(`${name}: without a date of the first attempt a thread of 100 is read to its end`, async t => {
    t.equal(await new PagedThread(threadOf(100, 0), paging).search({ sinceMs: undefined }), 'absent')
    t.same(await new PagedThread([...threadOf(100, 0), sought], paging).search({ sinceMs: undefined }), isFound)
  })

  t.test(`${name}: a look that wants no proof finds, costs little, and never says absent`, async t => {
    const look = { ...SINCE, wantsProof: false, maxReads: 5 }
    for (const old of [0, 1, 3, 100]) {
      const without = new PagedThread(threadOf(old, 0), paging)
      t.equal(await without.search(look), 'unproven')
      t.same(await new PagedThread([...threadOf(old, 0), sought], paging).search({ ...look, maxReads: 9 }), isFound)
    }
  })
}

for (const threadNext of ['when-not-empty', 'always', 'while-more'] as const) {
  for (const threadPaging of ['page-and-cursor', 'cursor', 'page'] as const) {
    t.test(`${threadPaging}, ${threadNext}: a thread of messages that are not shown has an end by cursor`, async t => {
      for (const count of [1, 40, 60]) {
        // One page alone, without `next`, is the whole thread by page, too.
        const isWhole = threadNext === 'while-more' && count < 50
        const hidden = threadOf(count, 0).map(one => ({ ...one, isHidden: true }))
        for (const since of [SINCE, { sinceMs: undefined }]) {
          const thread = new PagedThread(hidden, { threadGaps: true, threadNext, threadPaging })
          const expected = threadPaging === 'page' && !isWhole ? 'unproven' : 'absent'
          t.equal(await thread.search(since), expected, `${count} in ${thread.reads} reads`)
          t.ok(thread.reads <= 12, `${thread.reads} reads`)
        }
      }
    })
  }
}

t.test('a CometChat that ignores cursors and pages proves nothing, and is not asked for ever', async t => {
  for (const count of [1, 3, 50, 70]) {
    const thread = new PagedThread(threadOf(count, 0), { threadPaging: 'ignored' })
    t.equal(await thread.search(SINCE), 'unproven')
    t.ok(thread.reads <= 6, `${thread.reads} reads`)
  }
  const newest = new PagedThread(threadOf(100, 3), { threadPaging: 'ignored', threadOrder: 'newest-first' })
  t.equal(await newest.search(SINCE), 'absent', 'but for one page from the newest message to an older one')
})

t.test('older is what CometChat dated five minutes before, and what has an id below that', async t => {
  const at = async (sentAt: number) =>
    new PagedThread(
      [...some(60, sentAt + 1)].map(one => ({ ...one, sentAt })),
      { threadPaging: 'ignored', threadOrder: 'newest-first' }
    ).search(SINCE)
  t.equal(await at(SINCE_S - MARGIN_S - 1), 'absent')
  t.equal(await at(SINCE_S - MARGIN_S + 1), 'unproven', 'within the margin')

  const thread = new PagedThread(threadOf(60, 0))
  for (const entry of thread.entries) entry.isRemoved = true
  t.equal(await thread.search(SINCE), 'unproven', 'a message without a time ends nothing')
})

t.test('a message that was removed or changed, and may be the sought one, makes the result unproven', async t => {
  for (const paging of Object.values(WAYS)) {
    for (const change of ['isRemoved', 'isSuspect'] as const) {
      const thread = (last: Entry) => new PagedThread([...threadOf(20, 0), last], paging)
      t.equal(await thread({ ...sought, [change]: true }).search(SINCE), 'unproven', `${change}, young`)
      const old = new PagedThread(threadOf(20, 0), paging)
      for (const entry of old.entries.slice(0, 19)) entry[change] = true
      t.equal(await old.search(SINCE), 'absent', `${change}, older by time or id`)
    }
  }
})

t.test('the next search begins where the last one proved that nothing can be added', async t => {
  const thread = new PagedThread(threadOf(2100, 0), { threadPaging: 'page' })
  let memory: ThreadMemory | undefined
  const remember = (one: ThreadMemory): void => {
    memory = one
  }
  t.equal(await thread.search({ ...SINCE, wantsProof: false, maxReads: 5, remember }), 'unproven')
  t.match(memory, { paging: 'page', offset: 2051 })
  thread.reads = 0
  t.equal(await thread.search({ ...SINCE, memory }), 'absent')
  t.ok(thread.reads <= 4, `${thread.reads} reads`)

  thread.entries.splice(5, 1)
  thread.entries.push(sought)
  t.same(await thread.search({ ...SINCE, memory }), isFound, 'also where the list has moved')
})

t.test('a thread too long for one search is read on by the next ones', async t => {
  for (const paging of [{}, { threadPaging: 'page' }] as const) {
    const thread = new PagedThread(threadOf(2100, 0), paging)
    let memory: ThreadMemory | undefined
    const remember = (one: ThreadMemory): void => {
      memory = one
    }
    const results: unknown[] = []
    for (let searches = 0; searches < 5; searches++) {
      results.push(await thread.search({ sinceMs: undefined, memory, remember }))
    }
    t.same([results[0], results.at(-1)], ['unproven', 'absent'])
    thread.entries.push(sought)
    t.same(await thread.search({ sinceMs: undefined, memory }), isFound)
  }
})

t.test('a suspect among what was read before is not forgotten', async t => {
  const thread = new PagedThread(threadOf(2100, 0))
  const tenth = thread.entries[10]
  if (tenth) tenth.isSuspect = true
  let memory: ThreadMemory | undefined
  const remember = (one: ThreadMemory): void => {
    memory = one
  }
  for (let searches = 0; searches < 5; searches++) {
    t.equal(await thread.search({ sinceMs: undefined, memory, remember }), 'unproven')
  }
})

t.test('pages that are too large shrink to 10 and to 1 and grow again', async t => {
  for (const paging of [{}, { threadPaging: 'page' }] as const) {
    const bytes = (one: Entry, index: number): Entry => (index < 5 || index > 8 ? one : { ...one, bytes: 400 })
    const thread = new PagedThread(threadOf(0, 200).map(bytes), paging)
    t.equal(await thread.search({ ...SINCE, maxReads: 60 }), 'absent')
    const sizes = thread.places.map(({ size }) => size)
    t.ok(paging.threadPaging !== 'page' || sizes.includes(1), `${sizes}`)
    t.ok(sizes.slice(-8).filter(size => size > 10).length > 3, `${sizes}`)
  }
})

t.test('a message that is too large by itself is skipped where its id is known, and is unproven else', async t => {
  const huge: Entry = { id: '60000', sentAt: NOW_S, bytes: MAX_PAGE_BYTES + 1 }
  for (const paging of [{}, { threadPaging: 'page' }] as const) {
    for (const [before, behind] of [
      [0, 5],
      [1, 5],
      [12, 5],
      [60, 5],
      [0, 0],
      [12, 0]
    ] as const) {
      for (const showsFirstId of [true, false]) {
        const later = some(behind, NOW_S, 70_000).map(one => ({ ...one, sentAt: NOW_S }))
        const thread = new PagedThread([...threadOf(before, 0), huge, ...later], paging)
        thread.showsFirstId = showsFirstId
        const result = await thread.search({ ...SINCE, maxReads: 60 })
        t.equal(result, showsFirstId ? 'absent' : 'unproven', `${before}, ${behind}, ${showsFirstId}: ${thread.reads}`)
      }
    }
  }
})

interface Change {
  readonly read: number
  readonly act: 'delete' | 'remove' | 'edit' | 'post' | 'hide' | 'show'
  readonly at: number
}

function post({ entries }: PagedThread, read: number, isSought = false): void {
  const newest = Math.max(90_999, ...entries.map(({ id }) => Number(id)))
  entries.push({ id: `${newest + 1}`, sentAt: NOW_S + read, isSought })
}

function carryOut(thread: PagedThread, { act, at, read }: Change): void {
  const { entries } = thread
  const entry = entries[at % Math.max(1, entries.length)]
  if (act === 'post') post(thread, read)
  else if (act === 'remove' && entry) entry.isRemoved = true
  else if (act === 'edit' && entry) entry.isSuspect = true
  // The sought message itself stays, and is shown.
  else if (!entry || entry.isSought) return
  else if (act === 'delete') entries.splice(entries.indexOf(entry), 1)
  else entry.isHidden = act === 'hide'
}

/** A thread in which something changes between two reads. */
function changingThread(entries: readonly Entry[], paging: Paging, changes: readonly Change[]): PagedThread {
  const thread = new PagedThread(entries, paging)
  thread.beforeRead = reads => {
    for (const change of changes) if (change.read === reads) carryOut(thread, change)
  }
  return thread
}

const mayKnowTime = (knowsTime: boolean) => ({ sinceMs: knowsTime ? SINCE_S * 1000 : undefined, maxReads: 200 })
const posted = (behind: number): Entry[] => some(behind, NOW_S, 90_100).map(one => ({ ...one, sentAt: NOW_S }))

const changes = fc.array(
  fc.record({
    read: fc.nat({ max: 12 }),
    act: fc.constantFrom<Change['act']>('delete', 'delete', 'remove', 'edit', 'post', 'hide', 'show'),
    at: fc.nat({ max: 160 })
  }),
  { maxLength: 8 }
)
const ways = fc.record({
  threadOrder: fc.constantFrom('oldest-first' as const, 'newest-first' as const),
  threadPaging: fc.constantFrom('page-and-cursor' as const, 'page' as const, 'cursor' as const, 'ignored' as const),
  threadCursor: fc.constantFrom('exclusive' as const, 'inclusive' as const),
  threadNext: fc.constantFrom('when-not-empty' as const, 'always' as const, 'while-more' as const, 'never' as const),
  threadPageMax: fc.constantFrom(null, 50, 20, 7, 1)
})

/** The sought message is there all the time in each of the scenarios, and mostly it is found. */
async function isNeverCalledAbsent<Scenario>(
  t: Test,
  scenarios: fc.Arbitrary<Scenario>,
  search: (scenario: Scenario) => ReturnType<PagedThread['search']>
): Promise<void> {
  const results = { found: 0, unproven: 0 }
  await fc.assert(
    fc.asyncProperty(scenarios, async scenario => {
      const result = await search(scenario)
      if (result === 'absent') throw new Error('it was there all the time')
      results[result === 'unproven' ? 'unproven' : 'found']++
    }),
    { seed: seedOf(t), numRuns: Number(process.env['SEARCH_RUNS'] ?? 3000) }
  )
  t.comment(JSON.stringify(results))
  t.ok(results.found > 2 * results.unproven, `it is found, too: ${JSON.stringify(results)}`)
}

t.test(
  'whatever changes between two reads, and whatever CometChat pages by, what stays is never called absent',
  async t => {
    const scenarios = fc.record({
      old: fc.nat({ max: 120 }),
      young: fc.nat({ max: 30 }),
      behind: fc.nat({ max: 60 }),
      paging: ways,
      large: fc.nat({ max: 3 }),
      knowsTime: fc.boolean(),
      knowsCount: fc.boolean(),
      changes
    })
    await isNeverCalledAbsent(t, scenarios, async scenario => {
      const { old, young, behind, paging, large, knowsTime, knowsCount, changes } = scenario
      const entries = [...threadOf(old, young), sought, ...posted(behind)].map(one => ({
        ...one,
        bytes: Number(one.id.at(-1)) < large ? 120 : 1
      }))
      const thread = changingThread(entries, paging, changes)
      if (!knowsCount) thread.replyCount = undefined
      return thread.search(mayKnowTime(knowsTime))
    })
  }
)

t.test(
  'what is behind messages that are not shown is never called absent, as long as meta.next says that there is more',
  async t => {
    // One that goes by nothing, and whose messages are hidden between two reads, cannot be told from one at its end.
    const tellable = ways.filter(({ threadNext, threadPaging }) => threadNext !== 'never' && threadPaging !== 'ignored')
    const scenarios = fc.record({
      count: fc.nat({ max: 120 }),
      behind: fc.nat({ max: 60 }),
      hiddenFrom: fc.nat({ max: 180 }),
      hidden: fc.nat({ max: 180 }),
      paging: tellable,
      knowsTime: fc.boolean(),
      changes
    })
    await isNeverCalledAbsent(
      t,
      scenarios,
      async ({ count, behind, hiddenFrom, hidden, paging, knowsTime, changes }) => {
        const entries = [...threadOf(count, 0), sought, ...posted(behind)].map((one, index) => ({
          ...one,
          isHidden: !one.isSought && index >= hiddenFrom && index < hiddenFrom + hidden
        }))
        const thread = changingThread(entries, { ...paging, threadGaps: true }, changes)
        return thread.search(mayKnowTime(knowsTime))
      }
    )
  }
)

t.test(
  'what is posted while the thread is read is not called absent: that is true of the moment of the last read',
  async t => {
    const scenarios = fc.record({
      old: fc.nat({ max: 120 }),
      young: fc.nat({ max: 30 }),
      paging: ways,
      large: fc.nat({ max: 3 }),
      knowsTime: fc.boolean(),
      postedAt: fc.nat({ max: 12 }),
      changes
    })
    const results = { found: 0, absent: 0, unproven: 0 }
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ old, young, paging, large, knowsTime, postedAt, changes }) => {
        const entries = threadOf(old, young).map(one => ({ ...one, bytes: Number(one.id.at(-1)) < large ? 120 : 1 }))
        const thread = changingThread(entries, paging, changes)
        const { beforeRead } = thread
        thread.beforeRead = reads => {
          beforeRead(reads)
          if (reads === postedAt) post(thread, reads, true)
        }
        const result = await thread.search(mayKnowTime(knowsTime))
        if (result === 'absent' && thread.reads > postedAt) throw new Error('it was posted meanwhile')
        results[typeof result === 'string' ? result : 'found']++
      }),
      { seed: seedOf(t), numRuns: Number(process.env['SEARCH_RUNS'] ?? 3000) }
    )
    t.comment(JSON.stringify(results))
    t.ok(Math.min(results.found, results.absent) > results.unproven / 4, `all are met: ${JSON.stringify(results)}`)
  }
)

t.test('what is posted before any read of a search is not called absent', async t => {
  const ways = Object.entries(WAYS).flatMap(([name, paging]) => {
    // One that goes by cursors alone is not remembered as one that goes by pages.
    const memories = paging.threadPaging === 'cursor' ? [undefined] : [undefined, { paging: 'page' as const }]
    return memories.map(memory => ({ name: `${name}${memory ? ', as is known' : ''}`, paging, memory }))
  })
  for (const { name, paging, memory } of ways) {
    for (const count of [0, 1, 49, 50, 51, 100]) {
      const search = async (postedAt: number) => {
        const thread = new PagedThread(threadOf(count, 0), paging)
        thread.beforeRead = reads => {
          if (reads === postedAt) post(thread, reads, true)
        }
        const result = await thread.search({ sinceMs: undefined, maxReads: 200, ...(memory && { memory }) })
        return { result, reads: thread.reads }
      }
      const { result, reads } = await search(Number.POSITIVE_INFINITY)
      t.equal(result, 'absent', `${name}, ${count}: absent in ${reads} reads`)
      for (let read = 0; read < reads; read++) {
        const { result } = await search(read)
        if (result === 'absent') t.fail(`${name}, ${count}: posted before read ${read}`)
      }
    }
  }
})

t.test(
  'what stands behind a page of messages that are not shown is found, wherever meta.next says that there is more',
  async t => {
    for (const [name, paging] of Object.entries(WAYS)) {
      if (paging.threadNext === 'never') continue
      const hidden = threadOf(60, 0).map(one => ({ ...one, isHidden: true }))
      const thread = new PagedThread([...hidden, sought], { ...paging, threadGaps: true })
      const result = await thread.search({ sinceMs: undefined })
      // An empty page does not tell that it is shorter than was asked for: what is behind the next one is not looked at.
      if (name === 'short pages, by page') t.equal(result, 'unproven', name)
      else t.same(result, isFound, `${name}: found in ${thread.reads} reads`)
    }
  }
)

t.test('a page that was empty, and names a further place when it is read again, is no end', async t => {
  const thread = new PagedThread([], { threadPaging: 'page', threadGaps: true })
  thread.beforeRead = reads => {
    if (reads !== 1) return
    thread.entries.push(...threadOf(60, 0).map(one => ({ ...one, isHidden: true })), sought)
  }
  t.equal(await thread.search({ sinceMs: undefined, memory: { paging: 'page' } }), 'unproven')
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
