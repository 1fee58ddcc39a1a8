import type { JsonObject } from '../../lib/json.ts'
import { compareAge, type ThreadCursor, type ThreadMessage } from '../thread/page.ts'

/** A message of a thread as a caller sees it. */
export interface ListedMessage extends ThreadMessage {
  readonly shown: JsonObject
}

export type ListedPage =
  /** In the order in which CometChat lists them. */
  | {
      readonly kind: 'messages'
      readonly messages: readonly ListedMessage[]
      /** Where CometChat says that the thread goes on. */
      readonly next?: ThreadCursor
      /** How many messages CometChat would have shown: it may give less than it is asked for. */
      readonly size: number
    }
  | { readonly kind: 'too-large' }
  /** CometChat does not take this cursor. */
  | { readonly kind: 'refused' }

export type Direction = 'older' | 'newer'

/** What CometChat goes by: cursors, the numbers of pages, or nothing, which shows one page whatever is asked for. */
export type Paging = 'cursor' | 'page' | 'nothing'

/** Where a listing goes on. */
export interface ListingPlace {
  readonly direction: Direction
  readonly paging: Paging
  /** The last message that was shown, or that CometChat named; without one the listing begins at the newest end. */
  readonly id?: string
  /** Unix time in seconds. */
  readonly sentAt?: number
  /** By page: which of CometChat's list it is, counted from 0, as far as that can be told. */
  readonly position?: number
}

export interface Listing {
  /** Oldest first. */
  readonly messages: readonly ListedMessage[]
  /** Undefined where the beginning of the thread is reached. */
  readonly older?: ListingPlace
  /** Where replies will be that come later; undefined for a thread without any. */
  readonly newer?: ListingPlace
}

/** By time where both are known, within a second by id: as CometChat's cursors count. */
export function compare(one: ThreadMessage, other: ThreadMessage): number {
  const { sentAt = 0 } = one
  const { sentAt: otherSentAt = 0 } = other
  if (sentAt > 0 && otherSentAt > 0 && sentAt !== otherSentAt) return Math.sign(sentAt - otherSentAt)
  return compareAge({ id: one.id }, { id: other.id })
}

export function isNewestFirst(messages: readonly ThreadMessage[]): boolean {
  const [first, last] = [messages[0], messages.at(-1)]
  return first !== undefined && last !== undefined && compare(first, last) > 0
}

export function oldestFirst<M extends ThreadMessage>(messages: readonly M[]): readonly M[] {
  return isNewestFirst(messages) ? messages.toReversed() : messages
}
