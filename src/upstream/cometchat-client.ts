import { AppError } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { type AttemptsOptions, type Budget, callWithAttempts } from './attempts.ts'
import { type CometChatUid, UID_PATTERN } from './cometchat-uid.ts'
import type { UpstreamRequest } from './exchange.ts'
import { idText, isObject, parseJson } from './json.ts'
import { type Expectation, MARKER_MEMBER, type ReplyAnswer, readReplyAnswer } from './reply-answer.ts'
import { toAppError } from './verdicts.ts'

/** CometChat's own body for a threaded message, already validated, without identity. */
export interface ReplyMessage {
  readonly receiver?: string
  readonly receiverType?: 'user' | 'group'
  readonly category: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly multipleReceivers?: unknown
  readonly tags?: readonly string[]
}

export interface Receiver {
  readonly receiver: string
  readonly receiverType: 'user' | 'group'
}

/** The message a thread hangs on: what never changes about it. */
export interface Parent extends Receiver {
  readonly sender: string
  /** True when it is itself a reply; CometChat's threads have one level. */
  readonly isReply: boolean
}

/** A reply, complete but for the receiver. */
export interface Reply {
  readonly parentId: string
  readonly uid: CometChatUid
  readonly message: ReplyMessage
  readonly marker?: string
  /** W3C trace context of the caller, forwarded as it came. */
  readonly traceparent?: string
}

export interface PostedReply {
  /** The JSON text of `{"data": Message}` for the caller. */
  readonly body: string
  readonly messageId: string
}

export interface CometChatClient {
  /** Reads a message as this user. Throws an AppError that is always `not-sent`. */
  readMessage(parentId: string, uid: CometChatUid, budget: Budget): Promise<Parent>
  /** Posts a reply. Throws an AppError that says what is known about delivery. */
  postReply(reply: Reply, receiver: Receiver, budget: Budget): Promise<PostedReply>
}

export interface CometChatClientOptions extends AttemptsOptions {
  /** Told when somebody has to look: a refused key, an answer that belongs to another request. */
  readonly onAlarm: (alarm: 'upstream-credentials' | 'upstream-mismatch' | 'key-echoed') => void
}

const MESSAGE_ID = /^[1-9][0-9]{0,18}$/
/** CometChat's limit for a whole message (docs: Send Message, Properties and Constraints). */
export const MAX_MESSAGE_CHARACTERS = 65_536
const USER_AGENT = 'thread-reply-bff/0.1'

/** The two calls this service makes to CometChat's REST API v3. */
export function createCometChatClient(options: CometChatClientOptions): CometChatClient {
  const { connections, keyring, onAlarm } = options

  function checked(answer: ReplyAnswer): PostedReply {
    switch (answer.verdict) {
      case 'bound':
        if (!keyring.leaksIn(answer.body)) return answer
        onAlarm('key-echoed')
        throw brokenContract(answer.messageId)
      case 'contract':
        throw brokenContract(answer.messageId)
      case 'unreadable':
        throw new AppError('upstream-invalid', 'CometChat gave an answer that cannot be read.', { retryAfterMs: 1000 })
      case 'mismatch':
        // A connection that carries a stray answer shifts every later one by one.
        connections.reset()
        onAlarm('upstream-mismatch')
        throw new AppError('upstream-mismatch', 'CometChat answered another request.', { retryAfterMs: 1000 })
    }
  }

  function failed(result: Parameters<typeof toAppError>[0], kind: 'read' | 'post'): AppError {
    const error = toAppError(result, kind)
    if (error.code === 'upstream-credentials') onAlarm('upstream-credentials')
    return error
  }

  return {
    async readMessage(parentId, uid, budget) {
      const path = messagePath(parentId)
      const result = await callWithAttempts(options, key => get(path, key, uid), budget, true)
      const { outcome } = result
      if (outcome.kind !== 'answer' || outcome.status !== 200) throw failed(result, 'read')
      const parent = readParent(outcome.body, parentId)
      if (parent) return parent
      throw new AppError('upstream-invalid', 'CometChat described the thread in a way that cannot be read.', {
        delivery: 'not-sent'
      })
    },

    async postReply(reply, receiver, budget) {
      const body = replyBody(reply, receiver)
      const path = `${messagePath(reply.parentId)}/thread`
      const result = await callWithAttempts(options, key => post(path, key, reply, body), budget, false)
      const { outcome } = result
      if (outcome.kind !== 'answer' || outcome.status >= 400) throw failed(result, 'post')
      const readable = (outcome.status === 200 || outcome.status === 201) && !outcome.headers['content-encoding']
      return checked(readable ? readReplyAnswer(outcome.body, expectationOf(reply)) : { verdict: 'unreadable' })
    }
  }
}

/** The request target; digits only, so that no input can name another endpoint of this API. */
function messagePath(messageId: string): string {
  if (!MESSAGE_ID.test(messageId)) throw new TypeError('a message id has 1 to 19 digits')
  return `/v3/messages/${messageId}`
}

/** Every header of a call, spelled as CometChat documents it; nothing a client sends can add one. */
function headers(key: Secret, uid: CometChatUid): string[] {
  if (!UID_PATTERN.test(uid)) throw new TypeError('a call needs a user to act for')
  return [
    'apikey',
    key.reveal(),
    'onBehalfOf',
    uid,
    'accept',
    'application/json',
    'accept-encoding',
    'identity',
    'user-agent',
    USER_AGENT
  ]
}

function get(path: string, key: Secret, uid: CometChatUid): UpstreamRequest {
  return { method: 'GET', path, headers: headers(key, uid) }
}

function post(path: string, key: Secret, reply: Reply, body: string): UpstreamRequest {
  const all = headers(key, reply.uid)
  all.push('content-type', 'application/json')
  if (reply.traceparent !== undefined) all.push('traceparent', reply.traceparent)
  return { method: 'POST', path, headers: all, body }
}

/** The body CometChat receives: written from the validated members, never piped. Throws when it is too long. */
function replyBody({ message, marker }: Reply, { receiver, receiverType }: Receiver): string {
  const metadata = message.data['metadata']
  const data =
    marker === undefined
      ? message.data
      : { ...message.data, metadata: { ...(isObject(metadata) ? metadata : {}), [MARKER_MEMBER]: marker } }
  const { category, type, multipleReceivers, tags } = message
  const body = JSON.stringify({ receiver, receiverType, category, type, data, multipleReceivers, tags })
  if (body.length > MAX_MESSAGE_CHARACTERS && [...body].length > MAX_MESSAGE_CHARACTERS) {
    throw new AppError('invalid-request', 'The message is too long.', {
      errors: [{ pointer: '', code: 'too-long', detail: `A message has at most ${MAX_MESSAGE_CHARACTERS} characters.` }]
    })
  }
  return body
}

function expectationOf({ parentId, uid, marker, message }: Reply): Expectation {
  const several = message.multipleReceivers !== undefined
  return { parentId, uid, several, ...(marker !== undefined && { marker }) }
}

function readParent(bytes: Uint8Array, parentId: string): Parent | undefined {
  const envelope = parseJson(bytes)
  const message = isObject(envelope) ? envelope['data'] : undefined
  if (!isObject(message) || idText(message['id']) !== parentId) return undefined
  const { sender, receiver, receiverType } = message
  if (typeof sender !== 'string' || typeof receiver !== 'string') return undefined
  if (receiverType !== 'user' && receiverType !== 'group') return undefined
  const isReply = idText(message['parentId']) !== undefined && idText(message['parentId']) !== '0'
  return { sender, receiver, receiverType, isReply }
}

function brokenContract(messageId: string | undefined): AppError {
  return new AppError(
    'upstream-contract',
    'The reply was sent, but CometChat described it in a way that breaks its schema.',
    messageId === undefined ? {} : { messageId }
  )
}
