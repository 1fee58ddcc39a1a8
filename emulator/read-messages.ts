// GET /messages/{id} and GET /messages/{id}/thread.
import { isSettled, requireUser, requireVisible } from './access.ts'
import type { ApiRequest, ChatContext, Outcome } from './context.ts'
import { badRequest } from './errors.ts'
import type { JsonObject, StoredMessage } from './types.ts'
import { messageToWire } from './wire.ts'

const DEFAULT_PER_PAGE = 100
/** Documented for the other lists; nothing is said for this one. */
const MAX_PER_PAGE = 1000

function viewerOf(context: ChatContext, { headers }: ApiRequest): string | null {
  const onBehalfOf = headers['onbehalfof']
  return onBehalfOf === undefined || onBehalfOf === '' ? null : requireUser(context, onBehalfOf).uid
}

function readCount(query: URLSearchParams, name: string, fallback: number, max = Number.MAX_SAFE_INTEGER): number {
  const text = query.get(name)
  if (text === null) return fallback
  const count = Number(text)
  if (/^[0-9]+$/.test(text) && count >= 1 && count <= max) return count
  throw badRequest({ [name]: [`The ${name} must be between 1 and ${max}.`] })
}

export function readMessage(context: ChatContext, request: ApiRequest, id: string): Outcome {
  const message = requireVisible(context, id, viewerOf(context, request))
  return { body: () => ({ data: messageToWire(message, context) }) }
}

function isListed(context: ChatContext, message: StoredMessage, viewer: string | null): boolean {
  const { unsettledListedTo } = context.switches
  if (unsettledListedTo === 'everyone' || isSettled(context, message)) return true
  return unsettledListedTo === 'sender' && viewer === message.sender
}

/** Cursor meta although the parameters are pages: CometChat's example mixes the two (docs/cometchat-facts.md §7.1). */
function listMeta(limit: number, page: readonly StoredMessage[]): JsonObject {
  const last = page.at(-1)
  const next = last && { affix: 'append', sentAt: Math.floor(last.sentAtMs / 1000), id: last.id }
  return { current: { limit, count: page.length }, ...(next && { next }) }
}

export function listThread(context: ChatContext, request: ApiRequest, id: string, query: URLSearchParams): Outcome {
  const viewer = viewerOf(context, request)
  requireVisible(context, id, viewer)
  const perPage = readCount(query, 'perPage', DEFAULT_PER_PAGE, MAX_PER_PAGE)
  const first = (readCount(query, 'page', 1) - 1) * perPage
  const hidesDeleted = query.get('hideDeleted') === 'true'
  const listed = context.state
    .replies(id)
    .filter(reply => isListed(context, reply, viewer) && !(hidesDeleted && reply.deletedAtMs !== null))
  if (context.switches.threadOrder === 'newest-first') listed.reverse()
  const page = listed.slice(first, first + perPage)
  const view = { withTags: query.get('withTags') === 'true' }
  return {
    body: () => ({ data: page.map(reply => messageToWire(reply, context, view)), meta: listMeta(perPage, page) })
  }
}
