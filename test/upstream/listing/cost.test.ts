// What a page of a still thread costs in reads, as docs/thread.md has it.
import t from 'tap'
import type { ListingPlace } from '../../../src/upstream/listing/page.ts'
import { MAX_LISTING_READS } from '../../../src/upstream/listing/reader.ts'
import { LivelyThread, type Paging } from './lively-thread.ts'

const WAYS: readonly (readonly [Paging, newest: number])[] = [
  [{ threadPaging: 'page-and-cursor', threadOrder: 'oldest-first' }, 1],
  [{ threadPaging: 'cursor', threadOrder: 'newest-first' }, 1],
  [{ threadPaging: 'page', threadOrder: 'newest-first' }, 1],
  [{ threadPaging: 'page', threadOrder: 'oldest-first' }, 2],
  [{ threadPaging: 'ignored', threadOrder: 'newest-first' }, 1]
]

/** The reads of each page, from the newest to the beginning. */
async function readBack(thread: LivelyThread): Promise<readonly number[]> {
  const reads: number[] = []
  for (let place: ListingPlace | undefined, isFirst = true; isFirst || place; isFirst = false) {
    const listing = await thread.list(30, place)
    reads.push(thread.reads)
    place = listing?.older
  }
  return reads
}

t.test('the newest page, and the others up to the one that ends at the beginning', async t => {
  for (const [paging, newest] of WAYS) {
    const thread = new LivelyThread(250, paging)
    const what = JSON.stringify(paging)
    const first = await readBack(thread)
    t.ok(Math.max(...first) <= MAX_LISTING_READS, `${what}: ${first} while this process finds out`)
    const [atNewest, ...others] = await readBack(thread)
    const last = others.pop() ?? 0
    t.same([atNewest, ...others], [newest, ...others.map(() => 1)], what)
    t.ok(last <= MAX_LISTING_READS, `${what}: ${last} at the beginning`)
  }
})
