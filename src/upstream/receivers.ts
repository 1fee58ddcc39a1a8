import { LRUCache } from 'lru-cache'
import { AppError } from '../errors.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import type { CometChatClient } from './cometchat-client.ts'
import { threadNotFound } from './errors/upstream-error.ts'
import type { Parent, Receiver } from './types.ts'

export interface ReceiverOf {
  (...read: Parameters<CometChatClient['readMessage']>): Promise<Receiver>
  /** The receiver where it is remembered; asks nothing of CometChat. */
  known?(parentId: string, uid: CometChatUid): Receiver | undefined
}

const MAX_REMEMBERED = 10_000

export type RememberedReceivers = LRUCache<string, Receiver>

export function rememberReceivers(): RememberedReceivers {
  return new LRUCache<string, Receiver>({ max: MAX_REMEMBERED })
}

/**
 * Finds who receives a reply: the parent message is read once as this user and then remembered, since its
 * conversation never changes. Remembered for each user apart, so that the time of an answer tells no user
 * whether another user's thread exists.
 */
export function createReceivers(
  client: Pick<CometChatClient, 'readMessage'>,
  remembered: RememberedReceivers = rememberReceivers()
): ReceiverOf {
  const known = (parentId: string, uid: CometChatUid): Receiver | undefined => remembered.get(`${uid}/${parentId}`)

  const receiverOf: ReceiverOf = async (parentId, uid, deadline, profile) => {
    const found = known(parentId, uid)
    if (found) return found
    const receiver = receiverFrom(await client.readMessage(parentId, uid, deadline, profile), uid)
    remembered.set(`${uid}/${parentId}`, receiver)
    return receiver
  }
  return Object.assign(receiverOf, { known })
}

/** In a conversation of two the receiver is the other one, as seen from the sender. */
function receiverFrom({ sender, receiver, receiverType, isReply }: Parent, uid: CometChatUid): Receiver {
  if (isReply) throw nested()
  if (receiverType === 'group') return { receiver, receiverType }
  if (sender === uid) return { receiver, receiverType }
  if (receiver === uid) return { receiver: sender, receiverType }
  throw threadNotFound()
}

function nested(): AppError {
  return new AppError('thread-mismatch', 'The message is itself a reply; threads have one level.', {
    reason: 'parent-is-reply'
  })
}
