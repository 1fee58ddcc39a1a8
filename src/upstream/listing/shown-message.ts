import { isObject, type JsonObject } from '../../lib/json.ts'
import { MARKER_MEMBER } from '../marker.ts'

/** What is left of a message that was deleted, whatever CometChat keeps of it: who and when, and no content. */
const OF_TOMBSTONES = [
  'id',
  'muid',
  'conversationId',
  'sender',
  'receiver',
  'receiverType',
  'category',
  'type',
  'parentId',
  'sentAt',
  'updatedAt',
  'deletedAt',
  'deletedBy'
] as const
/** Nothing in a message of CometChat is nested so deep. */
const MAX_DEPTH = 64

/**
 * A message as its caller gets it: without the marks of this service, and without content where it was deleted, as is one
 * that it quotes. Marks are looked for unless there are none. Throws a RangeError for one that is nested too deep to look for them.
 */
export function shownMessage(message: JsonObject, isMarked = true): JsonObject {
  const shown = isDeleted(message) ? tombstoneOf(message) : message
  const { quotedMessage } = shown
  if (isObject(quotedMessage) && isDeleted(quotedMessage)) shown['quotedMessage'] = tombstoneOf(quotedMessage)
  if (isMarked) removeMarks(shown, MAX_DEPTH)
  return shown
}

export function isDeleted({ deletedAt, deletedBy }: JsonObject): boolean {
  return isSet(deletedAt) || isSet(deletedBy)
}

export function tombstoneOf(message: JsonObject): JsonObject {
  return Object.fromEntries(OF_TOMBSTONES.flatMap(name => (name in message ? [[name, message[name]]] : [])))
}

/** A message may hold others: one that it quotes, one that an action is about. */
function removeMarks(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth === 0) throw new RangeError('the message is nested too deep')
  if (Array.isArray(value)) {
    for (const part of value) removeMarks(part, depth - 1)
    return
  }
  const holder = value as JsonObject
  removeMark(holder)
  for (const name in holder) removeMarks(holder[name], depth - 1)
}

/** What is undefined is not written. */
function removeMark(holder: JsonObject): void {
  const { metadata } = holder
  if (!isObject(metadata) || !(MARKER_MEMBER in metadata)) return
  if (Object.keys(metadata).length === 1) holder['metadata'] = undefined
  else metadata[MARKER_MEMBER] = undefined
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== 0
}
