import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { decodeUtf8, idText, isObject, type JsonObject, parseJsonText } from '../lib/json.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import { cutMarker, markerOf, removeMarker } from './marker.ts'
import { type AskedReceivers, type CertainRefusal, type ReceiverAnswer, receiverAnswers } from './receiver-answers.ts'

/** What an answer must repeat to be the answer to a request. */
export interface Expectation {
  readonly parentId: string
  readonly uid: CometChatUid
  /** Absent when markers are switched off. */
  readonly marker?: string
  /** With several receivers CometChat may answer for each of them. */
  readonly several: false | AskedReceivers
}

export type ReplyAnswer =
  /** `body` is CometChat's envelope with the marker taken out. */
  | {
      readonly verdict: 'bound'
      readonly body: string
      readonly messageId: string
      /** Members that are not as documented, and that nothing here depends on. */
      readonly deviations: readonly string[]
      /** Of single receivers, where there are several. */
      readonly refusals?: readonly CertainRefusal[]
    }
  /** The reply exists, but its description has no id, or cannot be written down. */
  | { readonly verdict: 'contract'; readonly messageId?: string }
  /** Every single receiver was refused for certain. */
  | { readonly verdict: 'refused'; readonly refusals: readonly (CertainRefusal & { readonly pointer: string })[] }
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
  const { data } = envelope
  const answers = expected.several && receiverAnswers(data, expected.several)
  if (answers === 'foreign') return { verdict: 'mismatch' }
  // A list is told as it came.
  if (answers) return judgeReceivers(answers, expected, Array.isArray(data) ? envelope : undefined)
  return isObject(data) ? judgeMessage(envelope, data, expected, text) : { verdict: 'unreadable' }
}

function judgeMessage(
  envelope: JsonObject,
  message: JsonObject,
  expected: Expectation,
  text: string | undefined
): ReplyAnswer {
  const binding = bindingOf(message, expected)
  if (binding !== 'bound') return { verdict: binding }
  const messageId = idText(message['id'])
  if (messageId === undefined) return { verdict: 'contract' }
  const deviations = deviationsOf(message)
  const body = (text === undefined ? undefined : cutFrom(text, message)) ?? writtenAnew(envelope, [message])
  return body === undefined ? { verdict: 'contract', messageId } : { verdict: 'bound', body, messageId, deviations }
}

/**
 * A receiver without an answer, or with one that proves nothing, leaves all of it unknown: what was posted to the others
 * must not be posted to them again.
 */
function judgeReceivers(
  answers: readonly ReceiverAnswer[],
  expected: Expectation,
  list: JsonObject | undefined
): ReplyAnswer {
  const sent = answers.flatMap(({ receiver, receiverType, result }) =>
    result && 'message' in result ? [{ receiver, receiverType, data: result.message }] : []
  )
  const refusals = answers.flatMap(({ receiver, pointer, result }) =>
    result && 'refusal' in result ? [{ ...result.refusal, receiver, pointer }] : []
  )
  const bindings = sent.map(({ data }) => bindingOf(data, expected, true))
  if (bindings.includes('mismatch')) return { verdict: 'mismatch' }
  if (bindings.includes('unreadable') || sent.length + refusals.length < answers.length) {
    return { verdict: 'unreadable' }
  }
  const [first] = sent
  const messageId = idText(first?.data['id'])
  if (!first) return { verdict: 'refused', refusals }
  if (messageId === undefined) return { verdict: 'contract' }
  const failed = refusals.map(({ receiver, code }) => ({ receiver, code }))
  const told = list ?? { data: first.data, receivers: sent, ...(failed.length > 0 && { failed }) }
  const messages = sent.map(({ data }) => data)
  const deviations = [...new Set(messages.flatMap(deviationsOf))]
  const body = writtenAnew(told, messages)
  return body === undefined
    ? { verdict: 'contract', messageId }
    : { verdict: 'bound', body, messageId, deviations, refusals }
}

function cutFrom(text: string, message: JsonObject): string | undefined {
  const marker = markerOf(message)
  return marker === undefined || typeof marker === 'string' ? cutMarker(text, marker) : undefined
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

/**
 * Sender and thread must be there and equal; one that differs is proof enough that the answer is another's. A marker
 * must not be another's; none at all is accepted, because a CometChat that does not echo metadata still answered
 * this user about this thread. Of several receivers only one is in the thread: there the parent may be missing.
 */
function bindingOf(message: JsonObject, expected: Expectation, isOfSeveral = false): Binding {
  const parentId = parentIdOf(message)
  const sender = typeof message['sender'] === 'string' ? message['sender'] : undefined
  const differs = (found: unknown, wanted: unknown): boolean => found !== undefined && found !== wanted
  const isForeign =
    differs(parentId, expected.parentId) || differs(sender, expected.uid) || differs(markerOf(message), expected.marker)
  if (isForeign) return 'mismatch'
  const isKnown = sender !== undefined && (parentId !== undefined || isOfSeveral)
  return isKnown ? 'bound' : 'unreadable'
}

/**
 * A message as CometChat documents it (`messageSchema` of its OpenAPI document), less what an answer is judged by:
 * whatever differs here is only counted.
 */
const DESCRIBED = {
  receiver: Type.String(),
  receiverType: Type.Union([Type.Literal('user'), Type.Literal('group')]),
  category: Type.String(),
  type: Type.String(),
  data: Type.Object({}),
  sentAt: Type.Integer(),
  updatedAt: Type.Optional(Type.Integer()),
  conversationId: Type.Optional(Type.String()),
  muid: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String()))
}
const described = TypeCompiler.Compile(Type.Object(DESCRIBED))
/** The members that may be told as deviating. */
export const DESCRIBED_MEMBERS = Object.keys(DESCRIBED) as (keyof typeof DESCRIBED)[]
const single = Object.fromEntries(
  DESCRIBED_MEMBERS.map(name => [name, TypeCompiler.Compile(Type.Pick(Type.Object(DESCRIBED), [name]))])
)

/** The members that are not as documented: a closed list of names, fit for a log line. */
function deviationsOf(message: JsonObject): readonly string[] {
  if (described.Check(message)) return NONE
  return DESCRIBED_MEMBERS.filter(name => !single[name]?.Check(message))
}
const NONE: readonly string[] = []

/** The message that a message replies to. CometChat writes "none" as no member, null, 0, "0" or an empty text. */
export function parentIdOf(message: JsonObject): string | undefined {
  const id = idText(message['parentId'])
  return id === undefined || /^0+$/.test(id) ? undefined : id
}
