import { AppError } from '../errors.ts'
import { createHourly } from '../lib/hourly.ts'
import { idText, isObject, parseJson } from '../lib/json.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import type { Emit } from '../observability/events.ts'
import { alarmFor, refusedReceivers, upstreamError } from './errors/upstream-error.ts'
import { parentIdOf } from './message-shape.ts'
import { type Expectation, type ReplyAnswer, readReplyAnswer } from './reply-answer.ts'
import {
  MAX_THREAD_PAGE_BYTES,
  postReplyRequest,
  readMessageRequest,
  readThreadRequest,
  replyBody
} from './requests.ts'
import { readLargePage, readThreadPage } from './thread.ts'
import { searchThread, type ThreadPage, type ThreadWindow } from './thread-search.ts'
import type { UpstreamAnswer } from './transport/exchange.ts'
import { type RetryOptions, requestWithRetries } from './transport/retry.ts'
import type { Deadline, Parent, PostedReply, Receiver, Reply, SenderProfile, SoughtReply } from './types.ts'

export interface CometChatClient {
  /** Reads a message as this user. Throws an AppError that is always `not-sent`. */
  readMessage(parentId: string, uid: CometChatUid, deadline: Deadline, profile?: SenderProfile): Promise<Parent>
  /**
   * Looks for the reply that carries a marker, as its sender sees the thread.
   * Throws an AppError when the thread cannot be read to its end: then nothing is known.
   */
  findReply(sought: SoughtReply, deadline: Deadline): Promise<PostedReply | 'absent'>
  /** Posts a reply. Throws an AppError that says what is known about delivery. */
  postReply(reply: Reply, receiver: Receiver, deadline: Deadline): Promise<PostedReply>
}

export interface CometChatClientOptions extends RetryOptions {
  readonly emit: Emit
}

/** How a thread is searched: the absence of a reply can be proved in one of some 2,000 replies. */
const THREAD_SEARCH = { sizes: [50, 10, 1], maxPageBytes: MAX_THREAD_PAGE_BYTES, maxReads: 51 } as const

/** The calls this service makes to CometChat's REST API v3. */
export function createCometChatClient(options: CometChatClientOptions): CometChatClient {
  const { connections, keyring, emit } = options

  const isDeviationDue = createHourly(() => options.clock.monotonic())

  function noteDeviations(members: readonly string[]): void {
    for (const member of members) {
      const times = isDeviationDue(member)
      if (times !== undefined) emit({ name: 'upstream-deviation', member, times })
    }
  }

  function checked(answer: ReplyAnswer): PostedReply {
    switch (answer.verdict) {
      case 'bound':
        noteDeviations(answer.deviations)
        if (!keyring.leaksIn(answer.body)) return answer
        emit({ name: 'alarm', alarm: 'key-echoed' })
        throw brokenContract(answer.messageId)
      case 'contract':
        throw brokenContract(answer.messageId)
      case 'unreadable':
        throw new AppError('upstream-invalid', 'CometChat gave an answer that cannot be read.', { retryAfterMs: 1000 })
      case 'mismatch':
        throw mismatch('unknown')
      case 'refused':
        throw refusedReceivers(answer.refusals)
    }
  }

  function mismatch(delivery: 'unknown' | 'not-sent'): AppError {
    // A connection that carries a stray answer shifts every later one by one.
    connections.reset()
    emit({ name: 'alarm', alarm: 'upstream-mismatch' })
    return new AppError('upstream-mismatch', 'CometChat answered another request.', { delivery, retryAfterMs: 1000 })
  }

  function failed(result: Parameters<typeof upstreamError>[0], kind: 'read' | 'post'): AppError {
    const error = upstreamError(result, kind)
    const alarm = alarmFor(error)
    if (alarm) emit({ name: 'alarm', alarm })
    return error
  }

  async function readPage(
    sought: SoughtReply,
    window: ThreadWindow,
    deadline: Deadline
  ): Promise<ThreadPage<ReplyAnswer>> {
    const { parentId, uid } = sought
    const result = await requestWithRetries(
      options,
      key => readThreadRequest(parentId, uid, window, key),
      deadline,
      true
    )
    const { outcome } = result
    if (outcome.kind === 'failure' && outcome.beginning) return readLargePage(outcome.beginning)
    if (outcome.kind !== 'answer' || outcome.status !== 200) throw failed(result, 'read')
    const page = readThreadPage(outcome.body, sought)
    if (!page) throw unreadableThread()
    return page
  }

  return {
    async readMessage(parentId, uid, deadline) {
      const result = await requestWithRetries(options, key => readMessageRequest(parentId, uid, key), deadline, true)
      const { outcome } = result
      if (outcome.kind !== 'answer' || outcome.status !== 200) throw failed(result, 'read')
      const parent = readParent(outcome.body, parentId)
      if (parent === 'foreign') throw mismatch('not-sent')
      if (parent) return parent
      throw unreadableThread()
    },

    async findReply(sought, deadline) {
      const result = await searchThread({ ...THREAD_SEARCH, readPage: window => readPage(sought, window, deadline) })
      if (result === 'unproven') throw unreadableThread()
      return result === 'absent' ? result : checked(result.found)
    },

    async postReply(reply, receiver, deadline) {
      const body = replyBody(reply, receiver)
      const result = await requestWithRetries(options, key => postReplyRequest(reply, body, key), deadline, false)
      const { outcome } = result
      if (outcome.kind !== 'answer' || outcome.status >= 400) throw failed(result, 'post')
      if (!isReadable(outcome)) return checked({ verdict: 'unreadable' })
      const answer = readReplyAnswer(outcome.body, expectationOf(reply, receiver))
      // A receiver is refused by itself: what that says of the app is said in an answer of status 200.
      const refusals = ('refusals' in answer && answer.refusals) || []
      for (const { refusal } of refusals) options.onResult?.({ outcome, refusal })
      return checked(answer)
    }
  }
}

/** RFC 9110 §8.4.1: codings that change the bytes; `identity`, or a word that is none of them, does not. */
const CODING = /(gzip|compress|deflate|br|zstd)/i

function isReadable({ status, headers }: UpstreamAnswer): boolean {
  const isSuccess = status === 200 || status === 201 || status === 202
  return isSuccess && !CODING.test(String(headers['content-encoding'] ?? ''))
}

function expectationOf({ parentId, uid, marker, message }: Reply, own: Receiver): Expectation {
  const { uids = [], guids = [] } = message.multipleReceivers ?? {}
  const several = message.multipleReceivers !== undefined && { own, uids, guids }
  return { parentId, uid, several, ...(marker !== undefined && { marker }) }
}

function readParent(bytes: Uint8Array, parentId: string): Parent | 'foreign' | undefined {
  const envelope = parseJson(bytes)
  const message = isObject(envelope) ? envelope['data'] : undefined
  const id = isObject(message) ? idText(message['id']) : undefined
  if (!isObject(message) || id === undefined) return undefined
  if (id !== parentId) return 'foreign'
  const { sender, receiver, receiverType } = message
  if (typeof sender !== 'string' || typeof receiver !== 'string') return undefined
  if (receiverType !== 'user' && receiverType !== 'group') return undefined
  const isReply = parentIdOf(message) !== undefined
  return { sender, receiver, receiverType, isReply }
}

function unreadableThread(): AppError {
  return new AppError('upstream-invalid', 'CometChat described the thread in a way that cannot be read.', {
    delivery: 'not-sent'
  })
}

function brokenContract(messageId: string | undefined): AppError {
  return new AppError(
    'upstream-contract',
    'The reply was sent, but CometChat described it in a way that breaks its schema.',
    messageId === undefined ? {} : { messageId }
  )
}
