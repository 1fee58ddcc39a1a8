import { isMessage } from './cometchat-schemas.ts'
import type { CometChatUid } from './cometchat-uid.ts'
import { idText, isObject, type JsonObject, parseJson } from './json.ts'

/** The one member of `data.metadata` that belongs to this service. */
export const MARKER_MEMBER = 'bffDelivery'

/** What an answer must repeat to be the answer to a request. */
export interface Expectation {
  readonly parentId: string
  readonly uid: CometChatUid
  /** Absent when markers are switched off. */
  readonly marker?: string
  /** With several receivers CometChat may answer with several messages. */
  readonly several: boolean
}

export type ReplyAnswer =
  /** `body` is CometChat's envelope with the marker taken out. */
  | { readonly verdict: 'bound'; readonly body: string; readonly messageId: string }
  /** The reply exists, but its description breaks the schema. */
  | { readonly verdict: 'contract'; readonly messageId?: string }
  | { readonly verdict: 'mismatch' }
  | { readonly verdict: 'unreadable' }

type Binding = 'bound' | 'mismatch' | 'unreadable'

/** Decides what a 2xx answer to a reply says; nothing but a bound message is ever a success. */
export function readReplyAnswer(bytes: Uint8Array, expected: Expectation): ReplyAnswer {
  return judgeReply(parseJson(bytes), expected)
}

/** The same for an envelope that is already parsed; takes the marker out of it. */
export function judgeReply(envelope: unknown, expected: Expectation): ReplyAnswer {
  if (!isObject(envelope) || 'error' in envelope) return { verdict: 'unreadable' }
  const messages = messagesOf(envelope['data'], expected.several)
  if (!messages) return { verdict: 'unreadable' }
  const bindings = messages.map(message => bindingOf(message, expected))
  if (bindings.includes('mismatch')) return { verdict: 'mismatch' }
  if (bindings.includes('unreadable')) return { verdict: 'unreadable' }
  const messageId = idText(messages[0]?.['id'])
  const valid = messages.every(message => idText(message['id']) !== undefined && isMessage(message))
  if (messageId === undefined || !valid) return { verdict: 'contract', ...(messageId && { messageId }) }
  for (const message of messages) removeMarker(message)
  const body = serialised(envelope)
  return body === undefined ? { verdict: 'contract', messageId } : { verdict: 'bound', body, messageId }
}

/** JSON.parse reads any depth, JSON.stringify does not: undefined for what it cannot write. */
function serialised(envelope: JsonObject): string | undefined {
  try {
    return JSON.stringify(envelope)
  } catch {
    return undefined
  }
}

/** The marker a message carries, if any. */
export function markerOf(message: JsonObject): unknown {
  const data = message['data']
  const metadata = isObject(data) ? data['metadata'] : undefined
  return isObject(metadata) ? metadata[MARKER_MEMBER] : undefined
}

function messagesOf(data: unknown, several: boolean): JsonObject[] | undefined {
  if (isObject(data)) return [data]
  return several && Array.isArray(data) && data.length > 0 && data.every(isObject) ? data : undefined
}

/**
 * Sender and thread must be there and equal; one that differs is proof enough that the answer is another's. A marker
 * must not be another's; none at all is accepted, because a CometChat that does not echo metadata still answered
 * this user about this thread.
 */
function bindingOf(message: JsonObject, expected: Expectation): Binding {
  const parentId = idText(message['parentId'])
  const sender = typeof message['sender'] === 'string' ? message['sender'] : undefined
  const differs = (found: unknown, wanted: unknown): boolean => found !== undefined && found !== wanted
  const isForeign =
    differs(parentId, expected.parentId) || differs(sender, expected.uid) || differs(markerOf(message), expected.marker)
  if (isForeign) return 'mismatch'
  return parentId === undefined || sender === undefined ? 'unreadable' : 'bound'
}

/** Takes the marker out, and the object that only existed to carry it. */
function removeMarker(message: JsonObject): void {
  const data = message['data']
  const metadata = isObject(data) ? data['metadata'] : undefined
  if (!isObject(data) || !isObject(metadata) || !(MARKER_MEMBER in metadata)) return
  delete metadata[MARKER_MEMBER]
  if (Object.keys(metadata).length === 0) delete data['metadata']
}
