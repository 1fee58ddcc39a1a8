import { AppError } from '../errors.ts'
import type { CometChatClient } from './cometchat-client.ts'
import type { CometChatUid } from './cometchat-uid.ts'
import type { Deadline, PostedReply, Reply, SenderProfile } from './types.ts'
import { isAboutUnknownUser, unknownSender } from './upstream-error.ts'
import type { CometChatUsers } from './users.ts'
import { newUserFrom } from './users.ts'

export interface KnownSenderOptions {
  readonly client: CometChatClient
  readonly users: CometChatUsers
  /** Whether a sender whom CometChat does not know is created. */
  readonly create: boolean
  readonly onCreated?: (uid: CometChatUid) => void
}

type PostArguments = Parameters<CometChatClient['postReply']>

const MAX_REMEMBERED = 10_000

/**
 * A client that knows what "no such user" means. CometChat says it of senders and receivers alike, so a refused post
 * is followed by a look at the sender. A sender who does not exist is refused as `identity-unmappable`, or, where that
 * is switched on, created once. Nothing is posted while CometChat says so, and no user who exists is ever changed.
 */
export function withKnownSender({ client, users, create, onCreated }: KnownSenderOptions): CometChatClient {
  const creating = new Map<CometChatUid, Promise<void>>()
  const created = new Set<CometChatUid>()

  async function createUser(uid: CometChatUid, profile: SenderProfile | undefined, deadline: Deadline): Promise<void> {
    // Whoever exists without being visible was deactivated by somebody: that is not for us to undo.
    if ((await users.create(uid, newUserFrom(uid, profile), deadline)) === 'exists') throw deactivated()
    created.add(uid)
    const oldest = created.size > MAX_REMEMBERED ? created.values().next().value : undefined
    if (oldest !== undefined) created.delete(oldest)
    onCreated?.(uid)
  }

  /** Resolves once the sender can have come into being; first calls of one user share one creation. */
  async function ensureSender(
    uid: CometChatUid,
    profile: SenderProfile | undefined,
    deadline: Deadline
  ): Promise<void> {
    if (!create) throw unknownSender()
    if (created.has(uid)) return
    const underWay = creating.get(uid)
    if (underWay) {
      // Its caller may have less time, or go away: what became of it counts, not how it ended.
      await underWay.catch(() => undefined)
      return ensureSender(uid, profile, deadline)
    }
    const creation = createUser(uid, profile, deadline).finally(() => creating.delete(uid))
    creating.set(uid, creation)
    return creation
  }

  /** After a refused call: resolves when only its sender was missing and could be created; else throws the refusal. */
  async function mendSender(error: unknown, ...sender: Parameters<typeof ensureSender>): Promise<void> {
    if (!isUnknownSender(error)) throw error
    await ensureSender(...sender)
  }

  /** What a refused post means: the user whom CometChat does not know may be the sender or the receiver. */
  async function meaningOf(error: unknown, { uid }: Reply, deadline: Deadline): Promise<unknown> {
    return !isAboutUnknownUser(error) || (await users.exists(uid, deadline)) ? error : unknownSender()
  }

  async function postAgain(error: unknown, ...[reply, receiver, deadline]: PostArguments): Promise<PostedReply> {
    await mendSender(await meaningOf(error, reply, deadline), reply.uid, reply.profile, deadline)
    return client.postReply(reply, receiver, deadline).catch(async again => {
      throw await meaningOf(again, reply, deadline)
    })
  }

  return {
    ...client,
    readMessage: (parentId, uid, deadline, profile) =>
      client.readMessage(parentId, uid, deadline).catch(async error => {
        await mendSender(error, uid, profile, deadline)
        return client.readMessage(parentId, uid, deadline)
      }),
    postReply: (...post) => client.postReply(...post).catch(error => postAgain(error, ...post))
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
