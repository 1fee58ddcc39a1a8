import { AppError } from '../errors.ts'
import { createHourly } from '../lib/hourly.ts'
import { idText, isObject, parseJson } from '../lib/json.ts'
import type { Secret } from '../lib/secret.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import { createCallErrors, unreadableThread } from './call-errors.ts'
import { CometChatTime } from './cometchat-time.ts'
import { refusedReceivers } from './errors/upstream-error.ts'
import { type Expectation, parentIdOf, type ReplyAnswer, readReplyAnswer } from './reply-answer.ts'
import {
  MAX_THREAD_PAGE_BYTES,
  postReplyRequest,
  readMessageRequest,
  readThreadRequest,
  replyBody
} from './requests.ts'
import type { ThreadPage, ThreadPlace } from './thread/page.ts'
import { readLargePage, readThreadPage } from './thread/read-page.ts'
import { searchThread } from './thread/search.ts'
import type { CallResult } from './transport/call-result.ts'
import type { CallRequest, UpstreamAnswer } from './transport/exchange-types.ts'
import { type RetryOptions, requestWithRetries } from './transport/retry.ts'
import type { Deadline, Parent, PostedReply, Receiver, Reply, SenderProfile, SoughtReply, ThreadLook } from './types.ts'

export interface CometChatClient {
  /** Reads a message as this user. Throws an AppError that is always `not-sent`. */
  readMessage(parentId: string, uid: CometChatUid, deadline: Deadline, profile?: SenderProfile): Promise<Parent>
  /**
   * Looks for the reply that carries a marker, as its sender sees the thread, and says in `look` what that took.
   * Throws an AppError when neither the reply nor its absence can be shown: then nothing is known.
   */
  findReply(sought: SoughtReply, look: ThreadLook, deadline: Deadline): Promise<PostedReply | 'absent'>
  /** Posts a reply. Throws an AppError that says what is known about delivery. */
  postReply(reply: Reply, receiver: Receiver, deadline: Deadline): Promise<PostedReply>
  /** CometChat's own time now, in milliseconds since the Unix epoch; undefined before its first answer. */
  timeMs(): number | undefined
}

/** How many messages are asked for at once: those of a lively hour, then fewer where they are long. */
const PAGES = { sizes: [50, 10, 1], maxPageBytes: MAX_THREAD_PAGE_BYTES } as const

/** The calls this service makes to CometChat's REST API v3. */
export function createCometChatClient(options: RetryOptions): CometChatClient {
  const { keyring, emit, clock } = options
  const { failed, mismatch } = createCallErrors(options)
  const time = new CometChatTime(clock)
  const timed: RetryOptions = {
    ...options,
    onResult(result) {
      time.note(result.outcome)
      options.onResult?.(result)
    }
  }
  const request = (build: (key: Secret) => CallRequest, deadline: Deadline, safe: boolean): Promise<CallResult> =>
    requestWithRetries(timed, build, deadline, safe)

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
        throw new AppError('upstream-invalid', 'CometChat gave an answer that cannot be read.', {
          retryAfterMs: 1000,
          reason: 'answer-unreadable'
        })
      case 'mismatch':
        throw mismatch('unknown')
      case 'refused':
        throw refusedReceivers(answer.refusals)
    }
  }

  async function readPage(
    sought: SoughtReply,
    place: ThreadPlace,
    deadline: Deadline
  ): Promise<ThreadPage<ReplyAnswer>> {
    const { parentId, uid } = sought
    const result = await request(key => readThreadRequest(parentId, uid, place, key), deadline, true)
    const { outcome } = result
    // The documentation of this list knows no cursor.
    if (place.cursor && outcome.kind === 'answer' && outcome.status === 400) return { kind: 'refused' }
    if (outcome.kind === 'failure' && outcome.beginning) return readLargePage(outcome.beginning)
    if (outcome.kind !== 'answer' || outcome.status !== 200) throw failed(result, 'read')
    const page = readThreadPage(outcome.body, sought)
    if (!page) throw unreadableThread()
    return page
  }

  async function readReplyCount({ parentId, uid }: SoughtReply, deadline: Deadline): Promise<number | undefined> {
    const { outcome } = await request(key => readMessageRequest(parentId, uid, key), deadline, true)
    return outcome.kind === 'answer' && outcome.status === 200 ? replyCountIn(outcome.body) : undefined
  }

  return {
    timeMs: () => time.nowMs(),

    async readMessage(parentId, uid, deadline) {
      const result = await request(key => readMessageRequest(parentId, uid, key), deadline, true)
      const { outcome } = result
      if (outcome.kind !== 'answer' || outcome.status !== 200) throw failed(result, 'read')
      const parent = readParent(outcome.body, parentId)
      if (parent === 'foreign') throw mismatch('not-sent')
      if (parent) return parent
      throw unreadableThread()
    },

    async findReply(sought, look, deadline) {
      const counted = countedIn(look, deadline)
      const result = await searchThread({
        ...PAGES,
        ...look,
        remember(memory) {
          look.memory = memory
        },
        readPage: place => readPage(sought, place, counted),
        readReplyCount: () => readReplyCount(sought, counted)
      })
      if (result === 'unproven') throw unreadableThread()
      return result === 'absent' ? result : checked(result.found)
    },

    async postReply(reply, receiver, deadline) {
      const body = replyBody(reply, receiver)
      const result = await request(key => postReplyRequest(reply, body, key), deadline, false)
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

/** Every request counts, also one that fails and is made again. */
function countedIn(look: ThreadLook, deadline: Deadline): Deadline {
  return {
    ...deadline,
    shouldSend: () => look.reads < look.maxReads && deadline.shouldSend?.() !== false,
    onAttempt(attempt) {
      look.reads++
      deadline.onAttempt?.(attempt)
    }
  }
}

function replyCountIn(bytes: Uint8Array): number | undefined {
  const envelope = parseJson(bytes)
  const parent = isObject(envelope) ? envelope['data'] : undefined
  const count = isObject(parent) ? parent['replyCount'] : undefined
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : undefined
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

function brokenContract(messageId: string | undefined): AppError {
  return new AppError(
    'upstream-contract',
    'The reply was sent, but CometChat described it in a way that breaks its schema.',
    messageId === undefined ? {} : { messageId }
  )
}
