/** A page of a thread: pages of one size are counted from 1, in an order that never changes. */
export interface ThreadWindow {
  readonly page: number
  readonly size: number
}

export type ThreadPage<Found> =
  | { readonly kind: 'found'; readonly found: Found }
  | { readonly kind: 'messages'; readonly ids: readonly string[]; readonly bytes: number }
  /** Too long to be read; `firstId` is of its first message, where the beginning that was read shows it. */
  | { readonly kind: 'too-large'; readonly firstId?: string }

export interface ThreadSearchOptions<Found> {
  readonly readPage: (window: ThreadWindow) => Promise<ThreadPage<Found>>
  /** Messages a page, largest first; the last is 1. A smaller one is used where pages are too large. */
  readonly sizes: readonly [number, ...number[]]
  /** The longest page that can be read. */
  readonly maxPageBytes: number
  /** After so many pages the search ends without a proof. */
  readonly maxReads: number
}

/** `unproven` when the message was not seen, but could have slipped through. */
export type ThreadSearchResult<Found> = { readonly kind: 'found'; readonly found: Found } | 'absent' | 'unproven'

/** How many messages of the pages before a page shows again; one that disappears between two reads moves it by one. */
const OVERLAP = 2

/**
 * Reads a thread page by page until a message is found, or shown to be absent.
 *
 * A list that is read by the numbers of its pages moves meanwhile: a message that is deleted from the first page pulls
 * the sought one from the third to the second, which was read before. So each page repeats the end of the one before:
 * two pages that share a message leave nothing out between them, whenever each was read. The end is proved by an empty
 * page, and by a last page that is still the same behind it.
 */
export function searchThread<Found>(options: ThreadSearchOptions<Found>): Promise<ThreadSearchResult<Found>> {
  return new ThreadSearch(options).run()
}

interface ReadPage {
  readonly window: ThreadWindow
  readonly ids: readonly string[]
}

class ThreadSearch<Found> {
  readonly #options: ThreadSearchOptions<Found>
  readonly #seen = new Set<string>()
  /** So many messages from the beginning of the list were read without a gap. */
  #covered = 0
  #last: ReadPage | undefined
  #sizeIndex = 0
  /** CometChat gives no more than this at once; learned from pages that were shorter than asked for. */
  #sizeLimit = Number.POSITIVE_INFINITY
  #steppedBack = false
  /** False once something could have slipped through; then pages are read for what they show only. */
  #isProof = true
  #reads = 0
  #firstId: string | undefined
  #found: (ThreadPage<Found> & { kind: 'found' }) | undefined

  constructor(options: ThreadSearchOptions<Found>) {
    this.#options = options
  }

  async run(): Promise<ThreadSearchResult<Found>> {
    let result: ThreadSearchResult<Found> | undefined
    while (!result && this.#reads < this.#options.maxReads) result = (await this.#step()) ?? this.#found
    return result ?? 'unproven'
  }

  async #step(): Promise<'absent' | 'unproven' | undefined> {
    const window = this.#nextWindow()
    const page = await this.#read(window)
    if (page.kind === 'found') return undefined
    if (page.kind === 'messages' && page.ids.length === 0) return this.#proveEnd(window)
    if (page.kind === 'too-large') {
      return this.#isProbe(window) ? this.#learnSizeLimit() : this.#shrinkOrSkip(window, page.firstId)
    }
    // A later page that begins as the thread does: CometChat does not go by its number.
    if (window.page === 1) this.#firstId ??= page.ids[0]
    else if (window.size > 1 && page.ids[0] === this.#firstId) return 'unproven'
    // Nor by its length: what lies between such pages cannot be told.
    if (page.ids.length > window.size) this.#isProof = false
    return this.#isProbe(window) ? this.#learnSizeLimit() : this.#take({ window, ids: page.ids }, page.bytes)
  }

  async #read(window: ThreadWindow): Promise<ThreadPage<Found>> {
    this.#reads++
    const page = await this.#options.readPage(window)
    if (page.kind === 'found') this.#found = page
    return page
  }

  get #size(): number {
    return Math.min(this.#options.sizes[this.#sizeIndex] ?? 1, this.#sizeLimit)
  }

  #nextWindow(): ThreadWindow {
    const last = this.#last
    if (!this.#isProof) return { page: Math.floor(this.#covered / this.#size) + 1, size: this.#size }
    if (last && isShort(last)) return pageAfter(last.window)
    return overlappingWindow(this.#covered, this.#size)
  }

  /** The page behind a short one tells whether the thread ends there, or CometChat gives less than it is asked for. */
  #isProbe(window: ThreadWindow): boolean {
    const last = this.#last
    return this.#isProof && last !== undefined && isShort(last) && startOf(window) === endOf(last.window)
  }

  #learnSizeLimit(): undefined {
    const last = this.#last
    if (!last) return
    this.#sizeLimit = last.ids.length
    this.#covered = startOf(last.window) + last.ids.length
    this.#last = undefined
  }

  async #take(page: ReadPage, bytes: number): Promise<undefined> {
    const { window, ids } = page
    if (this.#isProof && !(await this.#joins(page))) {
      // More messages disappeared than the overlap allows for: once more from further back.
      this.#last = undefined
      if (!this.#steppedBack) this.#covered = Math.max(0, this.#covered - this.#size)
      else this.#isProof = false
      this.#steppedBack = !this.#steppedBack
      return
    }
    this.#steppedBack = false
    for (const id of ids) this.#seen.add(id)
    this.#covered = endOf(window)
    this.#last = page
    this.#growIfShort(window.size, bytes)
  }

  /** Whether a page begins where nothing was left out: at the beginning of the thread, or with a message seen before. */
  async #joins({ window, ids }: ReadPage): Promise<boolean> {
    if (window.page === 1 || ids.some(id => this.#seen.has(id))) return true
    if (window.size > 1) return false
    // A page of one message has no room for another: the one before it must still be in its place.
    const before = idsOf(await this.#read({ page: window.page - 1, size: 1 }))
    return before.some(id => this.#seen.has(id))
  }

  async #shrinkOrSkip(window: ThreadWindow, firstId: string | undefined): Promise<undefined> {
    if (window.size > 1) {
      this.#sizeIndex = this.#options.sizes.findIndex(size => size < window.size)
      return
    }
    // Too large for any reply that this service writes. Without its id it cannot be told apart from its neighbours.
    if (firstId === undefined) this.#isProof = false
    await this.#take({ window, ids: firstId === undefined ? [] : [firstId] }, Number.POSITIVE_INFINITY)
  }

  #growIfShort(size: number, bytes: number): void {
    const larger = this.#options.sizes[this.#sizeIndex - 1]
    if (larger !== undefined && (bytes * larger) / size <= this.#options.maxPageBytes) this.#sizeIndex--
  }

  /** Behind the last page is an empty one: the end, if the last page did not move meanwhile. */
  async #proveEnd(window: ThreadWindow): Promise<'absent' | 'unproven' | undefined> {
    const last = this.#last
    if (window.page === 1) return 'absent'
    if (!this.#isProof) return 'unproven'
    if (last === undefined) {
      this.#covered = Math.floor(this.#covered / 2)
      return undefined
    }
    const again = idsOf(await this.#read(last.window))
    if (isEqual(again, last.ids) && startOf(window) === endOf(last.window)) return 'absent'
    this.#covered = startOf(last.window)
    this.#last = undefined
    return undefined
  }
}

function startOf({ page, size }: ThreadWindow): number {
  return (page - 1) * size
}

function endOf({ page, size }: ThreadWindow): number {
  return page * size
}

function pageAfter({ page, size }: ThreadWindow): ThreadWindow {
  return { page: page + 1, size }
}

function idsOf(page: ThreadPage<unknown>): readonly string[] {
  if (page.kind === 'messages') return page.ids
  return page.kind === 'too-large' && page.firstId !== undefined ? [page.firstId] : []
}

function isEqual(some: readonly string[], others: readonly string[]): boolean {
  return some.join() === others.join()
}

function isShort({ window, ids }: ReadPage): boolean {
  return ids.length < window.size
}

/**
 * The page that shows most of what follows the first `covered` messages, and the last of them again. Pages begin at
 * multiples of their size, so a somewhat smaller one may reach further. A page of 1 where none overlaps.
 */
export function overlappingWindow(covered: number, maxSize: number): ThreadWindow {
  if (covered === 0) return { page: 1, size: maxSize }
  const sizes = Array.from({ length: maxSize - 1 }, (_, index) => maxSize - index)
  for (let overlap = Math.min(OVERLAP, covered); overlap > 0; overlap--) {
    const windows = sizes.map(size => ({ page: Math.floor((covered - overlap) / size) + 1, size }))
    const furthest = windows.reduce((best, one) => (endOf(one) > endOf(best) ? one : best), { page: 1, size: covered })
    if (endOf(furthest) > covered) return furthest
  }
  return { page: covered + 1, size: 1 }
}
