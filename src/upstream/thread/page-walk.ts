import { idsOf, isSamePage, type MessagesPage, orderOf, type ThreadPage, type ThreadWindow } from './page.ts'
import type { PageSizes } from './page-sizes.ts'
import { SearchEnded, type ThreadReader, type ThreadSearchOptions } from './reader.ts'
import { endOf, overlappingWindow, pageAfter, startOf } from './windows.ts'

interface ReadPage {
  readonly window: ThreadWindow
  readonly page: MessagesPage
}

/**
 * Reads on, page by page, to the end of a thread.
 *
 * A list that is read by the numbers of its pages moves meanwhile: a message that is deleted from the first page pulls
 * the sought one from the third to the second, which was read before. So each page repeats the end of the one before:
 * two pages that share a message leave nothing out between them, whenever each was read. The end is proved by an empty
 * page, and by a last page that is still the same behind it.
 */
export class PageWalk<Found> {
  readonly #options: Pick<ThreadSearchOptions<Found>, 'wantsProof' | 'remember'>
  readonly #reader: ThreadReader<Found>
  readonly #sizes: PageSizes
  readonly #seen = new Set<string>()
  /** So many messages from the beginning of the list need not be read, or were read without a gap. */
  #covered = 0
  #last: ReadPage | undefined
  #steppedBack = false
  /** False once something could have slipped through; then pages are read for what they show only. */
  #isProof = true
  /** The first page as it was read first. */
  #beginning: ReadPage | undefined
  /** New messages come behind all others, as far as pages have shown. */
  #isOldestFirst = false

  constructor(
    options: Pick<ThreadSearchOptions<Found>, 'wantsProof' | 'remember'>,
    reader: ThreadReader<Found>,
    sizes: PageSizes
  ) {
    this.#options = options
    this.#reader = reader
    this.#sizes = sizes
  }

  /** Begins behind a message, which had so many up to it. */
  from(offset: number, id: string): this {
    this.#covered = offset
    this.#seen.add(id)
    this.#isOldestFirst = true
    return this
  }

  /** Begins with a page that was read, and before which nothing has to be looked for. */
  after({ window, page }: ReadPage): this {
    this.#keep({ window, page })
    return this
  }

  /** True where the end was reached and nothing slipped through. `capped` once CometChat gave less than it was asked for. */
  async run(): Promise<boolean | 'capped'> {
    for (;;) {
      const ending = await this.#step()
      if (ending !== undefined) return ending
    }
  }

  async #step(): Promise<boolean | 'capped' | undefined> {
    const window = this.#nextWindow()
    const page = await this.#reader.read(window)
    if (page.kind === 'refused') return false
    if (page.kind === 'too-large') {
      return this.#isProbe(window) ? this.#learnSizeLimit() : this.#shrinkOrSkip(window, page.firstId)
    }
    const [first] = page.messages
    if (!first) return this.#proveEnd(window, page)
    // A later page that begins as the thread does: CometChat does not go by its number.
    const isFirstAgain = window.page > 1 && window.size > 1 && first.id === this.#beginning?.page.messages[0]?.id
    if (isFirstAgain) return false
    // Nor by its length: what lies between such pages cannot be told.
    if (page.messages.length > window.size) this.#isProof = false
    return this.#isProbe(window) ? this.#learnSizeLimit() : this.#take({ window, page })
  }

  #nextWindow(): ThreadWindow {
    const last = this.#last
    const size = this.#sizes.current
    if (!this.#isProof) return { page: Math.floor(this.#covered / size) + 1, size }
    if (last && isShort(last)) return pageAfter(last.window)
    return overlappingWindow(this.#covered, size)
  }

  /** The page behind a short one tells whether the thread ends there, or CometChat gives less than it is asked for. */
  #isProbe(window: ThreadWindow): boolean {
    const last = this.#last
    return this.#isProof && last !== undefined && isShort(last) && startOf(window) === endOf(last.window)
  }

  #learnSizeLimit(): 'capped' | undefined {
    const last = this.#last
    if (!last) return undefined
    const { length } = last.page.messages
    this.#sizes.limit(length)
    this.#covered = startOf(last.window) + length
    this.#last = undefined
    return last.window.page === 1 ? 'capped' : undefined
  }

  async #take(read: ReadPage): Promise<undefined> {
    if (this.#isProof && !(await this.#joins(read))) {
      // More messages disappeared than the overlap allows for: once more from further back.
      this.#last = undefined
      if (!this.#steppedBack) this.#covered = Math.max(0, this.#covered - this.#sizes.current)
      else this.#isProof = false
      this.#steppedBack = !this.#steppedBack
      return
    }
    this.#steppedBack = false
    this.#keep(read)
  }

  #keep({ window, page }: ReadPage): void {
    for (const id of idsOf(page)) this.#seen.add(id)
    if (window.page === 1) this.#beginning ??= { window, page }
    this.#covered = endOf(window)
    this.#last = { window, page }
    this.#sizes.growAfter(window.size, page.bytes)
    const order = orderOf(page)
    const isNewestFirst = order === 'newest-first'
    if (order === 'oldest-first') this.#isOldestFirst = true
    // Reading stops at messages that are older; a short page may be the last, which would be a proof.
    if (isNewestFirst && !isShort({ window, page }) && this.#reader.first.isReachedBy(page))
      throw new SearchEnded('unproven')
    if (!isNewestFirst) this.#rememberUpTo({ window, page })
  }

  /**
   * Whether a page begins where nothing was left out: at the beginning of the thread, with a message seen before, or, in a
   * list that begins with the oldest, with one that is older than the first attempt.
   */
  async #joins({ window, page }: ReadPage): Promise<boolean> {
    const [first] = page.messages
    if (window.page === 1 || idsOf(page).some(id => this.#seen.has(id))) return true
    if (first && orderOf(page) === 'oldest-first' && this.#reader.first.isOlder(first)) return true
    if (window.size > 1) return false
    // A page of one message has no room for another: the one before it must still be in its place.
    const before = await this.#reader.read({ page: window.page - 1, size: 1 })
    return idsOfAny(before).some(id => this.#seen.has(id))
  }

  async #shrinkOrSkip(window: ThreadWindow, firstId: string | undefined): Promise<undefined> {
    if (this.#sizes.shrinkBelow(window.size)) return
    // Too large for any reply that this service writes. Without its id it cannot be told apart from its neighbours.
    if (firstId === undefined) this.#isProof = false
    const messages = firstId === undefined ? [] : [{ id: firstId }]
    await this.#take({ window, page: { kind: 'messages', messages, bytes: Number.POSITIVE_INFINITY } })
  }

  /** Behind the last page is an empty one: the end, if the last page did not move meanwhile. */
  async #proveEnd(window: ThreadWindow, empty: MessagesPage): Promise<boolean | undefined> {
    const last = this.#last
    if (!this.#isProof || !this.#options.wantsProof) return false
    // It may stand for messages that are not shown.
    if (empty.next) {
      this.#isProof = false
      this.#covered = endOf(window)
      return undefined
    }
    if (last === undefined) {
      // Nothing was read before it: once more from further ahead, or the thread is empty.
      if (window.page === 1) return true
      this.#covered = Math.floor(this.#covered / 2)
      return undefined
    }
    return this.#proveLast(window, last)
  }

  async #proveLast(window: ThreadWindow, last: ReadPage): Promise<boolean | undefined> {
    const again = await this.#reader.read(last.window)
    const isSame = again.kind === 'messages' ? isSamePage(again, last.page) : isSameLarge(again, last.page)
    // Behind a full page something may have come meanwhile.
    const isEnd =
      isSame && startOf(window) === endOf(last.window) && (isShort(last) || (await this.#reader.isEnd(window)))
    if (isEnd) return this.#isOldestFirst || last.window.page === 1 || this.#isStillBeginning()
    this.#covered = startOf(last.window)
    this.#last = undefined
    return undefined
  }

  /**
   * Where new messages may come before all others: whether none did but those that the first page shows now, read last of
   * all, so that the answer is true of this moment.
   */
  async #isStillBeginning(): Promise<boolean> {
    const { window, page } = this.#beginning ?? {}
    if (!window || !page) return false
    const again = await this.#reader.read(window)
    const known = idsOf(page)
    return idsOfAny(again).some(id => known.includes(id))
  }

  /** Only once the reply cannot be posted any more: until then a message may still be dated earlier than another. */
  #rememberUpTo({ window, page }: ReadPage): void {
    const last = page.messages.at(-1)
    if (!this.#options.wantsProof || !this.#isProof || !last || isShort({ window, page })) return
    const { hasSuspect } = this.#reader
    const memory = { paging: 'page', id: last.id, offset: endOf(window), ...(hasSuspect && { hasSuspect }) } as const
    this.#options.remember?.(memory)
  }
}

function idsOfAny(page: ThreadPage<never>): readonly string[] {
  if (page.kind === 'messages') return idsOf(page)
  return page.kind === 'too-large' && page.firstId !== undefined ? [page.firstId] : []
}

function isSameLarge(page: ThreadPage<never>, before: MessagesPage): boolean {
  return idsOfAny(page).join() === idsOf(before).join()
}

function isShort({ window, page }: ReadPage): boolean {
  return page.messages.length < window.size
}
