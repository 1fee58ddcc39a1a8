import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { decodeUtf8, idText, isObject, type JsonObject, parseJsonText } from '../lib/json.ts'
import type { CometChatUid } from './cometchat-uid.ts'
import { cutMarker, markerOf, removeMarker } from './marker.ts'

/**
 * A message as CometChat returns it: strict about what is used here, tolerant of everything else.
 * Source: `messageSchema` of CometChat's OpenAPI document; ids come as strings, in some places as numbers.
 */
const Message = Type.Object({
  sender: Type.String(),
  receiver: Type.String(),
  receiverType: Type.Union([Type.Literal('user'), Type.Literal('group')]),
  category: Type.String(),
  type: Type.String(),
  data: Type.Object({ metadata: Type.Optional(Type.Unknown()) }),
  sentAt: Type.Integer(),
  updatedAt: Type.Optional(Type.Integer()),
  conversationId: Type.Optional(Type.String()),
  muid: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String()))
})
const compiledMessage = TypeCompiler.Compile(Message)

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
  const text = decodeUtf8(bytes)
  return text === undefined ? { verdict: 'unreadable' } : judgeReply(parseJsonText(text), expected, text)
}

/** The same for an envelope that is already parsed, and changes it; `text` is what it was parsed from, and only that. */
export function judgeReply(envelope: unknown, expected: Expectation, text?: string): ReplyAnswer {
  if (!isObject(envelope) || 'error' in envelope) return { verdict: 'unreadable' }
  const messages = messagesOf(envelope['data'], expected.several)
  if (!messages) return { verdict: 'unreadable' }
  const bindings = messages.map(message => bindingOf(message, expected))
  if (bindings.includes('mismatch')) return { verdict: 'mismatch' }
  if (bindings.includes('unreadable')) return { verdict: 'unreadable' }
  const messageId = idText(messages[0]?.['id'])
  const valid = messages.every(message => idText(message['id']) !== undefined && compiledMessage.Check(message))
  if (messageId === undefined || !valid) return { verdict: 'contract', ...(messageId && { messageId }) }
  const body = (text === undefined ? undefined : cutFrom(text, messages)) ?? writtenAnew(envelope, messages)
  return body === undefined ? { verdict: 'contract', messageId } : { verdict: 'bound', body, messageId }
}

function cutFrom(text: string, messages: readonly JsonObject[]): string | undefined {
  const [marker, ...others] = messages.map(markerOf)
  const isPlain = others.length === 0 && (marker === undefined || typeof marker === 'string')
  return isPlain ? cutMarker(text, marker) : undefined
}

/** JSON.parse reads any depth, JSON.stringify does not: undefined for what it cannot write. */
function writtenAnew(envelope: JsonObject, messages: readonly JsonObject[]): string | undefined {
  for (const message of messages) removeMarker(message)
  try {
    return JSON.stringify(envelope)
  } catch {
    return undefined
  }
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
