import { FirstAttempt, type ThreadMemory, type ThreadMessage, type ThreadPage, type ThreadPlace } from './page.ts'

export interface ThreadSearchOptions<Found> {
  readonly readPage: (place: ThreadPlace) => Promise<ThreadPage<Found>>
  /** How many replies the parent says that it has; undefined where it does not say. Costs a read. */
  readonly readReplyCount?: () => Promise<number | undefined>
  /** Messages a page, largest first; the last is 1. A smaller one is used where pages are too large. */
  readonly sizes: readonly [number, ...number[]]
  /** The longest page that can be read. */
  readonly maxPageBytes: number
  /** After so many reads the search ends without a proof. */
  readonly maxReads: number
  /** CometChat's own time when the first attempt to send the reply began, in milliseconds. */
  readonly sinceMs?: number | undefined
  /** False while the reply may still be posted: then absence proves nothing, and the search only looks. */
  readonly wantsProof: boolean
  /** Where a former search came to. */
  readonly memory?: ThreadMemory | undefined
  /** Told of what the next search may rely on. */
  readonly remember?: (memory: ThreadMemory) => void
}

/** `unproven` when the message was not seen, but could have slipped through. */
export type ThreadSearchResult<Found> = { readonly kind: 'found'; readonly found: Found } | 'absent' | 'unproven'

/** What every way of reading comes to in the end, from wherever it is. */
export class SearchEnded extends Error {
  readonly result: ThreadSearchResult<unknown>

  constructor(result: ThreadSearchResult<unknown>) {
    super('the search has ended')
    this.result = result
  }
}

/** Reads pages for one search: counts them, and ends it where the reply is found or no read is left. */
export class ThreadReader<Found> {
  readonly first: FirstAttempt
  readonly #options: ThreadSearchOptions<Found>
  #suspects: ThreadMessage[] = []
  #reads = 0
  #longest = 0

  constructor(options: ThreadSearchOptions<Found>) {
    this.#options = options
    this.first = new FirstAttempt(options.sinceMs)
  }

  /** Throws SearchEnded when the page shows the sought reply, or may not be read any more. */
  async read(place: ThreadPlace): Promise<Exclude<ThreadPage<Found>, { kind: 'found' }>> {
    this.#count()
    const page = await this.#options.readPage(place)
    if (page.kind === 'found') throw new SearchEnded(page)
    if (page.kind === 'messages') {
      this.first.note(page)
      this.#longest = Math.max(this.#longest, page.messages.length)
      const shown = page.messages.map(message => message.subject ?? message)
      this.#suspects.push(...shown.filter(({ isSuspect }) => isSuspect))
    }
    return page
  }

  /** Whether there is nothing at a place, nor, as far as CometChat says, further on. */
  async isEnd(place: ThreadPlace): Promise<boolean> {
    const page = await this.read(place)
    return page.kind === 'messages' && page.messages.length === 0 && page.next === undefined
  }

  async readReplyCount(): Promise<number | undefined> {
    if (!this.#options.readReplyCount) return undefined
    this.#count()
    return this.#options.readReplyCount()
  }

  /** How many messages the longest page had. */
  get longest(): number {
    return this.#longest
  }

  /** Whether a message that may be the reply, changed, was seen, and is not older than its first attempt. */
  get hasSuspect(): boolean {
    return this.#options.memory?.hasSuspect === true || this.#suspects.some(message => !this.first.isOlder(message))
  }

  #count(): void {
    if (this.#reads >= this.#options.maxReads) throw new SearchEnded('unproven')
    this.#reads++
  }
}
