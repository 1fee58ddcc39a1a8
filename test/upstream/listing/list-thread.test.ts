// A thread is paged through without a gap or a repeat, whatever CometChat pages by, while replies come and go.
import t, { type Test } from 'tap'
import { createRandom } from '../../../emulator/random.ts'
import type { Listing, ListingPlace } from '../../../src/upstream/listing/page.ts'
import { MAX_LISTING_READS } from '../../../src/upstream/listing/reader.ts'
import { seedOf } from '../../helpers/seed.ts'
import { LivelyThread, type Paging } from './lively-thread.ts'

type Random = () => number

const ORDERS = ['oldest-first', 'newest-first'] as const
const PAGINGS = ['page-and-cursor', 'page', 'cursor', 'ignored'] as const
const CURSORS = ['exclusive', 'inclusive'] as const
const NEXTS = ['when-not-empty', 'always', 'while-more', 'never'] as const

const below = (random: Random, count: number): number => Math.floor(random() * count)
const oneOf = <T>(random: Random, all: readonly T[]): T => all[below(random, all.length)] as T

/** Replies come, disappear, are hidden, or leave a tombstone; seldom many at once. */
function liven(thread: LivelyThread, random: Random): void {
  const { entries } = thread
  const index = below(random, entries.length)
  const entry = entries[index]
  const deeds = [
    () => repeat(1 + below(random, 4), () => thread.post()),
    () => repeat(1 + below(random, 3), () => thread.remove(index)),
    () => entry && Object.assign(entry, { isRemoved: true }),
    () => entry && Object.assign(entry, { isHidden: true }),
    () => random() < 0.1 && repeat(60, () => (random() < 0.5 ? thread.post() : thread.remove(index)))
  ]
  deeds[below(random, 2 * deeds.length)]?.()
}

function repeat(times: number, deed: () => void): void {
  for (let left = times; left > 0; left--) deed()
}

interface Reading {
  readonly shown: string[]
  readonly first: Listing
}

const MAX_PAGES = 3000

/** All pages to the beginning of the thread, from the newest or from a place; the ids in the order of the thread. */
async function readBack(
  t: Test,
  thread: LivelyThread,
  limit: number,
  from?: ListingPlace
): Promise<Reading | undefined> {
  const shown: string[] = []
  let first: Listing | undefined
  for (let place = from, pages = 0; pages < MAX_PAGES; pages++) {
    const listing = await readPage(t, thread, limit, place)
    if (!listing) return undefined
    first ??= listing
    shown.unshift(...listing.messages.map(({ id }) => id))
    place = listing.older
    if (!place) return { shown, first }
  }
  return undefined
}

/** All pages that follow a place, until so many in a row are without messages. */
async function readOn(
  t: Test,
  thread: LivelyThread,
  limit: number,
  from: ListingPlace,
  patience: number
): Promise<string[] | undefined> {
  const shown: string[] = []
  let place = from
  for (let empty = 0; empty < patience; ) {
    const listing = await readPage(t, thread, limit, place)
    if (!listing?.newer) return undefined
    shown.push(...listing.messages.map(({ id }) => id))
    empty = listing.messages.length > 0 ? 0 : empty + 1
    place = listing.newer
  }
  return shown
}

async function readPage(
  t: Test,
  thread: LivelyThread,
  limit: number,
  place?: ListingPlace
): Promise<Listing | undefined> {
  const listing = await thread.list(limit, place)
  if (thread.reads > MAX_LISTING_READS) t.fail(`a page took ${thread.reads} reads`)
  if (listing && listing.messages.length > limit) t.fail(`a page of ${limit} has ${listing.messages.length}`)
  return listing
}

/** Undefined where it is whole; else what is wrong with it. */
function wrongWith(shown: readonly string[], mustHave: readonly string[]): string | undefined {
  if (new Set(shown).size < shown.length) return 'a reply is repeated'
  if (shown.some((id, index) => index > 0 && Number(id) < Number(shown[index - 1]))) return 'the order is another'
  const missed = mustHave.filter(id => !shown.includes(id))
  return missed.length > 0 ? `missed: ${missed.slice(0, 5).join(', ')} of ${missed.length}` : undefined
}

async function isWhole(
  t: Test,
  paging: Paging,
  count: number,
  limit: number,
  seed: number
): Promise<string | undefined> {
  const random = createRandom(seed)
  const thread = new LivelyThread(count, paging)
  const before = thread.ids
  thread.beforeRead = () => liven(thread, random)
  const backwards = await readBack(t, thread, limit)
  thread.beforeRead = () => undefined
  if (!backwards) return 'unreadable'
  const left = new Set(thread.ids)
  const wrong = wrongWith(
    backwards.shown,
    before.filter(id => left.has(id))
  )
  if (wrong) return wrong
  const last = Number(backwards.first.messages.at(-1)?.id ?? 0)
  if (!backwards.first.newer) return backwards.first.messages.length === 0 ? undefined : 'no place for newer ones'
  // Where CometChat gives little at once, more may have come than three reads can show.
  const patience = 1 + Math.ceil(thread.entries.length / (paging.threadPageMax ?? Number.POSITIVE_INFINITY))
  const onwards = await readOn(t, thread, limit, backwards.first.newer, patience)
  if (!onwards) return 'unreadable onwards'
  return wrongWith(
    onwards,
    thread.ids.filter(id => Number(id) > last)
  )
}

t.test('1,000 replies, in every way of paging', async t => {
  const seed = seedOf(t)
  for (const threadOrder of ORDERS) {
    for (const threadPaging of PAGINGS) {
      // Where one page is shown whatever is asked for, there is nothing behind it.
      const count = threadPaging === 'ignored' ? 800 : 1000
      const wrong = await isWhole(t, { threadOrder, threadPaging }, count, 100, seed)
      t.equal(wrong, undefined, `${threadOrder}, ${threadPaging}`)
    }
  }
})

t.test('whatever else CometChat does', async t => {
  const seed = seedOf(t)
  const random = createRandom(seed)
  for (let index = 0; index < Number(process.env['CASES'] ?? 120); index++) {
    const threadPaging = oneOf(random, PAGINGS)
    const paging: Paging = {
      threadOrder: oneOf(random, ORDERS),
      threadPaging,
      threadCursor: oneOf(random, CURSORS),
      threadNext: oneOf(random, NEXTS),
      threadGaps: random() < 0.4,
      threadPageMax: threadPaging !== 'ignored' && random() < 0.3 ? oneOf(random, [10, 20, 50]) : null
    }
    const count = oneOf(random, [0, 1, 2, 10, 29, 30, 31, 100, 250])
    const limit = oneOf(random, [1, 5, 30, 100])
    const wrong = await isWhole(t, paging, limit === 1 ? Math.min(count, 31) : count, limit, seed + index)
    t.equal(wrong, undefined, `${index}: ${JSON.stringify(paging)}, ${count} replies by ${limit}`)
  }
})

t.test('what was taken for a cursor and is none leaves a page all the same', async t => {
  // The only reply disappears between two reads of a process that knows nothing yet.
  const paging: Paging = { threadPaging: 'page', threadOrder: 'oldest-first', threadNext: 'when-not-empty' }
  t.equal(await isWhole(t, paging, 1, 100, 20_264_040), undefined)
})

t.test('the beginning is reached where nothing was pulled over it while it was looked at', async t => {
  const thread = new LivelyThread(11, {
    threadPaging: 'page',
    threadOrder: 'newest-first',
    threadPageMax: 10,
    threadGaps: true
  })
  const [oldest] = thread.ids
  Object.assign(thread.entries[4] ?? {}, { isHidden: true })
  const { older } = (await thread.list(1)) ?? {}
  let isMoved = false
  // A second read only asks whether there is anything behind the first, and a third whether that was true.
  thread.beforeRead = () => {
    if (thread.reads === 1 && !isMoved) repeat(3, () => thread.remove(5))
    if (thread.reads === 2 && !isMoved) repeat(3, () => thread.post())
    isMoved ||= thread.reads === 2
  }
  const backwards = await readBack(t, thread, 1, older)
  t.equal(backwards?.shown[0], oldest)
})

t.test('a page of newer replies is empty where none came, also where many before it are not shown', async t => {
  for (const limit of [1, 5, 30]) {
    const thread = new LivelyThread(31, {
      threadPaging: 'page',
      threadOrder: 'newest-first',
      threadPageMax: 50,
      threadGaps: true
    })
    // It shows how much CometChat gives at once.
    await thread.list(100)
    const first = await thread.list(limit)
    for (const index of [2, 9, 15, 16, 20]) Object.assign(thread.entries[index] ?? {}, { isHidden: true })
    repeat(20, () => thread.post())
    t.same(first?.newer && (await readOn(t, thread, limit, first.newer, 1)), thread.ids.slice(-20), `by ${limit}`)
  }
})
