import type { ThreadCursor } from '../thread/page.ts'
import { CursorListing, LEAST_SIZE } from './by-cursor.ts'
import { type KnownPages, PageListing } from './by-page.ts'
import {
  compare,
  isNewestFirst,
  type ListedMessage,
  type ListedPage,
  type Listing,
  type ListingPlace,
  oldestFirst
} from './page.ts'
import { ListingReader, type ListingSource } from './reader.ts'
import { listWhole, placeAt, WHOLE_SIZE } from './whole.ts'

/** What a process has found out about its CometChat; nobody documents what its list of a thread goes by. */
export type KnownPaging =
  | { readonly paging: 'cursor' | 'nothing' }
  | { readonly paging: 'page'; readonly pages: KnownPages }

export interface ThreadListings {
  /**
   * One page of a thread, at a cost of three reads at the most; without a place the newest. A page may have fewer messages
   * than its limit, and none at all where the reads did not suffice: what it says to be `older` then goes on.
   * Undefined where the thread cannot be read: nothing of it is said not to exist.
   */
  list(source: ListingSource, limit: number, place?: ListingPlace): Promise<Listing | undefined>
}

/** So many messages do not disappear between two reads. */
const TELLING = 3
/** Where a page is too large the next one has so much fewer messages. */
const SHRINK = 8

type Messages = Extract<ListedPage, { readonly kind: 'messages' }>

export function createThreadListings(): ThreadListings {
  let known: KnownPaging | undefined

  async function list(source: ListingSource, limit: number, place?: ListingPlace): Promise<Listing | undefined> {
    const reader = new ListingReader(source)
    const start: ListingPlace | undefined = place ?? (known && { direction: 'older', paging: known.paging })
    if (!start) return new FirstListing(reader, limit, found => (known = found)).list()
    // What was found out since the place was written counts.
    if (start.paging === 'page' && known?.paging !== 'nothing') return byPage(reader, limit, start)
    if (start.paging === 'cursor') return byCursor(reader, limit, start)
    const listing = await listWhole(reader, limit, start)
    if (!listing) known = undefined
    return listing
  }

  async function byCursor(reader: ListingReader, limit: number, start: ListingPlace): Promise<Listing | undefined> {
    const listing = await new CursorListing(reader, limit, start).list()
    if (listing) return listing
    known = undefined
    // CometChat does not go by cursors after all: what it shows at once may have all that is asked for.
    return reader.left > 0 ? listWhole(reader, limit, start) : undefined
  }

  async function byPage(reader: ListingReader, limit: number, start: ListingPlace): Promise<Listing | undefined> {
    const pages = known?.paging === 'page' ? known.pages : await orderOf(reader)
    if (!pages || reader.left === 0) return undefined
    known = { paging: 'page', pages }
    const listing = await new PageListing(reader, limit, start, pages).list()
    if (listing !== 'nothing') return listing
    known = { paging: 'nothing' }
    const { position: _, ...edge } = start
    const place: ListingPlace = { ...edge, paging: 'nothing' }
    return reader.left > 0 ? listWhole(reader, limit, place) : { messages: [], [place.direction]: place }
  }

  return { list }
}

/** Of a process that has not seen a page yet, for a place that another one has written. */
async function orderOf(reader: ListingReader): Promise<KnownPages | undefined> {
  const page = await reader.read({ page: 1, size: 2 })
  return page.kind === 'messages' ? { isNewestFirst: isNewestFirst(page.messages), repeats: 0 } : undefined
}

/** The newest page, where it is not known yet what CometChat goes by. */
class FirstListing {
  readonly #reader: ListingReader
  readonly #limit: number
  readonly #learn: (known: KnownPaging) => void

  constructor(reader: ListingReader, limit: number, learn: (known: KnownPaging) => void) {
    this.#reader = reader
    this.#limit = limit
    this.#learn = learn
  }

  async list(): Promise<Listing | undefined> {
    let size = Math.max(LEAST_SIZE, this.#limit + 1)
    let first = await this.#reader.read({ page: 1, size, cursor: { affix: 'prepend' } })
    if (first.kind === 'too-large') {
      size = Math.ceil(size / SHRINK)
      first = await this.#reader.read({ page: 1, size, cursor: { affix: 'prepend' } })
    }
    if (first.kind === 'too-large') return undefined
    if (first.kind === 'messages') return this.#after(first, size)
    const page = await this.#reader.read({ page: 1, size })
    return page.kind === 'messages' ? this.#byNumber(page, size) : undefined
  }

  /** A CometChat that goes by pages shows the first one again, whatever cursor it is asked for. */
  async #after(first: Messages, size: number): Promise<Listing | undefined> {
    const [oldest] = oldestFirst(first.messages)
    if (!oldest) return first.next ? this.#behindHidden(first.next, size) : { messages: [] }
    const { id, sentAt } = oldest
    const cursor: ThreadCursor = { affix: 'prepend', id, ...(sentAt !== undefined && { sentAt }) }
    const behind = await this.#reader.read({ page: 1, size, cursor })
    if (behind.kind === 'too-large') return this.#inWhole()
    if (behind.kind === 'refused' || behind.messages.some(message => compare(message, oldest) > 0)) {
      return this.#byNumber(first, size)
    }
    // Of one or two messages that disappear meanwhile both would show as little.
    const hasOlder = behind.messages.some(message => message.id !== id)
    if (!hasOlder && first.messages.length < TELLING) return this.#inWhole()
    this.#learn({ paging: 'cursor' })
    const listing = new CursorListing(this.#reader, this.#limit, { direction: 'older', paging: 'cursor' })
    listing.take(first)
    listing.take(behind)
    return listing.result()
  }

  /** None are shown, and CometChat names where to go on: by a cursor it is another place. */
  async #behindHidden({ id, sentAt }: ThreadCursor, size: number): Promise<Listing | undefined> {
    const at = { ...(id !== undefined && { id }), ...(sentAt !== undefined && { sentAt }) }
    const page = await this.#reader.read({ page: 1, size, cursor: { affix: 'prepend', ...at } })
    if (page.kind !== 'messages') return this.#inWhole()
    const edge = { id: id ?? '', ...(sentAt !== undefined && { sentAt }) }
    const hasOlder = page.messages.length > 0 && page.messages.every(message => compare(message, edge) < 0)
    const isFurther =
      page.messages.length === 0 && page.next !== undefined && compare({ ...edge, ...page.next }, edge) < 0
    if (!hasOlder && !isFurther) return this.#inWhole()
    this.#learn({ paging: 'cursor' })
    const listing = new CursorListing(this.#reader, this.#limit, { direction: 'older', paging: 'cursor', ...at })
    listing.take(page)
    return listing.result()
  }

  async #byNumber(first: Messages, asked: number): Promise<Listing | undefined> {
    const pages: KnownPages = { isNewestFirst: isNewestFirst(first.messages), repeats: 0 }
    if (first.size < asked) pages.largest = first.size
    if (first.messages.length > 1) this.#learn({ paging: 'page', pages })
    if (pages.isNewestFirst) {
      const shown = first.messages.slice(0, this.#limit)
      const [newest, oldest] = [shown[0], shown.at(-1)]
      return {
        messages: shown.toReversed(),
        ...(oldest && { older: pagePlace('older', oldest, shown.length - 1) }),
        ...(newest && { newer: pagePlace('newer', newest, 0) })
      }
    }
    return this.#inWhole()
  }

  /** All of the thread, as far as CometChat gives it at once; where that is not all, it goes on from the end. */
  async #inWhole(): Promise<Listing | undefined> {
    const later: Listing = { messages: [], older: { direction: 'older', paging: 'page' } }
    if (this.#reader.left === 0) return later
    const page = await this.#reader.read({ page: 1, size: WHOLE_SIZE })
    if (page.kind === 'refused') return undefined
    // Messages that are not shown may make a full page look like one that is not.
    if (page.kind === 'too-large' || 2 * page.messages.length > page.size) return later
    const all = oldestFirst(page.messages)
    const shown = all.slice(-this.#limit)
    const [oldest, newest] = [shown[0], shown.at(-1)]
    return {
      messages: shown,
      ...(oldest && shown.length < all.length && { older: placeAt('older', oldest) }),
      ...(newest && { newer: placeAt('newer', newest) })
    }
  }
}

function pagePlace(
  direction: ListingPlace['direction'],
  { id, sentAt }: ListedMessage,
  position: number
): ListingPlace {
  return { direction, paging: 'page', id, position, ...(sentAt !== undefined && { sentAt }) }
}
