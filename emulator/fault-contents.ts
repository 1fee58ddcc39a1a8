// Answers with status 200 that are not what they seem.
import { envelope } from './errors.ts'
import { type Exchange, JSON_TYPE, respond, sendAnswer } from './exchange.ts'
import type { Fault } from './faults.ts'
import { isObject } from './message-body.ts'
import type { JsonObject, PostedMessage } from './types.ts'
import { exactNumber } from './wire.ts'

const GIANT_BYTES = 4 * 1024 * 1024

/** The message that the healthy answer holds; null when it is a refusal, which faults of content leave alone. */
function ownMessage({ answer }: Exchange): JsonObject | null {
  const body = answer().body()
  return isObject(body) && isObject(body['data']) ? body['data'] : null
}

function messageOf({ message }: PostedMessage): JsonObject {
  const { id, conversationId, sender, receiver, receiverType, category, type, data, parentId, sentAtMs } = message
  const sentAt = Math.floor(sentAtMs / 1000)
  const parent = parentId === null ? {} : { parentId }
  return {
    id,
    conversationId,
    sender,
    receiverType,
    receiver,
    category,
    type,
    data,
    sentAt,
    updatedAt: sentAt,
    ...parent
  }
}

/** Another request's message: one that was really posted where there is one, else a made-up one. */
export function foreignMessage(exchange: Exchange, of: 'previous' | 'other-user'): JsonObject {
  const own = ownMessage(exchange)
  const isForeign = ({ id, message }: PostedMessage) =>
    id !== own?.['id'] && (of === 'previous' || message.sender !== own?.['sender'])
  const posted = exchange.ledger.entries.findLast(isForeign)
  if (posted) return messageOf(posted)
  const other = { id: '999999999', sender: 'somebody-else', data: { text: 'of somebody else' } }
  return { ...own, ...other, ...(of === 'previous' && own && { sender: own['sender'] }) }
}

function broken(message: JsonObject, { mutate, set = {}, remove = [] }: Fault & { kind: 'break-schema' }): unknown {
  const copy: JsonObject = { ...message, ...set }
  for (const name of remove) delete copy[name]
  return mutate?.(copy) ?? copy
}

function withNumericIds(message: JsonObject): JsonObject {
  const { id, parentId } = message
  return {
    ...message,
    id: exactNumber(String(id)),
    ...(parentId !== undefined && { parentId: exactNumber(String(parentId)) })
  }
}

function withKey(message: JsonObject, key: string): JsonObject {
  const { data } = message
  return { ...message, note: `The key ${key} was used.`, data: { ...(isObject(data) ? data : {}), key } }
}

function withoutMetadata(message: JsonObject): JsonObject {
  const { metadata: _, ...data } = isObject(message['data']) ? message['data'] : {}
  return { ...message, data }
}

/** Lies about single receivers; an answer that does not tell of each is left alone. */
function withReceivers(answer: JsonObject, fault: Fault & { kind: 'receiver-answers' }): JsonObject {
  const { errors = {}, missing = [], added = [] } = fault
  const changed = (entries: unknown): JsonObject => {
    const told = Object.entries(isObject(entries) ? entries : {}).filter(([name]) => !missing.includes(name))
    return Object.fromEntries(
      told.map(([name, entry]) => {
        const code = errors[name]
        return [name, code === undefined ? entry : { success: false, ...envelope(code, `It failed with ${code}.`) }]
      })
    )
  }
  const { uids, guids } = answer
  if (uids === undefined && guids === undefined) return answer
  const strangers = added.map(receiver => [receiver, { success: true, data: { id: '999999999', receiver } }] as const)
  return {
    uids: { ...changed(uids), ...Object.fromEntries(strangers) },
    ...(guids !== undefined && { guids: changed(guids) })
  }
}

function change(exchange: Exchange, changed: (message: JsonObject) => unknown): Promise<void> {
  const message = ownMessage(exchange)
  const answer = exchange.answer()
  if (message === null) sendAnswer(exchange, answer)
  else sendAnswer(exchange, { ...answer, body: () => ({ data: changed(message) }) })
  return Promise.resolve()
}

/** Undefined when the fault is of another family. */
export function performContentFault(fault: Fault, exchange: Exchange): Promise<void> | undefined {
  switch (fault.kind) {
    case 'lying-success':
      return change(exchange, message => message)
    case 'foreign-answer':
      return change(exchange, () => foreignMessage(exchange, fault.of ?? 'previous'))
    case 'break-schema':
      return change(exchange, message => broken(message, fault))
    case 'numeric-ids':
      return change(exchange, withNumericIds)
    case 'metadata-missing':
      return change(exchange, withoutMetadata)
    case 'key-in-answer':
      return change(exchange, message => withKey(message, exchange.record.headers['apikey'] ?? ''))
    case 'receiver-answers':
      return change(exchange, answer => withReceivers(answer, fault))
    case 'giant-body':
      return change(exchange, message => ({ ...message, padding: 'x'.repeat(fault.bytes ?? GIANT_BYTES) }))
    case 'error-in-200': {
      const body = JSON.stringify(envelope(fault.code ?? 'ERR_MISSION_FAILED', 'The operation failed.'))
      respond(exchange, { status: 200, headers: JSON_TYPE, body })
      return Promise.resolve()
    }
    default:
      return undefined
  }
}
