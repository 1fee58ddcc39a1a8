// From what is stored to the JSON that CometChat sends (docs/cometchat-facts.md §3).
import { mentionedUids } from './mentions.ts'
import { isRemovedByModeration, moderationStatus } from './moderation.ts'
import { APP_SYSTEM, type State } from './state.ts'
import type { Switches } from './switches.ts'
import type { JsonObject, StoredMessage } from './types.ts'
import { receiverToWire, seconds, userToWire } from './wire-entities.ts'

export interface WireContext {
  readonly state: State
  readonly switches: Switches
  readonly now: () => number
}

export interface View {
  readonly withTags?: boolean
  /** The answer to the post itself, where `metadata: 'missing-in-answer'` applies. */
  readonly ofPost?: boolean
  /** Whose subscription `threadSubscribed` tells; it is left out without one. */
  readonly subscriber?: string | undefined
}

function mentionsToWire(text: unknown, state: State): JsonObject | undefined {
  const users = mentionedUids(text).flatMap(uid => state.users.get(uid) ?? [])
  return users.length === 0 ? undefined : Object.fromEntries(users.map(user => [user.uid, userToWire(user)]))
}

/** What the server writes beside the sender's own metadata when extensions are on. */
function withInjected(metadata: unknown, { injectedExtensions }: Switches): unknown {
  if (injectedExtensions.length === 0) return metadata
  const results = { 'link-preview': { links: [] } } as JsonObject
  const extensions = Object.fromEntries(injectedExtensions.map(name => [name, results[name] ?? {}]))
  return { ...(typeof metadata === 'object' && metadata), '@injected': { extensions } }
}

function actionToWire(message: StoredMessage, on: StoredMessage, context: WireContext): JsonObject {
  const { state } = context
  const entity = messageToWire(on, context, { withTags: on.tags.length > 0 })
  return {
    ...message.data,
    entities: {
      by: { entity: userToWire(state.mustHaveUser(message.sender)), entityType: 'user' },
      for: { entity: receiverToWire(message, state), entityType: message.receiverType },
      on: { entity, entityType: 'message' }
    }
  }
}

function dataToWire(message: StoredMessage, context: WireContext, hidesMetadata: boolean): JsonObject {
  const { state, switches } = context
  if (message.actsOn !== null) return actionToWire(message, message.actsOn, context)
  const { metadata: own, ...content } = message.deleted === null ? message.data : {}
  const metadata = message.deleted === null ? withInjected(own, switches) : undefined
  const mentions = mentionsToWire(content['text'], state)
  const moderation = moderationStatus(message, context)
  return {
    ...content,
    ...(metadata !== undefined && !hidesMetadata && { metadata }),
    ...(mentions && { mentions }),
    ...(moderation && { moderation: { status: moderation } }),
    entities: {
      sender: { entity: userToWire(state.mustHaveUser(message.sender)), entityType: 'user' },
      receiver: { entity: receiverToWire(message, state), entityType: message.receiverType }
    }
  }
}

const idToWire = (id: string, { ids }: Switches): unknown => (ids === 'number' ? exactNumber(id) : id)

/** The message that is quoted, as it is now, without its entities; nothing when there is none. */
function quoteToWire({ quotedMessageId }: StoredMessage, { state, switches }: WireContext): JsonObject {
  if (quotedMessageId === null) return {}
  const quoted = state.messages.get(quotedMessageId)
  if (quoted === undefined || quoted.deleted !== null) return { quotedMessageId: idToWire(quotedMessageId, switches) }
  const { id, conversationId, sender, receiverType, receiver, category, type, data, sentAtMs } = quoted
  const shown = { id: idToWire(id, switches), conversationId, sender, receiverType, receiver, category, type, data }
  return { quotedMessageId: shown.id, quotedMessage: { ...shown, sentAt: seconds(sentAtMs) } }
}

function tombstoneToWire(message: StoredMessage, { switches }: WireContext): JsonObject {
  const { atMs, by } = message.deleted ?? {
    atMs: message.verdict?.atMs ?? message.sentAtMs + switches.moderationMs,
    by: APP_SYSTEM
  }
  return {
    id: idToWire(message.id, switches),
    conversationId: message.conversationId,
    deletedAt: seconds(atMs),
    deletedBy: by
  }
}

/** When it was sent, edited and deleted, and by whom. */
function stampsToWire({ sentAtMs, edited, deleted }: StoredMessage): JsonObject {
  return {
    sentAt: seconds(sentAtMs),
    ...(edited !== null && { editedAt: seconds(edited.atMs), editedBy: edited.by }),
    updatedAt: seconds(deleted?.atMs ?? edited?.atMs ?? sentAtMs),
    ...(deleted !== null && { deletedAt: seconds(deleted.atMs), deletedBy: deleted.by })
  }
}

function wholeToWire(message: StoredMessage, context: WireContext, view: View): JsonObject {
  const { state, switches } = context
  const { muid, parentId, replyCount } = message
  const hidesMetadata = switches.metadata === 'missing' || (view.ofPost === true && switches.metadata !== 'echoed')
  const { subscriber } = view
  return {
    id: idToWire(message.id, switches),
    ...(muid !== null && { muid }),
    conversationId: message.conversationId,
    sender: message.sender,
    receiverType: message.receiverType,
    receiver: message.receiver,
    category: message.category,
    type: message.type,
    ...quoteToWire(message, context),
    ...(subscriber !== undefined && { threadSubscribed: state.isSubscribed(parentId ?? message.id, subscriber) }),
    data: dataToWire(message, context, hidesMetadata),
    ...stampsToWire(message),
    ...(view.withTags === true && { tags: message.tags }),
    ...(replyCount > 0 && { replyCount }),
    ...(parentId !== null && { parentId: idToWire(parentId, switches) })
  }
}

export function messageToWire(message: StoredMessage, context: WireContext, view: View = {}): JsonObject {
  const isBare = message.deleted !== null && context.switches.tombstones !== 'whole'
  if (isBare || isRemovedByModeration(message, context)) return tombstoneToWire(message, context)
  return wholeToWire(message, context, view)
}

/** A JSON number with all its digits, which no JavaScript number has beyond 2^53. */
export function exactNumber(digits: string): unknown {
  // TypeScript's library does not declare JSON.rawJSON yet; Node has had it since 21.
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
  return rawJSON(digits)
}
