import { AppError } from '../errors.ts'
import type { Budget } from './attempts.ts'
import type { CometChatClient, PostedReply, Receiver, Reply } from './cometchat-client.ts'
import type { CometChatUid } from './cometchat-uid.ts'
import { newUserFrom, type SenderProfile } from './new-user.ts'
import type { CometChatUsers } from './users.ts'
import { isAboutUnknownUser, unknownSender } from './verdicts.ts'

export interface KnownSenderOptions {
  readonly client: CometChatClient
  readonly users: CometChatUsers
  /** Whether a sender whom CometChat does not know is created. */
  readonly create: boolean
  readonly onCreated?: (uid: CometChatUid) => void
}

const MAX_REMEMBERED = 10_000

/**
 * A client that knows what "no such user" means. CometChat says it of senders and receivers alike, so a refused post
 * is followed by a look at the sender. A sender who does not exist is refused as `identity-unmappable`, or, where that
 * is switched on, created once. Nothing is posted while CometChat says so, and no user who exists is ever changed.
 */
export function withKnownSender({ client, users, create, onCreated }: KnownSenderOptions): CometChatClient {
  const creating = new Map<CometChatUid, Promise<void>>()
  const created = new Set<CometChatUid>()

  async function createUser(uid: CometChatUid, profile: SenderProfile | undefined, budget: Budget): Promise<void> {
    // Whoever exists without being visible was deactivated by somebody: that is not for us to undo.
    if ((await users.create(uid, newUserFrom(uid, profile), budget)) === 'exists') throw deactivated()
    created.add(uid)
    const oldest = created.size > MAX_REMEMBERED ? created.values().next().value : undefined
    if (oldest !== undefined) created.delete(oldest)
    onCreated?.(uid)
  }

  /** Resolves once the sender can have come into being; first calls of one user share one creation. */
  async function ensureSender(uid: CometChatUid, profile: SenderProfile | undefined, budget: Budget): Promise<void> {
    if (!create) throw unknownSender()
    if (created.has(uid)) return
    const underWay = creating.get(uid)
    if (underWay) {
      // Its caller may have less time, or go away: what became of it counts, not how it ended.
      await underWay.catch(() => undefined)
      return ensureSender(uid, profile, budget)
    }
    const creation = createUser(uid, profile, budget).finally(() => creating.delete(uid))
    creating.set(uid, creation)
    return creation
  }

  /** Makes a call, and once more when only its sender was missing and could be created. */
  async function withSender<T>(call: () => Promise<T>, ...sender: Parameters<typeof ensureSender>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      if (!isUnknownSender(error)) throw error
      await ensureSender(...sender)
      return call()
    }
  }

  async function post(reply: Reply, receiver: Receiver, budget: Budget): Promise<PostedReply> {
    try {
      return await client.postReply(reply, receiver, budget)
    } catch (error) {
      if (!isAboutUnknownUser(error) || (await users.exists(reply.uid, budget))) throw error
      throw unknownSender()
    }
  }

  return {
    ...client,
    readMessage: (parentId, uid, budget, profile) =>
      withSender(() => client.readMessage(parentId, uid, budget), uid, profile, budget),
    postReply: (reply, receiver, budget) =>
      withSender(() => post(reply, receiver, budget), reply.uid, reply.profile, budget)
  }
}

function isUnknownSender(error: unknown): boolean {
  return isAboutUnknownUser(error) && error.code === 'identity-unmappable'
}

function deactivated(): AppError {
  return new AppError('identity-unmappable', 'The signed-in user is not active in CometChat.', {
    reason: 'user-deactivated'
  })
}
