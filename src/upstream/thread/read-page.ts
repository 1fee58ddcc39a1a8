import { idText, isObject, type JsonObject, parseJson } from '../../lib/json.ts'
import { markerOf } from '../marker.ts'
import { judgeReply, parentIdOf, type ReplyAnswer } from '../reply-answer.ts'
import type { SoughtReply } from '../types.ts'
import { hasContentOf } from './message-content.ts'
import type { ThreadCursor, ThreadMessage, ThreadPage } from './page.ts'

/** How the first message of a page begins: CometChat writes ids before everything else. */
const FIRST_ID =
  /^[ \t\r\n]*\{[ \t\r\n]*"data"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*\{[ \t\r\n]*"id"[ \t\r\n]*:[ \t\r\n]*"?(\d{1,20})\b/

/** Looks through one page of a thread for the message that carries a marker; undefined for what is no such page. */
export function readThreadPage(bytes: Uint8Array, sought: SoughtReply): ThreadPage<ReplyAnswer> | undefined {
  const { parentId, uid, marker } = sought
  const envelope = parseJson(bytes)
  const messages = isObject(envelope) ? envelope['data'] : undefined
  if (!isObject(envelope) || !Array.isArray(messages)) return undefined
  // The page of another thread proves no absence from this one.
  const isOfAnother = (message: unknown): boolean => isObject(message) && (parentIdOf(message) ?? parentId) !== parentId
  if (messages.some(isOfAnother)) return undefined
  // The sender, too: whoever can read the thread could repeat a marker.
  const isSought = (message: unknown): boolean =>
    isObject(message) && markerOf(message) === marker && message['sender'] === uid
  const message = messages.find(isSought)
  if (message !== undefined) {
    return { kind: 'found', found: judgeReply({ data: message }, { parentId, uid, marker, several: false }) }
  }
  const next = readNext(envelope)
  const read = messages.map((one, index) => readMessage(one, index, sought))
  return { kind: 'messages', messages: read, bytes: bytes.length, ...(next && { next }) }
}

/** A page of which only the beginning could be read. */
export function readLargePage(beginning: Uint8Array): ThreadPage<never> {
  const [, firstId] = FIRST_ID.exec(Buffer.from(beginning).toString('latin1')) ?? []
  return { kind: 'too-large', ...(firstId !== undefined && { firstId }) }
}

/** `meta.next`, as the documentation has it, or `meta.cursor`, as CometChat's SDK reads it; undefined where it names no place. */
export function readNext({ meta }: JsonObject): ThreadCursor | undefined {
  const next = isObject(meta) ? (meta['next'] ?? meta['cursor']) : undefined
  if (!isObject(next)) return undefined
  // Without one it goes on in the direction asked for; no search goes on to `prepend`.
  const affix = next['affix'] === 'prepend' ? 'prepend' : 'append'
  const [sentAt, id] = [secondsOf(next['sentAt']), idText(next['id'])]
  if (sentAt === undefined && (id === undefined || /^0+$/.test(id))) return undefined
  return { affix, ...(sentAt !== undefined && { sentAt }), ...(id !== undefined && { id }) }
}

function readMessage(message: unknown, index: number, sought: SoughtReply): ThreadMessage {
  // One without an id counts as one, but is like no other.
  const unnamed = `no id, ${index}`
  if (!isObject(message)) return { id: unnamed, isSuspect: true }
  const actedOn = subjectOf(message)
  const sentAt = secondsOf(message['sentAt'])
  const changedAt = secondsOf(message['deletedAt']) ?? secondsOf(message['editedAt'])
  return {
    id: idText(message['id']) ?? unnamed,
    ...(sentAt !== undefined && { sentAt }),
    ...(changedAt !== undefined && { changedAt }),
    ...(!actedOn && isSuspect(message, sought) && { isSuspect: true }),
    ...(actedOn && { subject: readMessage(actedOn, index, sought) })
  }
}

/** An edit and a removal are messages themselves, of category `action` (docs: Edit Message, Delete Message). */
function subjectOf({ category, type, data }: JsonObject): JsonObject | undefined {
  if (category !== 'action' || type !== 'message' || !isObject(data)) return undefined
  const { entities } = data
  const on = isObject(entities) ? entities['on'] : undefined
  const subject = isObject(on) ? on['entity'] : undefined
  return isObject(subject) && subject['category'] !== 'action' ? subject : undefined
}

/**
 * Whether a message may be the sought one, changed: removed, by this sender or by nobody in particular; edited, and its
 * mark lost; or with the same content, where CometChat does not keep marks. Another mark or another text is another message.
 */
function isSuspect(message: JsonObject, { uid, marker, message: content }: SoughtReply): boolean {
  const { sender } = message
  if (typeof sender === 'string' && sender !== uid) return false
  if (isSet(message['deletedAt']) || isSet(message['deletedBy']) || typeof sender !== 'string') return true
  const mark = markerOf(message)
  if (mark !== undefined) return mark === marker
  return (
    isSet(message['editedAt']) ||
    isSet(message['editedBy']) ||
    (content !== undefined && hasContentOf(message, content))
  )
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== 0
}

export function secondsOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined
}
