import { AppError } from '../errors.ts'
import { isObject } from '../lib/json.ts'
import type { Secret } from '../lib/secret.ts'
import { type CometChatUid, isCometChatUid } from '../lib/service/cometchat-uid.ts'
import { VERSION } from '../lib/service/version.ts'
import { MARKER_MEMBER } from './marker.ts'
import type { ThreadPlace } from './thread/page.ts'
import type { CallRequest } from './transport/exchange-types.ts'
import type { NewUser, Receiver, Reply } from './types.ts'

/** The key, or what is shown in its place. */
type ShownKey = Pick<Secret, 'reveal'>

const MESSAGE_ID = /^[1-9][0-9]{0,18}$/
/** CometChat's limit for a whole message (docs: Send Message, Properties and Constraints). */
const MAX_MESSAGE_CHARACTERS = 65_536
const USER_AGENT = `thread-reply-bff/${VERSION}`
const COMMON_HEADERS = ['accept', 'application/json', 'accept-encoding', 'identity', 'user-agent', USER_AGENT] as const
/** A page of very long messages; parsing it takes a while, so it is no larger. */
export const MAX_THREAD_PAGE_BYTES = 8 * 1024 * 1024

/** The request target; digits only, so that no input can name another endpoint of this API. */
function messagePath(messageId: string): string {
  if (!MESSAGE_ID.test(messageId)) throw new TypeError('a message id has 1 to 19 digits')
  return `/v3/messages/${messageId}`
}

/** Every header of a call for a user, spelled as CometChat documents it; nothing a client sends can add one. */
function headers(key: ShownKey, uid: CometChatUid): string[] {
  return ['apikey', key.reveal(), 'onBehalfOf', checked(uid), ...COMMON_HEADERS]
}

/** Every header of a call that the app makes for itself: only the two about users are made so. */
function headersOfApp(key: Secret): string[] {
  return ['apikey', key.reveal(), ...COMMON_HEADERS]
}

function checked(uid: CometChatUid): string {
  if (!isCometChatUid(uid)) throw new TypeError('a call needs a user to act for')
  return uid
}

/** `GET /users/{uid}` (docs: Get User). */
export function readUserRequest(uid: CometChatUid, key: Secret): CallRequest {
  const path = `/v3/users/${checked(uid)}`
  return { call: 'GET /users/{uid}', method: 'GET', path, headers: headersOfApp(key), chargedTo: uid }
}

/** `POST /users` (docs: Create User). */
export function createUserRequest(uid: CometChatUid, { name, avatar }: NewUser, key: Secret): CallRequest {
  const body = JSON.stringify({ uid: checked(uid), name, avatar })
  const all = [...headersOfApp(key), 'content-type', 'application/json']
  return { call: 'POST /users', method: 'POST', path: '/v3/users', headers: all, body, chargedTo: uid }
}

/** `POST /users/{uid}/auth_tokens` (docs: Create Auth Token): always a further one, so that each sign-in has its own. */
export function createAuthTokenRequest(uid: CometChatUid, key: Secret): CallRequest {
  return {
    call: 'POST /users/{uid}/auth_tokens',
    method: 'POST',
    path: `/v3/users/${checked(uid)}/auth_tokens`,
    headers: [...headersOfApp(key), 'content-type', 'application/json'],
    body: JSON.stringify({ force: true }),
    chargedTo: uid,
    probe: () => readUserRequest(uid, key)
  }
}

/** `DELETE /users/{uid}/auth_tokens/{authToken}` (docs: Delete Auth Token). */
export function revokeAuthTokenRequest(uid: CometChatUid, token: Secret, key: Secret): CallRequest {
  return {
    call: 'DELETE /users/{uid}/auth_tokens/{authToken}',
    method: 'DELETE',
    path: `/v3/users/${checked(uid)}/auth_tokens/${encodeURIComponent(token.reveal())}`,
    headers: headersOfApp(key),
    chargedTo: uid,
    probe: () => readUserRequest(uid, key),
    // Elsewhere it would say that no key came with the call. A name that is not documented comes with 404.
    refusalOf: (code, status) =>
      code === 'AUTH_ERR_AUTH_TOKEN_NOT_FOUND' || (status === 404 && code !== 'ERR_API_NOT_FOUND')
        ? { kind: 'gone' }
        : undefined
  }
}

/** `GET /messages/{id}` (docs: Get Message). */
export function readMessageRequest(messageId: string, uid: CometChatUid, key: ShownKey): CallRequest {
  const path = messagePath(messageId)
  return { call: 'GET /messages/{id}', method: 'GET', path, headers: headers(key, uid), chargedTo: uid }
}

/** A message, and who changes it. */
interface ChangedMessage {
  readonly replyId: string
  readonly uid: CometChatUid
}

/** `PUT /messages/{id}` (docs: Edit Message). */
export function changeMessageRequest({ replyId, uid }: ChangedMessage, body: string, key: ShownKey): CallRequest {
  const all = [...headers(key, uid), 'content-type', 'application/json']
  const probe = () => readMessageRequest(replyId, uid, key)
  const path = messagePath(replyId)
  return { call: 'PUT /messages/{id}', method: 'PUT', path, headers: all, body, chargedTo: uid, probe }
}

/** `DELETE /messages/{id}` (docs: Delete Message): softly, never `permanent`. */
export function deleteMessageRequest({ replyId, uid }: ChangedMessage, key: ShownKey): CallRequest {
  const probe = () => readMessageRequest(replyId, uid, key)
  const path = messagePath(replyId)
  const all = headers(key, uid)
  return { call: 'DELETE /messages/{id}', method: 'DELETE', path, headers: all, chargedTo: uid, probe }
}

/**
 * `GET /messages/{id}/thread` (docs: List Thread Messages); pages count from 1. The cursor's parameters are those of
 * CometChat's SDK on this path; only the first page is asked for with them, whatever they are taken for.
 */
export function readThreadRequest(
  parentId: string,
  uid: CometChatUid,
  { page, size, cursor }: ThreadPlace,
  key: Secret
): CallRequest {
  const parameters = [`perPage=${size}`, `page=${page}`]
  if (cursor) {
    const { affix, sentAt, id } = cursor
    parameters.push(`per_page=${size}`, `affix=${affix}`)
    if (sentAt !== undefined) parameters.push(`sentAt=${sentAt}`)
    if (id !== undefined) parameters.push(`id=${encodeURIComponent(id)}`)
  }
  const path = `${messagePath(parentId)}/thread?${parameters.join('&')}`
  return {
    call: 'GET /messages/{id}/thread',
    method: 'GET',
    path,
    headers: headers(key, uid),
    chargedTo: uid,
    maxAnswerBytes: MAX_THREAD_PAGE_BYTES
  }
}

/** `POST /messages/{id}/thread` (docs: Send Threaded Message). */
export function postReplyRequest(reply: Reply, body: string, key: ShownKey): CallRequest {
  const all = headers(key, reply.uid)
  all.push('content-type', 'application/json')
  if (reply.traceparent !== undefined) all.push('traceparent', reply.traceparent)
  const { parentId, uid } = reply
  const probe = () => readMessageRequest(parentId, uid, key)
  return {
    call: 'POST /messages/{id}/thread',
    method: 'POST',
    path: `${messagePath(parentId)}/thread`,
    headers: all,
    body,
    chargedTo: uid,
    probe
  }
}

/** The body CometChat receives: written from the validated members, never piped. Throws when it is too long. */
export function replyBody({ message, marker }: Reply, { receiver, receiverType }: Receiver): string {
  const metadata = message.data['metadata']
  const data =
    marker === undefined
      ? message.data
      : { ...message.data, metadata: { ...(isObject(metadata) ? metadata : {}), [MARKER_MEMBER]: marker } }
  const { category, type, multipleReceivers, tags, muid, quotedMessageId } = message
  const body = JSON.stringify({
    receiver,
    receiverType,
    category,
    type,
    data,
    multipleReceivers,
    tags,
    muid,
    quotedMessageId
  })
  const actual = body.length > MAX_MESSAGE_CHARACTERS ? [...body].length : 0
  if (actual > MAX_MESSAGE_CHARACTERS) {
    const detail = `A message has at most ${MAX_MESSAGE_CHARACTERS} characters, as JSON and with what this service adds.`
    throw new AppError('invalid-request', 'The message is too long.', {
      reason: 'message-length',
      whose: 'user',
      errors: [{ pointer: '', code: 'too-long', detail, limit: MAX_MESSAGE_CHARACTERS, actual }]
    })
  }
  return body
}
