import { idText, isObject, parseJson } from '../lib/json.ts'
import type { SoughtReply } from './cometchat-client.ts'
import { markerOf } from './marker.ts'
import { judgeReply, type ReplyAnswer } from './reply-answer.ts'

export type ThreadSearch =
  | { readonly kind: 'found'; readonly answer: ReplyAnswer }
  | { readonly kind: 'absent'; readonly messages: number }
  | { readonly kind: 'unreadable' }

/** Looks through one page of a thread for the message that carries a marker. */
export function searchThreadPage(bytes: Uint8Array, { parentId, uid, marker }: SoughtReply): ThreadSearch {
  const envelope = parseJson(bytes)
  const messages = isObject(envelope) ? envelope['data'] : undefined
  if (!Array.isArray(messages)) return { kind: 'unreadable' }
  // The page of another thread proves no absence from this one.
  const isOfAnother = (message: unknown): boolean =>
    isObject(message) && (idText(message['parentId']) ?? parentId) !== parentId
  if (messages.some(isOfAnother)) return { kind: 'unreadable' }
  // The sender, too: whoever can read the thread could repeat a marker.
  const isSought = (message: unknown): boolean =>
    isObject(message) && markerOf(message) === marker && message['sender'] === uid
  const message = messages.find(isSought)
  if (message === undefined) return { kind: 'absent', messages: messages.length }
  return { kind: 'found', answer: judgeReply({ data: message }, { parentId, uid, marker, several: false }) }
}
