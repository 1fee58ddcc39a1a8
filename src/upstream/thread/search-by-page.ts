import { idsOf, type MessagesPage, orderOf, type ThreadMessage, type ThreadWindow } from './page.ts'
import type { PageSizes } from './page-sizes.ts'
import { PageWalk } from './page-walk.ts'
import type { ThreadReader, ThreadSearchOptions } from './reader.ts'

/** So many messages at once where one page shall reach from the newest to an older one; CometChat's lists end at 1,000. */
const LARGE_SIZES = [250, 1000] as const

interface NumberedPage {
  readonly window: ThreadWindow
  readonly page: MessagesPage
}

/** Searches a thread whose CometChat goes by the numbers of pages, or by nothing. */
export class PageSearch<Found> {
  readonly #options: ThreadSearchOptions<Found>
  readonly #reader: ThreadReader<Found>
  readonly #sizes: PageSizes

  constructor(options: ThreadSearchOptions<Found>, reader: ThreadReader<Found>, sizes: PageSizes) {
    this.#options = options
    this.#reader = reader
    this.#sizes = sizes
  }

  /** `first` is the first page, where it was read already; `wasEmpty` when a cursor found nothing. True: it is absent. */
  async run(first: MessagesPage | undefined, wasEmpty: boolean): Promise<boolean> {
    const { memory } = this.#options
    if (memory?.offset !== undefined && memory.id !== undefined) {
      return this.#toEnd(this.#walk().from(memory.offset, memory.id))
    }
    const window = { page: 1, size: this.#sizes.current }
    const page = first ?? (await this.#reader.read(window))
    // Page by page from the beginning, where pages of this size cannot be read.
    if (page.kind !== 'messages') return this.#toEnd(this.#walk())
    if (page.messages.length === 0) {
      // One that names a further place may stand for messages that are not shown.
      return page.next ? this.#toEnd(this.#walk()) : wasEmpty || this.#reader.isEnd(window)
    }
    const start = { window, page }
    if (orderOf(page) === 'newest-first') return this.#newestFirst(start)
    return this.#oldestFirst(start)
  }

  async #oldestFirst(start: NumberedPage): Promise<boolean> {
    const walk = this.#walk().after(await this.#lastOlder(start))
    const ending = await walk.run()
    if (ending !== 'capped') return ending
    // As many as CometChat gives are a full page.
    const full = { page: start.page, window: { page: 1, size: this.#sizes.current } }
    return this.#toEnd(this.#endsOlder(full) ? this.#walk().after(await this.#lastOlder(full)) : walk)
  }

  async #toEnd(walk: PageWalk<Found>): Promise<boolean> {
    for (;;) {
      const ending = await walk.run()
      if (ending !== 'capped') return ending
    }
  }

  #walk(): PageWalk<Found> {
    return new PageWalk(this.#options, this.#reader, this.#sizes)
  }

  /** A first page with the newest messages proves what it reaches. */
  async #newestFirst(start: NumberedPage): Promise<boolean> {
    const { first } = this.#reader
    if (first.isReachedBy(start.page)) return true
    const { length } = start.page.messages
    for (const size of LARGE_SIZES) {
      const isHelpful = this.#options.wantsProof && first.olderBefore !== undefined && length >= start.window.size
      if (!isHelpful || !this.#sizes.fits(size, length, start.page.bytes)) break
      const page = await this.#reader.read({ page: 1, size })
      if (page.kind !== 'messages' || page.messages.length <= length) break
      if (first.isReachedBy(page) && orderOf(page) === 'newest-first') return true
    }
    return this.#toEnd(this.#walk().after(start))
  }

  /** Of a list that begins with the oldest messages, the last page known to begin with one older than the first attempt. */
  async #lastOlder(start: NumberedPage): Promise<NumberedPage> {
    if (!this.#endsOlder(start)) return start
    const { size } = start.window
    const count = await this.#reader.readReplyCount()
    let [older, end] = [start, Number.POSITIVE_INFINITY]
    for (let guess = count === undefined ? 2 : Math.max(2, Math.ceil(count / size)); guess > older.window.page; ) {
      const page = await this.#reader.read({ page: guess, size })
      if (page.kind !== 'messages') break
      const [oldest] = page.messages
      // The first page again, or some of it: its number is not gone by, and the walk will say so.
      if (isOn(start.page, oldest)) return start
      if (oldest && this.#reader.first.isOlder(oldest)) older = { window: { page: guess, size }, page }
      else end = guess
      guess = this.#nextGuess(older, end, count !== undefined)
    }
    this.#remember(older)
    return older
  }

  /** Halfway between a page that is older and the end; 0 where the walk is as quick. */
  #nextGuess(older: NumberedPage, end: number, isCounted: boolean): number {
    if (Number.isFinite(end)) return Math.floor((older.window.page + end) / 2)
    return isCounted || !this.#endsOlder(older) ? 0 : older.window.page * 2
  }

  /** Whether a page is full, and so old that the sought message must be behind it. */
  #endsOlder({ window, page }: NumberedPage): boolean {
    const last = page.messages.at(-1)
    const isFull = page.messages.length === window.size && orderOf(page) === 'oldest-first'
    return isFull && last !== undefined && this.#reader.first.isOlder(last)
  }

  /** Nothing can be added before a message that is older than the first attempt. */
  #remember({ window, page }: NumberedPage): void {
    const [oldest] = page.messages
    if (window.page === 1 || !oldest) return
    this.#options.remember?.({ paging: 'page', id: oldest.id, offset: (window.page - 1) * window.size + 1 })
  }
}

function isOn(page: MessagesPage, message: ThreadMessage | undefined): boolean {
  return message !== undefined && idsOf(page).includes(message.id)
}
