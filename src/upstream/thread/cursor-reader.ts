import type { MessagesPage, ThreadCursor, ThreadMessage } from './page.ts'
import type { PageSizes } from './page-sizes.ts'
import type { ThreadReader } from './reader.ts'

export interface CursorPage extends MessagesPage {
  /** So many messages were asked for. */
  readonly size: number
}

export interface CursorStep {
  readonly page: CursorPage
  readonly isEnd: boolean
}

/** Reads a thread at cursors, as far as CometChat goes by them. */
export class CursorReader<Found> {
  readonly #reader: ThreadReader<Found>
  readonly #sizes: PageSizes
  /** It names each cursor again behind which there is nothing. */
  #goesByCursor = false

  constructor(reader: ThreadReader<Found>, sizes: PageSizes) {
    this.#reader = reader
    this.#sizes = sizes
  }

  /** A page at a cursor, of as many messages as can be read; undefined where there is none that proves anything. */
  async readAt(cursor: ThreadCursor, wanted?: number): Promise<CursorPage | undefined> {
    for (;;) {
      const size = wanted ?? this.#sizes.current
      const page = await this.#reader.read({ page: 1, size, cursor })
      if (page.kind === 'refused') return undefined
      if (page.kind === 'messages') {
        this.#sizes.growAfter(size, page.bytes)
        return { ...page, size }
      }
      if (!this.#sizes.shrinkBelow(size)) return largePage(page.firstId)
      if (wanted !== undefined) return undefined
    }
  }

  /**
   * The page behind a cursor, over gaps of messages that are not shown. It is the end where it shows no other message than
   * that of the cursor, and names no further place. Undefined where CometChat is seen not to go by cursors.
   */
  async goOn(from: ThreadCursor): Promise<CursorStep | undefined> {
    for (let cursor = from; ; ) {
      const page = await this.readAt(cursor)
      if (!page) return undefined
      if (this.#isFull(page) || page.messages.some(({ id }) => id !== cursor.id)) return { page, isEnd: false }
      const onward = onwardFrom(cursor, page.next)
      if (!onward) return (await this.#isGoneBy(cursor, page)) ? { page, isEnd: true } : undefined
      cursor = onward
    }
  }

  #isFull({ messages, size }: CursorPage): boolean {
    return messages.length >= size || (messages.length > 0 && this.#reader.longest < 2)
  }

  /**
   * Whether CometChat goes by a cursor behind which it shows nothing, and which it names again. One that goes by pages, and
   * whose first page has nothing to show, names one place whatever it is asked for.
   */
  async #isGoneBy({ sentAt }: ThreadCursor, { messages, next }: MessagesPage): Promise<boolean> {
    if (messages.length > 0 || !next || this.#goesByCursor) return true
    if (sentAt === undefined) return false
    const later: ThreadCursor = { affix: 'append', sentAt: sentAt + 1 }
    const page = await this.readAt(later)
    this.#goesByCursor = page?.messages.length === 0 && (!page.next || isSameCursor(page.next, later))
    return this.#goesByCursor
  }
}

/** By itself it is too large for any reply that this service writes; with its id it can be told from the others. */
function largePage(id: string | undefined): CursorPage | undefined {
  return id === undefined
    ? undefined
    : { kind: 'messages', messages: [{ id }], bytes: Number.POSITIVE_INFINITY, size: 1 }
}

export function cursorBehind({ id, sentAt }: ThreadMessage): ThreadCursor {
  return { affix: 'append', ...(sentAt !== undefined && { sentAt }), id }
}

/** Where CometChat says that there may be newer messages; undefined where it names the same place again. */
function onwardFrom(cursor: ThreadCursor, next: ThreadCursor | undefined): ThreadCursor | undefined {
  return next?.affix === 'append' && !isSameCursor(next, cursor) ? next : undefined
}

function isSameCursor(one: ThreadCursor, other: ThreadCursor): boolean {
  return one.affix === other.affix && (one.id ?? '0') === (other.id ?? '0') && (one.sentAt ?? 0) === (other.sentAt ?? 0)
}
