// GET /messages/{id} and GET /messages/{id}/thread.
import { isSettled, requireUser, requireVisible } from './access.ts'
import type { ApiRequest, ChatContext, Outcome } from './context.ts'
import { isDisapproved } from './moderation.ts'
import { cutPage, pageMeta, readPageRequest } from './thread-pages.ts'
import type { StoredMessage } from './types.ts'
import { messageToWire } from './wire.ts'

function viewerOf(context: ChatContext, { headers }: ApiRequest): string | null {
  const onBehalfOf = headers['onbehalfof']
  return onBehalfOf === undefined || onBehalfOf === '' ? null : requireUser(context, onBehalfOf).uid
}

/** Whose subscription is to be told: the viewer's, when the request asks for it. */
const subscriberOf = (viewer: string | null, query: URLSearchParams): string | undefined =>
  query.get('withThreadSubscribed') === 'true' && viewer !== null ? viewer : undefined

export function readMessage(context: ChatContext, request: ApiRequest, id: string, query: URLSearchParams): Outcome {
  const viewer = viewerOf(context, request)
  const message = requireVisible(context, id, viewer)
  const view = { subscriber: subscriberOf(viewer, query) }
  return { body: () => ({ data: messageToWire(message, context, view) }) }
}

function isListed(context: ChatContext, message: StoredMessage, viewer: string | null): boolean {
  const { unsettledListedTo, disapproved } = context.switches
  const isOwn = viewer === message.sender
  const seesOwn = isOwn || viewer === null
  if (
    isDisapproved(message, context) &&
    (disapproved === 'hidden' || (disapproved === 'shown-to-sender' && !seesOwn))
  ) {
    return false
  }
  if (unsettledListedTo === 'everyone' || isSettled(context, message)) return true
  return unsettledListedTo === 'sender' && isOwn
}

export function listThread(context: ChatContext, request: ApiRequest, id: string, query: URLSearchParams): Outcome {
  const { switches, state } = context
  const viewer = viewerOf(context, request)
  requireVisible(context, id, viewer)
  const asked = readPageRequest(query, switches)
  const hidesDeleted = query.get('hideDeleted') === 'true' || switches.tombstones === 'absent'
  const isShown = (reply: StoredMessage) =>
    isListed(context, reply, viewer) && !(hidesDeleted && reply.deleted !== null)
  const page = cutPage(state.replies(id), asked, isShown, switches)
  const view = { withTags: query.get('withTags') === 'true', subscriber: subscriberOf(viewer, query) }
  const body = {
    data: page.replies.map(reply => messageToWire(reply, context, view)),
    meta: pageMeta(page, asked, switches)
  }
  return { body: () => body, afterAnswer: () => context.afterRead(id) }
}
