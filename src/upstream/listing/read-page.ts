import { decodeUtf8, idText, isObject, type JsonObject, parseJsonText } from '../../lib/json.ts'
import { mayHoldMarker } from '../marker.ts'
import { parentIdOf } from '../reply-answer.ts'
import { readNext, secondsOf } from '../thread/read-page.ts'
import type { ListedMessage, ListedPage } from './page.ts'
import { shownMessage } from './shown-message.ts'

/** Undefined for what is no page of a thread, `foreign` for one of another thread. */
export function readListedPage(bytes: Uint8Array, parentId: string, asked: number): ListedPage | 'foreign' | undefined {
  const text = decodeUtf8(bytes)
  const envelope = text === undefined ? undefined : parseJsonText(text)
  const messages = isObject(envelope) ? envelope['data'] : undefined
  if (!isObject(envelope) || !Array.isArray(messages)) return undefined
  const isForeign = (message: unknown): boolean => isObject(message) && (parentIdOf(message) ?? parentId) !== parentId
  if (messages.some(isForeign)) return 'foreign'
  const next = readNext(envelope)
  const isMarked = text !== undefined && mayHoldMarker(text)
  return {
    kind: 'messages',
    messages: messages.flatMap(message => readMessage(message, isMarked)),
    size: sizeIn(envelope, asked),
    ...(next && { next })
  }
}

/** One without an id is none that anything could be done with. */
function readMessage(message: unknown, isMarked: boolean): ListedMessage[] {
  const id = isObject(message) ? idText(message['id']) : undefined
  if (!isObject(message) || id === undefined) return []
  const sentAt = secondsOf(message['sentAt'])
  return [{ id, ...(sentAt !== undefined && { sentAt }), shown: shownMessage(message, isMarked) }]
}

/** `meta.current.limit`, as the documentation has it. */
function sizeIn({ meta }: JsonObject, asked: number): number {
  const current = isObject(meta) ? meta['current'] : undefined
  const limit = isObject(current) ? current['limit'] : undefined
  return typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 1 ? Math.min(limit, asked) : asked
}
