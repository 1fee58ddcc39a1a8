// Users and groups as CometChat sends them (docs/cometchat-facts.md §3.1).
import { APP_SYSTEM, type State } from './state.ts'
import type { JsonObject, StoredMessage, User } from './types.ts'

export const seconds = (ms: number): number => Math.floor(ms / 1000)

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

export function receiverToWire(message: StoredMessage, state: State): JsonObject {
  const { receiver, receiverType, sender, conversationId } = message
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
