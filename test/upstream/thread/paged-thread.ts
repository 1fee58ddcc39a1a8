// A thread as CometChat may page it: the emulator's own paging, without the wire. Time is in seconds, ids count up.
import { DEFAULT_SWITCHES, type Switches } from '../../../emulator/switches.ts'
import type { ThreadMessage, ThreadPage, ThreadPlace } from '../../../src/upstream/thread/page.ts'
import { searchThread } from '../../../src/upstream/thread/search.ts'
import { emulatedPage } from './emulated-page.ts'

export interface Entry {
  readonly id: string
  readonly sentAt: number
  readonly isSought?: boolean
  readonly bytes?: number
  /** What is left of a message that was removed has neither time nor sender. */
  isRemoved?: boolean
  /** A message of the same sender, without mark, that is edited or says the same. */
  isSuspect?: boolean
  isHidden?: boolean
}

export type Paging = Partial<
  Pick<Switches, 'threadOrder' | 'threadPaging' | 'threadCursor' | 'threadNext' | 'threadPageMax' | 'threadGaps'>
>

export const SOUGHT = 'sought'
export const MAX_PAGE_BYTES = 1000

/** So many messages, one every ten seconds, the last of them so many seconds before `untilS`. */
export function some(count: number, untilS: number, firstId = 1000): Entry[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${firstId + index}`,
    sentAt: untilS - 10 * (count - index)
  }))
}

export class PagedThread {
  readonly entries: Entry[]
  readonly places: ThreadPlace[] = []
  reads = 0
  replyCount: number | undefined
  beforeRead: (reads: number) => void = () => undefined
  /** Whether the beginning of a page that is too large shows the id of its first message. */
  showsFirstId = true
  readonly #switches: Switches

  constructor(entries: readonly Entry[], paging: Paging = {}) {
    this.entries = [...entries]
    this.replyCount = entries.length
    this.#switches = { ...DEFAULT_SWITCHES, ...paging }
  }

  readonly readPage = async (place: ThreadPlace): Promise<ThreadPage<string>> => {
    this.#read()
    this.places.push(place)
    const listed = this.entries.map(entry => ({ ...entry, sentAtMs: entry.sentAt * 1000 }))
    const { shown, next } = emulatedPage(listed, place, this.#switches)
    const bytes = shown.reduce((sum, entry) => sum + (entry.bytes ?? 1), 0)
    const [first] = shown
    if (bytes > MAX_PAGE_BYTES) return { kind: 'too-large', ...(this.showsFirstId && first && { firstId: first.id }) }
    if (shown.some(entry => entry.isSought && !entry.isRemoved && !entry.isSuspect))
      return { kind: 'found', found: SOUGHT }
    return { kind: 'messages', messages: shown.map(describe), bytes, ...(next && { next }) }
  }

  readonly readReplyCount = async (): Promise<number | undefined> => {
    this.#read()
    return this.replyCount
  }

  search(options: Partial<Parameters<typeof searchThread>[0]> = {}) {
    return searchThread<string>({
      sizes: [50, 10, 1],
      maxPageBytes: MAX_PAGE_BYTES,
      maxReads: 20,
      wantsProof: true,
      readReplyCount: this.readReplyCount,
      ...options,
      readPage: this.readPage
    })
  }

  #read(): void {
    this.beforeRead(this.reads)
    this.reads++
  }
}

function describe({ id, sentAt, isRemoved, isSuspect }: Entry): ThreadMessage {
  return { id, ...(!isRemoved && { sentAt }), ...((isRemoved || isSuspect) && { isSuspect: true }) }
}
