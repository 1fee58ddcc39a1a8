import { type CursorPage, CursorReader, cursorBehind } from './cursor-reader.ts'
import {
  compareAge,
  isSamePage,
  type MessagesPage,
  newestOf,
  orderOf,
  type ThreadCursor,
  type ThreadMessage
} from './page.ts'
import { PageSizes } from './page-sizes.ts'
import { SearchEnded, ThreadReader, type ThreadSearchOptions, type ThreadSearchResult } from './reader.ts'
import { PageSearch } from './search-by-page.ts'

/** What lies behind the newest message of a page, or that CometChat does not go by the cursor that asked so. */
type Behind = 'nothing' | 'something' | 'ignored'

interface WalkedPages {
  readonly first: CursorPage
  readonly last: ThreadCursor
}

/** A thread that changes at its beginning is read once more; one that goes on changing proves nothing. */
const MAX_WALKS = 2

/**
 * Searches a thread for a message until it is found, or shown to be absent.
 *
 * What CometChat goes by is not documented, so it is found out: the newest end is asked for by a cursor, which a
 * CometChat that goes by pages takes for its first page. Absence is said only of
 * - one page that reaches from the newest message to one that is older than the first attempt to send the sought one, or
 * - a thread that was read to its end, from its beginning or from where it is older, and a page that was read before is
 *   still the same.
 * Where reading only stops, at a page that comes again or at messages that are older, the result is `unproven`.
 */
export async function searchThread<Found>(options: ThreadSearchOptions<Found>): Promise<ThreadSearchResult<Found>> {
  try {
    return await new ThreadSearch(options).run()
  } catch (thrown) {
    if (thrown instanceof SearchEnded) return thrown.result as ThreadSearchResult<Found>
    throw thrown
  }
}

class ThreadSearch<Found> {
  readonly #options: ThreadSearchOptions<Found>
  readonly #reader: ThreadReader<Found>
  readonly #sizes: PageSizes
  readonly #cursors: CursorReader<Found>
  /** The first page of the list, where it came although another one was asked for. */
  #repeated: MessagesPage | undefined

  constructor(options: ThreadSearchOptions<Found>) {
    this.#options = options
    this.#reader = new ThreadReader(options)
    this.#sizes = new PageSizes(options.sizes, options.maxPageBytes)
    this.#cursors = new CursorReader(this.#reader, this.#sizes)
  }

  async run(): Promise<'absent' | 'unproven'> {
    const isAbsent = await this.#isAbsent()
    return isAbsent && this.#options.wantsProof && !this.#reader.hasSuspect ? 'absent' : 'unproven'
  }

  async #isAbsent(): Promise<boolean> {
    const { memory, wantsProof } = this.#options
    if (memory?.paging === 'page') return this.#byPage(undefined)
    const newest = await this.#cursors.readAt({ affix: 'prepend' })
    if (!newest) return this.#byPage(undefined)
    if (newest.messages.length === 0) return this.#behindHidden(newest)
    const reachesOlder = this.#reader.first.isReachedBy(newest)
    if (reachesOlder && orderOf(newest) === 'newest-first') return true
    // The reply would be here, if it were anywhere by now.
    if (reachesOlder && !wantsProof && memory?.paging === 'cursor') return false
    const behind = await this.#behind(newest)
    if (behind === 'ignored') return this.#byPage(this.#repeated)
    this.#options.remember?.({ ...memory, paging: 'cursor' })
    if (behind === 'nothing' && (reachesOlder || (await this.#isWhole(newest)))) return true
    return this.#walkFromOlder(newest.messages)
  }

  /** The page at the newest end is empty: the thread is, or, where it names a further place, messages there are not shown. */
  async #behindHidden({ next }: CursorPage): Promise<boolean> {
    const isAbsent = next !== undefined && this.#options.wantsProof && (await this.#walkFromOlder([]))
    return isAbsent || this.#byPage(undefined, next === undefined)
  }

  /**
   * Whether a page that ends with the newest message is the whole thread: then its beginning is the same page. Last of all
   * the end once more, where CometChat may give less than it is asked for.
   */
  async #isWhole(newest: CursorPage): Promise<boolean> {
    if (!this.#options.wantsProof || newest.messages.length >= newest.size) return false
    const beginning = await this.#cursors.readAt({ affix: 'append' })
    return beginning !== undefined && isSamePage(beginning, newest) && (await this.#behind(newest)) === 'nothing'
  }

  #byPage(first: MessagesPage | undefined, wasEmpty = false): Promise<boolean> {
    return new PageSearch(this.#options, this.#reader, this.#sizes).run(first, wasEmpty)
  }

  async #behind(page: MessagesPage): Promise<Behind> {
    const newest = newestOf(page)
    const behind = newest && (await this.#cursors.goOn(cursorBehind(newest)))
    if (!newest || !behind) return 'ignored'
    if (behind.isEnd) return 'nothing'
    if (isSamePage(behind.page, page) && behind.page.size === this.#sizes.largest) this.#repeated = page
    const others = behind.page.messages.filter(({ id }) => id !== newest.id)
    if (others.length === 0) return this.#behindOnly(newest)
    return others.every(other => compareAge(other, newest) > 0) ? 'something' : 'ignored'
  }

  /** In a thread that may have only this message: whether CometChat goes by a cursor at all. */
  async #behindOnly({ id, sentAt }: ThreadMessage): Promise<Behind> {
    const later = sentAt === undefined ? undefined : await this.#cursors.goOn({ affix: 'append', sentAt: sentAt + 1 })
    if (!later || later.page.messages.some(message => message.id === id)) return 'ignored'
    return later.isEnd ? 'nothing' : 'something'
  }

  /** Jumps to where the thread is older than the first attempt, or was read before, and reads on to its end. */
  async #walkFromOlder(newest: readonly ThreadMessage[]): Promise<boolean> {
    const { memory } = this.#options
    const { olderBefore } = this.#reader.first
    const remembered = memory?.id !== undefined && cursorBehind({ ...memory, id: memory.id })
    const jump: ThreadCursor =
      olderBefore === undefined ? { affix: 'append' } : { affix: 'append', sentAt: olderBefore - 1 }
    for (let walks = 0; walks < MAX_WALKS; walks++) {
      const walk = await this.#walk(remembered || jump, newest)
      if (walk !== 'moved') return walk === 'stays' && this.#options.wantsProof
    }
    return false
  }

  async #walk(start: ThreadCursor, newest: readonly ThreadMessage[]): Promise<'stays' | 'moved' | 'unclear'> {
    const seen = new Set<string>()
    const read = await this.#readToEnd(start, seen)
    if (!read || !this.#options.wantsProof) return 'unclear'
    const { first, last } = read
    // What the newest page has shown must have been met, or the cursor led past it.
    const startsAt = start.sentAt ?? 0
    const isMet = ({ id, sentAt = -1 }: ThreadMessage): boolean => seen.has(id) || sentAt < startsAt
    if (start.id === undefined && !newest.every(isMet)) return 'moved'
    const again = await this.#cursors.readAt(start, first.size)
    if (!again || !isSamePage(again, first)) return 'moved'
    // Last of all the end, so that the answer is true of this moment.
    const end = await this.#cursors.goOn(last)
    return end?.isEnd ? 'stays' : 'moved'
  }

  /** Returns the first page and the last place; undefined where the end cannot be reached by cursors. */
  async #readToEnd(start: ThreadCursor, seen: Set<string>): Promise<WalkedPages | undefined> {
    let first: CursorPage | undefined
    for (let cursor = start; ; ) {
      const step = await this.#cursors.goOn(cursor)
      if (!step) return undefined
      if (step.isEnd) return { first: first ?? step.page, last: cursor }
      first ??= step.page
      const last = this.#lastNew(step.page, cursor, seen)
      if (!last) return undefined
      this.#rememberUpTo(last)
      cursor = step.page.next?.affix === 'append' ? step.page.next : cursorBehind(last)
    }
  }

  /** The message behind which to go on; undefined where CometChat goes by neither the cursor's time nor its id. */
  #lastNew(page: MessagesPage, cursor: ThreadCursor, seen: Set<string>): ThreadMessage | undefined {
    const fresh = page.messages.filter(({ id }) => !seen.has(id))
    for (const { id } of fresh) seen.add(id)
    return isBefore(page, cursor) ? undefined : newestOf({ messages: fresh })
  }

  /** Only once the reply cannot be posted any more: until then a new message may still be dated earlier than another. */
  #rememberUpTo({ id, sentAt }: ThreadMessage): void {
    if (!this.#options.wantsProof) return
    const { hasSuspect } = this.#reader
    this.#options.remember?.({
      paging: 'cursor',
      id,
      ...(sentAt !== undefined && { sentAt }),
      ...(hasSuspect && { hasSuspect })
    })
  }
}

/** Whether a page shows a message from before the time of the cursor behind which it was asked for. */
function isBefore({ messages }: MessagesPage, cursor: ThreadCursor): boolean {
  return messages.some(({ sentAt }) => sentAt !== undefined && cursor.sentAt !== undefined && sentAt < cursor.sentAt)
}
