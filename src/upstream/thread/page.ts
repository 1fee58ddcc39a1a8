/** A page of a thread: pages of one size are counted from 1, in an order that does not change. */
export interface ThreadWindow {
  readonly page: number
  readonly size: number
}

/**
 * A place in a thread, as CometChat's SDK names it: `append` goes on to newer messages, `prepend` to older ones. Without
 * a message it is that end of the thread from which there is something in this direction.
 */
export interface ThreadCursor {
  readonly affix: 'append' | 'prepend'
  /** Unix time in seconds. */
  readonly sentAt?: number
  readonly id?: string
}

/** Where a page is read: by its number, or behind a cursor. */
export interface ThreadPlace extends ThreadWindow {
  readonly cursor?: ThreadCursor
}

/** What the search has to know of a message that is not the sought one. */
export interface ThreadMessage {
  readonly id: string
  /** Unix time in seconds, by CometChat's clock; absent where it cannot be read. */
  readonly sentAt?: number
  /** When it was removed or edited, likewise. */
  readonly changedAt?: number
  /** It may be the sought reply, removed, edited or without its mark. */
  readonly isSuspect?: boolean
  /** The message that this one tells of, where it is an action: a removal or an edit. */
  readonly subject?: ThreadMessage
}

export interface MessagesPage {
  readonly kind: 'messages'
  readonly messages: readonly ThreadMessage[]
  /** Where CometChat says that the thread goes on. */
  readonly next?: ThreadCursor
  readonly bytes: number
}

export type ThreadPage<Found> =
  | { readonly kind: 'found'; readonly found: Found }
  | MessagesPage
  /** Too long to be read; `firstId` is of its first message, where the beginning that was read shows it. */
  | { readonly kind: 'too-large'; readonly firstId?: string }
  /** CometChat does not take this cursor. */
  | { readonly kind: 'refused' }

/** Where a former search of the same thread came to; kept with the record of the reply. */
export interface ThreadMemory {
  /** What CometChat was seen to go by. */
  readonly paging: 'cursor' | 'page'
  /** The newest message of the closed side: up to it every message was read, and none can be added. */
  readonly id?: string
  readonly sentAt?: number
  /** By page: how many messages the list has up to it. */
  readonly offset?: number
  /** On the closed side is a message that may be the reply, changed. */
  readonly hasSuspect?: boolean
}

export function idsOf({ messages }: Pick<MessagesPage, 'messages'>): readonly string[] {
  return messages.map(({ id }) => id)
}

export function isSamePage(one: MessagesPage, other: MessagesPage): boolean {
  return idsOf(one).join() === idsOf(other).join()
}

const DIGITS = /^\d{1,20}$/

/** Negative when the first is older; 0 where neither ids nor times can tell. */
export function compareAge(one: ThreadMessage, other: ThreadMessage): number {
  if (DIGITS.test(one.id) && DIGITS.test(other.id)) {
    const difference = BigInt(one.id) - BigInt(other.id)
    return difference < 0n ? -1 : Number(difference > 0n)
  }
  return Math.sign((one.sentAt ?? 0) - (other.sentAt ?? 0))
}

/** The order in which a page shows its messages; undefined where they are in none, or too few. */
export function orderOf({ messages }: MessagesPage): 'oldest-first' | 'newest-first' | undefined {
  const signs = new Set(messages.slice(1).map((message, index) => compareAge(messages[index] ?? message, message)))
  if (signs.size !== 1) return undefined
  return signs.has(-1) ? 'oldest-first' : signs.has(1) ? 'newest-first' : undefined
}

export function newestOf({ messages }: Pick<MessagesPage, 'messages'>): ThreadMessage | undefined {
  return messages.reduce<ThreadMessage | undefined>(
    (newest, message) => (newest && compareAge(newest, message) > 0 ? newest : message),
    undefined
  )
}

/** By how much the times of two servers of CometChat may differ, in seconds. */
const MARGIN_S = 300

/** Which messages are older than the first attempt to send a reply: by CometChat's clock or by ids, never by ours. */
export class FirstAttempt {
  /** Older is what was sent before; undefined where CometChat's time is not known. */
  readonly olderBefore: number | undefined
  #newestOlder: ThreadMessage | undefined

  /** `sinceMs` is CometChat's own time when the first attempt began. */
  constructor(sinceMs: number | undefined) {
    this.olderBefore = sinceMs === undefined ? undefined : Math.floor(sinceMs / 1000) - MARGIN_S
  }

  note({ messages }: MessagesPage): void {
    for (const message of messages) {
      if (!this.#isSentBefore(message.sentAt) || !DIGITS.test(message.id)) continue
      if (!this.#newestOlder || compareAge(this.#newestOlder, message) < 0) this.#newestOlder = message
    }
  }

  /** Whether a message is provably older than the attempt. One without a readable time is, if its id is not above that of one that is. */
  isOlder(message: ThreadMessage): boolean {
    if (message.sentAt !== undefined) return this.#isSentBefore(message.sentAt)
    if (this.#isSentBefore(message.changedAt)) return true
    return this.#newestOlder !== undefined && DIGITS.test(message.id) && compareAge(message, this.#newestOlder) <= 0
  }

  /** Whether a page shows a message that is dated before the first attempt. */
  isReachedBy({ messages }: MessagesPage): boolean {
    return messages.some(({ sentAt }) => this.#isSentBefore(sentAt))
  }

  #isSentBefore(time: number | undefined): boolean {
    return time !== undefined && this.olderBefore !== undefined && time < this.olderBefore
  }
}
