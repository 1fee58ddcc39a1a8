// From what is stored to the JSON that CometChat sends (docs/cometchat-facts.md §3).
import { APP_SYSTEM, type State } from './state.ts'
import type { Switches } from './switches.ts'
import type { JsonObject, StoredMessage, User } from './types.ts'

export interface WireContext {
  readonly state: State
  readonly switches: Switches
  readonly now: () => number
}

export interface View {
  readonly withTags?: boolean
  /** The answer to the post itself, where `metadata: 'missing-in-answer'` applies. */
  readonly ofPost?: boolean
}

const seconds = (ms: number): number => Math.floor(ms / 1000)

export function userToWire(user: User): JsonObject {
  const { uid, name, avatar, link, metadata, role, tags, createdAtMs } = user
  if (uid === APP_SYSTEM) return { uid, name, role, status: 'offline' }
  return {
    uid,
    name,
    ...(avatar !== undefined && { avatar }),
    ...(link !== undefined && { link }),
    ...(metadata !== undefined && { metadata }),
    status: 'offline',
    role,
    createdAt: seconds(createdAtMs),
    ...(tags !== undefined && { tags })
  }
}

function receiverToWire({ receiver, receiverType, sender, conversationId }: StoredMessage, state: State): JsonObject {
  if (receiverType === 'user') return { ...userToWire(state.mustHaveUser(receiver)), conversationId }
  const { guid, name, owner, members, createdAtMs } = state.mustHaveGroup(receiver)
  return {
    guid,
    name,
    type: 'public',
    membersCount: members.size,
    conversationId,
    hasJoined: members.has(sender),
    createdAt: seconds(createdAtMs),
    owner
  }
}

/** `<@uid:…>` in the text names the users that the server lists under `mentions`. */
export const mentionedUids = (text: unknown): string[] =>
  typeof text === 'string' && text.includes('<@uid:')
    ? [...new Set([...text.matchAll(/<@uid:([A-Za-z0-9_-]{1,100})>/g)].map(([, uid = '']) => uid.toLowerCase()))]
    : []

function mentionsToWire(text: unknown, state: State): JsonObject | undefined {
  const users = mentionedUids(text).flatMap(uid => state.users.get(uid) ?? [])
  return users.length === 0 ? undefined : Object.fromEntries(users.map(user => [user.uid, userToWire(user)]))
}

function moderationOf(message: StoredMessage, { switches, now }: WireContext): JsonObject | undefined {
  if (!message.moderated) return undefined
  return { status: now() < message.sentAtMs + switches.moderationMs ? 'pending' : switches.moderationVerdict }
}

function dataToWire(message: StoredMessage, context: WireContext, hidesMetadata: boolean): JsonObject {
  const { state } = context
  const { metadata, ...content } = message.deletedAtMs === null ? message.data : {}
  const mentions = mentionsToWire(content['text'], state)
  const moderation = moderationOf(message, context)
  return {
    ...content,
    ...(metadata !== undefined && !hidesMetadata && { metadata }),
    ...(mentions && { mentions }),
    ...(moderation && { moderation }),
    entities: {
      sender: { entity: userToWire(state.mustHaveUser(message.sender)), entityType: 'user' },
      receiver: { entity: receiverToWire(message, state), entityType: message.receiverType }
    }
  }
}

export function messageToWire(message: StoredMessage, context: WireContext, view: View = {}): JsonObject {
  const { switches } = context
  const { sentAtMs, deletedAtMs, muid, parentId, replyCount } = message
  const hidesMetadata = switches.metadata === 'missing' || (view.ofPost === true && switches.metadata !== 'echoed')
  const idToWire = (id: string) => (switches.ids === 'number' ? exactNumber(id) : id)
  return {
    id: idToWire(message.id),
    ...(muid !== null && { muid }),
    conversationId: message.conversationId,
    sender: message.sender,
    receiverType: message.receiverType,
    receiver: message.receiver,
    category: message.category,
    type: message.type,
    data: dataToWire(message, context, hidesMetadata),
    ...(view.withTags === true && { tags: message.tags }),
    sentAt: seconds(sentAtMs),
    updatedAt: seconds(deletedAtMs ?? sentAtMs),
    ...(deletedAtMs !== null && { deletedAt: seconds(deletedAtMs), deletedBy: message.sender }),
    ...(replyCount > 0 && { replyCount }),
    ...(parentId !== null && { parentId: idToWire(parentId) })
  }
}

/** A JSON number with all its digits, which no JavaScript number has beyond 2^53. */
export function exactNumber(digits: string): unknown {
  // TypeScript's library does not declare JSON.rawJSON yet; Node has had it since 21.
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
  return rawJSON(digits)
}
