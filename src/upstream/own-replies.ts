import { AppError } from '../errors.ts'
import { idText, isObject, type JsonObject, parseJson } from '../lib/json.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import { createCallErrors } from './call-errors.ts'
import { isDeleted, shownMessage, tombstoneOf } from './listing/shown-message.ts'
import { markerOf } from './marker.ts'
import { parentIdOf } from './reply-answer.ts'
import { changeMessageRequest, deleteMessageRequest, readMessageRequest } from './requests.ts'
import type { CallResult } from './transport/call-result.ts'
import { type RetryOptions, requestWithRetries } from './transport/retry.ts'
import type { Deadline } from './types.ts'

/** A reply that its sender wants to change. */
export interface ReplyPlace {
  readonly parentId: string
  readonly replyId: string
  readonly uid: CometChatUid
}

/** What an edit gives; members that are not given stay as they are, and those of `metadata` one by one. */
export interface ReplyChange {
  readonly data?: Readonly<Record<string, unknown>>
  readonly tags?: readonly string[]
}

/** A message as CometChat has it. */
export interface OwnReply {
  readonly message: JsonObject
  /** The mark of this service; undefined where it has none. */
  readonly marker: string | undefined
  /** It was deleted already: what is left of it. */
  readonly isDeleted: boolean
}

/** What a sender does with their own replies. What fails is `unknown` where it may have happened. */
export interface OwnReplies {
  /** Throws `thread-not-found` for what is no reply of this thread to this user, `not-yours` for somebody else's. */
  read(place: ReplyPlace, deadline: Deadline): Promise<OwnReply>
  /** The message as it is now. */
  edit(place: ReplyPlace, reply: OwnReply, change: ReplyChange, deadline: Deadline): Promise<JsonObject>
  /** What is left of the message; it may have been deleted by somebody else meanwhile. */
  remove(place: ReplyPlace, reply: OwnReply, deadline: Deadline): Promise<JsonObject>
}

/** Members of `data` that CometChat keeps as they came. Others it writes itself, or signs anew. */
const KEPT_MEMBERS = ['text', 'customData', 'interactiveData', 'interactionGoal', 'card', 'fallbackText'] as const
/** Where CometChat's extensions write. */
const EXTENSIONS = '@injected'

export function createOwnReplies(options: RetryOptions): OwnReplies {
  const { failed, mismatch } = createCallErrors(options)

  /** What an answer to a change shows of its message. */
  function changedIn(result: CallResult, place: ReplyPlace): JsonObject {
    const { outcome } = result
    if (outcome.kind !== 'answer' || outcome.status >= 300) throw refusalOf(failed(result, 'post'))
    const envelope = parseJson(outcome.body)
    const message = isObject(envelope) && !('error' in envelope) ? subjectOf(envelope['data']) : undefined
    if (!message || idText(message['id']) === undefined) throw unreadable()
    if (!isOf(message, place)) throw mismatch('unknown')
    return message
  }

  return {
    async read({ parentId, replyId, uid }, deadline) {
      const result = await requestWithRetries(options, key => readMessageRequest(replyId, uid, key), deadline, true)
      const { outcome } = result
      if (outcome.kind !== 'answer' || outcome.status !== 200) throw refusalOf(failed(result, 'read'))
      const envelope = parseJson(outcome.body)
      const message = isObject(envelope) ? envelope['data'] : undefined
      const id = isObject(message) ? idText(message['id']) : undefined
      if (!isObject(message) || id === undefined) throw unreadable('not-sent')
      if (id !== replyId) throw mismatch('not-sent')
      return ownReply(message, parentId, uid)
    },

    async edit(place, { message }, change, deadline) {
      const body = JSON.stringify(editedBody(message, change))
      // The same edit once more changes nothing (RFC 9110 §9.2.2).
      const build = (key: Parameters<typeof readMessageRequest>[2]) => changeMessageRequest(place, body, key)
      const changed = changedIn(await requestWithRetries(options, build, deadline, true), place)
      return shownMessage(changed)
    },

    async remove(place, { message }, deadline) {
      const build = (key: Parameters<typeof readMessageRequest>[2]) => deleteMessageRequest(place, key)
      const left = await requestWithRetries(options, build, deadline, true).then(result =>
        isGone(result) ? {} : changedIn(result, place)
      )
      return tombstoneOf({ ...message, deletedBy: place.uid, ...left })
    }
  }
}

/** Whether an answer is about the message that was changed; what is left of a deleted one says less. */
function isOf(message: JsonObject, { parentId, replyId, uid }: ReplyPlace): boolean {
  const { sender = uid } = message
  return idText(message['id']) === replyId && (parentIdOf(message) ?? parentId) === parentId && sender === uid
}

/** It was there when it was read: what is not found now was deleted. */
function isGone({ refusal }: CallResult): boolean {
  return refusal?.kind === 'refused' && refusal.code === 'thread-not-found'
}

function ownReply(message: JsonObject, parentId: string, uid: CometChatUid): OwnReply {
  const deleted = isDeleted(message)
  const parent = parentIdOf(message)
  // Of what is left of a deleted one CometChat may not say where it was, but by whom it was deleted.
  const isOwnTombstone = deleted && parent === undefined && message['deletedBy'] === uid
  if ((parent !== parentId && !isOwnTombstone) || message['category'] === 'action') throw replyNotFound()
  if (!isOwnTombstone && message['sender'] !== uid) throw notYours()
  const marker = markerOf(message)
  return { message, marker: typeof marker === 'string' ? marker : undefined, isDeleted: deleted }
}

/** All of what stays and what is new: whether CometChat merges an edit or replaces by it is not documented. */
function editedBody({ data: stored }: JsonObject, { data: given = {}, tags }: ReplyChange): JsonObject {
  const old = isObject(stored) ? stored : {}
  const kept = Object.fromEntries(KEPT_MEMBERS.flatMap(name => (name in old ? [[name, old[name]]] : [])))
  const { [EXTENSIONS]: _, ...own } = isObject(old['metadata']) ? old['metadata'] : {}
  const metadata = { ...own, ...(isObject(given['metadata']) && given['metadata']) }
  const hasMetadata = Object.keys(metadata).length > 0
  return { data: { ...kept, ...given, ...(hasMetadata && { metadata }) }, ...(tags && { tags }) }
}

/** The message that an action is about (docs: Edit Message, Delete Message), or the message itself. */
function subjectOf(data: unknown): JsonObject | undefined {
  if (!isObject(data) || data['category'] !== 'action') return isObject(data) ? data : undefined
  const { data: action } = data
  const entities = isObject(action) ? action['entities'] : undefined
  const on = isObject(entities) ? entities['on'] : undefined
  const entity = isObject(on) ? on['entity'] : undefined
  return isObject(entity) ? entity : undefined
}

/** What CometChat refuses a change with, in the words of a change. */
function refusalOf(error: AppError): AppError {
  if (error.code === 'thread-not-found') return replyNotFound()
  const isNotSender = error.options.errors?.some(({ code }) => code === 'ERR_MESSAGE_NOT_A_SENDER')
  return isNotSender ? notYours() : error
}

/** One answer for "no such message", "not visible to you" and "in another thread". */
export function replyNotFound(): AppError {
  return new AppError('thread-not-found', 'There is no such reply in this thread, or this user may not see it.')
}

function notYours(): AppError {
  return new AppError('not-yours', 'Only its sender may change a reply.')
}

function unreadable(delivery: 'not-sent' | 'unknown' = 'unknown'): AppError {
  return new AppError('upstream-invalid', 'CometChat gave an answer that cannot be read.', {
    delivery,
    retryAfterMs: 1000,
    reason: 'answer-unreadable'
  })
}
