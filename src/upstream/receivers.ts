import { AppError } from '../errors.ts'
import type { CometChatClient } from './cometchat-client.ts'
import type { CometChatUid } from './cometchat-uid.ts'
import type { Parent, Receiver } from './types.ts'
import { threadNotFound } from './upstream-error.ts'

export interface ReceiverOf {
  (...read: Parameters<CometChatClient['readMessage']>): Promise<Receiver>
  /** The receiver where it is remembered, without asking anybody. */
  known?(parentId: string, uid: CometChatUid): Receiver | undefined
}

const MAX_REMEMBERED = 10_000

/**
 * Finds who receives a reply: the parent message is read once as this user and then remembered, since its
 * conversation never changes. Remembered for each user apart, so that the time an answer takes tells nobody
 * whether somebody else's thread exists.
 */
export function createReceivers(client: Pick<CometChatClient, 'readMessage'>): ReceiverOf {
  const remembered = new Map<string, Receiver>()
  const known = (parentId: string, uid: CometChatUid): Receiver | undefined => remembered.get(`${uid}/${parentId}`)

  const receiverOf: ReceiverOf = async (parentId, uid, deadline, profile) => {
    const found = known(parentId, uid)
    if (found) return found
    const receiver = receiverFrom(await client.readMessage(parentId, uid, deadline, profile), uid)
    const oldest = remembered.size >= MAX_REMEMBERED ? remembered.keys().next().value : undefined
    if (oldest !== undefined) remembered.delete(oldest)
    remembered.set(`${uid}/${parentId}`, receiver)
    return receiver
  }
  return Object.assign(receiverOf, { known })
}

/** In a conversation of two the receiver is the other one, as seen from the sender. */
function receiverFrom({ sender, receiver, receiverType, isReply }: Parent, uid: CometChatUid): Receiver {
  if (isReply) throw new AppError('thread-mismatch', 'The message is itself a reply; threads have one level.')
  if (receiverType === 'group') return { receiver, receiverType }
  if (sender === uid) return { receiver, receiverType }
  if (receiver === uid) return { receiver: sender, receiverType }
  throw threadNotFound()
}
