import { idText, isObject, parseJson } from '../lib/json.ts'
import { markerOf } from './marker.ts'
import { judgeReply, type ReplyAnswer } from './reply-answer.ts'
import type { ThreadPage } from './thread-search.ts'
import type { SoughtReply } from './types.ts'

/** How the first message of a page begins: CometChat writes ids before everything else. */
const FIRST_ID =
  /^[ \t\r\n]*\{[ \t\r\n]*"data"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*\{[ \t\r\n]*"id"[ \t\r\n]*:[ \t\r\n]*"?(\d{1,20})\b/

/** Looks through one page of a thread for the message that carries a marker; undefined for what is no such page. */
export function readThreadPage(
  bytes: Uint8Array,
  { parentId, uid, marker }: SoughtReply
): ThreadPage<ReplyAnswer> | undefined {
  const envelope = parseJson(bytes)
  const messages = isObject(envelope) ? envelope['data'] : undefined
  if (!Array.isArray(messages)) return undefined
  // The page of another thread proves no absence from this one.
  const isOfAnother = (message: unknown): boolean =>
    isObject(message) && (idText(message['parentId']) ?? parentId) !== parentId
  if (messages.some(isOfAnother)) return undefined
  // The sender, too: whoever can read the thread could repeat a marker.
  const isSought = (message: unknown): boolean =>
    isObject(message) && markerOf(message) === marker && message['sender'] === uid
  const message = messages.find(isSought)
  if (message === undefined) return { kind: 'messages', ids: messages.map(idOf), bytes: bytes.length }
  return { kind: 'found', found: judgeReply({ data: message }, { parentId, uid, marker, several: false }) }
}

/** A page of which only the beginning could be read. */
export function readLargePage(beginning: Uint8Array): ThreadPage<never> {
  const [, firstId] = FIRST_ID.exec(Buffer.from(beginning).toString('latin1')) ?? []
  return { kind: 'too-large', ...(firstId !== undefined && { firstId }) }
}

/** A message without an id counts as one, but is like no other. */
function idOf(message: unknown, index: number): string {
  return (isObject(message) ? idText(message['id']) : undefined) ?? `no id, ${index}`
}
