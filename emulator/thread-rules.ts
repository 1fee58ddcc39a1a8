// What a parent must be for a reply to be taken (docs/cometchat-facts.md §2).
import { isSettled, requireVisible } from './access.ts'
import type { ChatContext } from './context.ts'
import { ChatError, noAccess } from './errors.ts'
import type { Target } from './message-body.ts'
import { APP_SYSTEM } from './state.ts'
import type { StoredMessage } from './types.ts'

/** The parent of a reply that `sender` may write now, or the refusal. */
export function requireParent(context: ChatContext, id: string, sender: string): StoredMessage {
  const { switches } = context
  const parent = requireVisible(context, id, sender)
  const isRefusedOwn = switches.ownParent === 'refused' && parent.receiverType === 'user' && parent.sender === sender
  if (!isSettled(context, parent) || isRefusedOwn) throw noAccess(sender, id)
  if (parent.parentId !== null) {
    throw new ChatError('ERR_MESSAGE_THREAD_NESTING', `The message with id ${id} is already part of a thread.`)
  }
  if (!switches.parentCategories.includes(parent.category)) {
    throw new ChatError('ERR_WRONG_MESSAGE_THREAD_CATEGORY', `The message with id ${id} cannot have a thread.`)
  }
  return parent
}

/** The parent's conversation as the sender sees it: in a 1-on-1, the other party. */
export function conversationOf(parent: StoredMessage, sender: string): Target {
  const { receiver, receiverType } = parent
  if (receiverType === 'user' && parent.sender !== sender) return { receiver: parent.sender, receiverType }
  return { receiver, receiverType }
}

export function requireSameConversation(parent: StoredMessage, sender: string, target: Target): void {
  const expected = conversationOf(parent, sender)
  const isParty =
    target.receiver === expected.receiver || (sender === APP_SYSTEM && target.receiver === parent.receiver)
  if (target.receiverType === expected.receiverType && isParty) return
  throw new ChatError(
    'ERR_WRONG_MESSAGE_THREAD',
    `The conversation of the message with id ${parent.id} does not match the one of the new message.`
  )
}
