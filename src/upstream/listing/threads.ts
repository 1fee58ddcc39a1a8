import { idText, isObject, type JsonObject, parseJson } from '../../lib/json.ts'
import type { CometChatUid } from '../../lib/service/cometchat-uid.ts'
import { type CallErrors, createCallErrors, unreadableThread } from '../call-errors.ts'
import { threadNotFound } from '../errors/upstream-error.ts'
import { parentIdOf } from '../reply-answer.ts'
import { readMessageRequest, readThreadRequest } from '../requests.ts'
import type { ThreadPlace } from '../thread/page.ts'
import { ANSWER_TOO_LARGE } from '../transport/answer-bytes.ts'
import type { ExchangeResult } from '../transport/exchange-types.ts'
import { type RetryOptions, requestWithRetries } from '../transport/retry.ts'
import type { Deadline } from '../types.ts'
import { createThreadListings } from './list-thread.ts'
import type { ListedPage, Listing, ListingPlace } from './page.ts'
import { readListedPage } from './read-page.ts'
import { shownMessage } from './shown-message.ts'

/** A thread, as this user sees it. */
export interface ReadThread {
  readonly parentId: string
  readonly uid: CometChatUid
}

export interface AskedReplies extends ReadThread {
  /** 1 to 100. */
  readonly limit: number
  /** Without one the newest replies. */
  readonly place?: ListingPlace
}

/** A page of a thread, written. */
export interface ListedReplies extends Pick<Listing, 'older' | 'newer'> {
  /** JSON text of the list of its messages, oldest first. */
  readonly json: string
}

/** What a user reads of a thread. Both throw an AppError that is always `not-sent`. */
export interface CometChatThreads {
  listReplies(asked: AskedReplies, deadline: Deadline): Promise<ListedReplies>
  /** The message that a thread hangs on, with how many replies it has. */
  readParent(thread: ReadThread, deadline: Deadline): Promise<JsonObject>
}

export function createCometChatThreads(options: RetryOptions): CometChatThreads {
  const { failed, mismatch } = createCallErrors(options)
  const listings = createThreadListings()

  async function readPage({ parentId, uid }: ReadThread, place: ThreadPlace, deadline: Deadline): Promise<ListedPage> {
    const result = await requestWithRetries(
      options,
      key => readThreadRequest(parentId, uid, place, key),
      deadline,
      true
    )
    const { outcome } = result
    const other = otherThanPage(outcome, place)
    if (other) return other
    if (outcome.kind !== 'answer' || outcome.status !== 200) throw failed(result, 'read')
    const page = read(() => readListedPage(outcome.body, parentId, place.size))
    if (page === 'foreign') throw mismatch('not-sent')
    if (page === undefined) throw unreadableThread()
    return page
  }

  async function readMessage({ parentId, uid }: ReadThread, deadline: Deadline): Promise<JsonObject> {
    const result = await requestWithRetries(options, key => readMessageRequest(parentId, uid, key), deadline, true)
    const { outcome } = result
    if (outcome.kind !== 'answer' || outcome.status !== 200) throw failed(result, 'read')
    return messageIn(outcome.body, parentId, { mismatch })
  }

  return {
    async listReplies({ limit, place, ...thread }, deadline) {
      const source = {
        readPage: (at: ThreadPlace) => readPage(thread, at, deadline),
        readReplyCount: async () => replyCountOf(await readMessage(thread, deadline))
      }
      const listing = await listings.list(source, limit, place)
      if (!listing) throw unreadableThread()
      const { messages, ...places } = listing
      return { ...places, json: read(() => JSON.stringify(messages.map(({ shown }) => shown))) }
    },

    async readParent(thread, deadline) {
      const message = await readMessage(thread, deadline)
      // A reply has no thread of its own.
      if (parentIdOf(message) !== undefined) throw threadNotFound()
      const shown = read(() => shownMessage(message))
      return { ...shown, replyCount: replyCountOf(message) ?? 0 }
    }
  }
}

/** What leads to another way of reading; the documentation of this list knows no cursor. */
function otherThanPage(outcome: ExchangeResult, { cursor }: ThreadPlace): ListedPage | undefined {
  if (outcome.kind === 'answer') return cursor && outcome.status === 400 ? { kind: 'refused' } : undefined
  return outcome.errorCode === ANSWER_TOO_LARGE ? { kind: 'too-large' } : undefined
}

/** The message of an answer about one. */
function messageIn(bytes: Uint8Array, messageId: string, { mismatch }: Pick<CallErrors, 'mismatch'>): JsonObject {
  const envelope = parseJson(bytes)
  const message = isObject(envelope) ? envelope['data'] : undefined
  const id = isObject(message) ? idText(message['id']) : undefined
  if (!isObject(message) || id === undefined) throw unreadableThread()
  if (id !== messageId) throw mismatch('not-sent')
  return message
}

/** Whatever is nested deeper than this process can follow, or write, is nothing that it could show. */
function read<T>(reading: () => T): T {
  try {
    return reading()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw unreadableThread()
  }
}

function replyCountOf({ replyCount }: JsonObject): number | undefined {
  return typeof replyCount === 'number' && Number.isSafeInteger(replyCount) && replyCount >= 0 ? replyCount : undefined
}
