// A thread of which CometChat shows one page, whatever it is asked for.
import t from 'tap'
import type { ListedMessage, Listing, ListingPlace } from '../../../src/upstream/listing/page.ts'
import { ListingReader } from '../../../src/upstream/listing/reader.ts'
import { listWhole } from '../../../src/upstream/listing/whole.ts'

const NEWEST: ListingPlace = { direction: 'older', paging: 'nothing' }
const message = (id: number): ListedMessage => ({ id: String(id), sentAt: id, shown: {} })
const at = (direction: 'older' | 'newer', id: number): ListingPlace => ({
  direction,
  paging: 'nothing',
  id: String(id),
  sentAt: id
})

/** Lists a page that shows these messages where CometChat's pages hold `size`. */
async function list(
  ids: readonly number[],
  size: number,
  place: ListingPlace,
  limit = 2
): Promise<Listing | undefined> {
  const readPage = async () => ({ kind: 'messages', messages: ids.map(message), size }) as const
  return listWhole(new ListingReader({ readPage, readReplyCount: async () => undefined }), limit, place)
}
const shown = (listing: Listing | undefined): string[] | undefined => listing?.messages.map(({ id }) => id)

t.test('a page that is not full is all of the thread', async t => {
  const first = await list([1, 2, 3], 9, NEWEST)
  t.same(shown(first), ['2', '3'])
  t.same(first?.older, at('older', 2))
  t.same(first?.newer, at('newer', 3))
  const last = await list([3, 2, 1], 9, at('older', 2))
  t.same(shown(last), ['1'], 'the newest may come first')
  t.equal(last?.older, undefined, 'there is the beginning')
  t.same(shown(await list([1, 2, 3], 9, at('newer', 1))), ['2', '3'])
  t.same(await list([], 9, NEWEST), { messages: [] })
})

t.test('a full page of the newest ends somewhere among the older ones', async t => {
  t.same(shown(await list([4, 3, 2], 3, NEWEST)), ['3', '4'])
  const reached = await list([4, 3, 2], 3, at('older', 3))
  t.same(shown(reached), ['2'])
  t.same(reached?.older, at('older', 2), 'not the beginning')
  t.equal(await list([4, 3, 2], 3, at('older', 2)), undefined, 'nothing there may still be something')
  t.equal(await list([4, 3, 2], 3, at('newer', 1)), undefined, 'between the edge and the page may be more')
  t.same(shown(await list([4, 3, 2], 3, at('newer', 2))), ['3', '4'], 'the edge itself is in the page')
  t.same(
    (await list([4, 3, 2], 3, at('newer', 4)))?.newer,
    at('newer', 4),
    'nothing is newer, and newer ones will be there'
  )
})

t.test('a full page of the oldest ends somewhere among the newer ones', async t => {
  t.equal(await list([2, 3, 4], 3, NEWEST), undefined, 'it does not show the newest end')
  t.equal(await list([2, 3, 4], 3, at('older', 5)), undefined, 'between the page and the edge may be more')
  const reached = await list([2, 3, 4], 3, at('older', 4))
  t.same(shown(reached), ['2', '3'])
  t.equal(reached?.older, undefined, 'there is the beginning')
  t.same(shown(await list([2, 3, 4], 3, at('newer', 2))), ['3', '4'])
  t.equal(await list([2, 3, 4], 3, at('newer', 4)), undefined)
})
