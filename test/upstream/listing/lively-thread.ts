// A thread as CometChat may page it, in which replies come and go while it is read: the emulator's own paging, without the
// wire. Time is in seconds.
import { DEFAULT_SWITCHES, type Switches } from '../../../emulator/switches.ts'
import { createThreadListings } from '../../../src/upstream/listing/list-thread.ts'
import type { ListedMessage, ListedPage, Listing, ListingPlace } from '../../../src/upstream/listing/page.ts'
import type { ThreadPlace } from '../../../src/upstream/thread/page.ts'
import { emulatedPage } from '../thread/emulated-page.ts'

export type Paging = Partial<
  Pick<Switches, 'threadOrder' | 'threadPaging' | 'threadCursor' | 'threadNext' | 'threadPageMax' | 'threadGaps'>
>

interface Entry {
  readonly id: string
  readonly sentAtMs: number
  isHidden: boolean
  isRemoved: boolean
}

export class LivelyThread {
  entries: Entry[] = []
  reads = 0
  readonly listings = createThreadListings()
  beforeRead: () => void = () => undefined
  readonly #switches: Switches
  #nextId = 1000

  constructor(count: number, paging: Paging = {}) {
    this.#switches = { ...DEFAULT_SWITCHES, ...paging }
    for (let index = 0; index < count; index++) this.post()
  }

  /** Two replies a second. */
  post(): void {
    const sentAtMs = 1_700_000_000_000 + this.#nextId * 500
    this.entries.push({ id: `${this.#nextId++}`, sentAtMs, isHidden: false, isRemoved: false })
  }

  remove(index: number): void {
    this.entries.splice(index, 1)
  }

  get ids(): string[] {
    return this.entries.filter(({ isHidden }) => !isHidden).map(({ id }) => id)
  }

  async list(limit: number, place?: ListingPlace): Promise<Listing | undefined> {
    this.reads = 0
    return this.listings.list({ readPage: at => this.#readPage(at), readReplyCount: () => this.#count() }, limit, place)
  }

  async #readPage(place: ThreadPlace): Promise<ListedPage> {
    this.beforeRead()
    this.reads++
    const { threadPageMax } = this.#switches
    const { shown, next } = emulatedPage(this.entries, place, this.#switches)
    const size = Math.min(place.size, threadPageMax ?? place.size)
    return { kind: 'messages', messages: shown.map(describe), size, ...(next && { next }) }
  }

  async #count(): Promise<number> {
    this.beforeRead()
    this.reads++
    return this.entries.length
  }
}

/** What is left of a message that was removed has no time. */
function describe({ id, sentAtMs, isRemoved }: Entry): ListedMessage {
  return { id, ...(!isRemoved && { sentAt: Math.floor(sentAtMs / 1000) }), shown: { id } }
}
