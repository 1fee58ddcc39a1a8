// Who may see a message, and who may send to whom (docs/cometchat-facts.md §2, §6).
import type { ChatContext } from './context.ts'
import { ChatError, guidNotFound, messageNotFound, noAccess, uidNotFound } from './errors.ts'
import type { Target } from './message-body.ts'
import { APP_SYSTEM } from './state.ts'
import type { Group, StoredMessage, User } from './types.ts'

/** The user that a header or a path names: lower-cased, existing and active, or ERR_UID_NOT_FOUND. */
export function requireUser(context: ChatContext, uid: string): User {
  const user = context.state.users.get(uid.toLowerCase())
  if (user === undefined || user.deactivated) throw uidNotFound(uid)
  return user
}

/** A reply, reaction or edit is refused until the message has settled, even to its own sender. */
export function isSettled({ settleMs, switches, now }: ChatContext, message: StoredMessage): boolean {
  const waitMs = message.moderated ? Math.max(settleMs, switches.moderationMs) : settleMs
  return now() >= message.sentAtMs + waitMs
}

function requireMember({ switches }: ChatContext, group: Group, uid: string, messageId?: string): void {
  if (group.banned.has(uid)) {
    throw new ChatError(
      'ERR_BANNED_GROUPMEMBER',
      `The user with UID ${uid} is banned from the group with GUID ${group.guid}.`
    )
  }
  if (group.members.has(uid)) return
  if (messageId !== undefined && switches.notAMember === 'no-access') throw noAccess(uid, messageId)
  throw new ChatError(
    'ERR_GROUP_NOT_JOINED',
    `The user with UID ${uid} has not joined the group with GUID ${group.guid}.`
  )
}

/** Finds a message for a viewer; null is the app itself, which sees everything. */
export function requireVisible(context: ChatContext, id: string, viewer: string | null): StoredMessage {
  const { state, switches } = context
  const message = state.messages.get(id)
  if (message === undefined) throw messageNotFound(id)
  if (message.deleted !== null && switches.deletedParent === 'not-found') throw messageNotFound(id)
  if (viewer === null || viewer === APP_SYSTEM) return message
  if (message.receiverType === 'group') {
    requireMember(context, state.mustHaveGroup(message.receiver), viewer, id)
  } else if (viewer !== message.sender && viewer !== message.receiver) {
    throw noAccess(viewer, id)
  }
  return message
}

/** Refuses a receiver that does not exist or may not be written to; says whether the post would hang for ever. */
export function requireReachable(context: ChatContext, sender: string, target: Target): { readonly hangs: boolean } {
  const { state, switches } = context
  const { receiver, receiverType } = target
  if (receiverType === 'group') {
    const group = state.groups.get(receiver)
    if (group === undefined) throw guidNotFound(receiver)
    if (sender !== APP_SYSTEM) requireMember(context, group, sender)
    return { hangs: false }
  }
  requireUser(context, receiver)
  if (state.hasBlocked(sender, receiver)) {
    throw new ChatError(
      'ERR_BLOCKED_RECEIVER',
      `The user with UID ${sender} has blocked the user with UID ${receiver}.`
    )
  }
  if (!state.hasBlocked(receiver, sender) || switches.blockedByReceiver === 'accepted') return { hangs: false }
  if (switches.blockedByReceiver === 'hangs') return { hangs: true }
  throw new ChatError('ERR_BLOCKED_SENDER', `The user with UID ${sender} is blocked by the user with UID ${receiver}.`)
}
