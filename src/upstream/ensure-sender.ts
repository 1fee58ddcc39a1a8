import { LRUCache } from 'lru-cache'
import { AppError } from '../errors.ts'
import { SingleFlight } from '../lib/cache.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import type { Emit } from '../observability/events.ts'
import type { CometChatClient } from './cometchat-client.ts'
import { isAboutUnknownUser, unknownSender } from './errors/upstream-error.ts'
import type { Deadline, PostedReply, Receiver, Reply, SenderProfile } from './types.ts'
import type { CometChatUsers } from './users/users.ts'
import { newUserFrom } from './users/users.ts'

export interface EnsureSenderOptions {
  readonly client: CometChatClient
  readonly users: CometChatUsers
  /** Whether a sender whom CometChat does not know is created. */
  readonly create: boolean
  readonly emit: Emit
}

export interface EnsuringClient extends CometChatClient {
  /** Reads for a user; once more after that user was created. */
  forSender<T>(
    read: () => Promise<T>,
    sender: { readonly uid: CometChatUid; readonly profile?: SenderProfile },
    deadline: Deadline
  ): Promise<T>
}

const MAX_REMEMBERED = 10_000

/**
 * A client that knows what "no such user" means. CometChat says it of senders and receivers alike, so a refused post
 * is followed by a look at the sender. A sender who does not exist is refused as `identity-unmappable`, or, where that
 * is switched on, created once. Nothing is posted while CometChat says so, and no user who exists is ever changed.
 */
export function withEnsuredSender({ client, users, create, emit }: EnsureSenderOptions): EnsuringClient {
  const creating = new SingleFlight<void>()
  const created = new LRUCache<string, true>({ max: MAX_REMEMBERED })

  async function createUser(uid: CometChatUid, profile: SenderProfile | undefined, deadline: Deadline): Promise<void> {
    // A user who exists without being visible was deactivated by an operator: that is not for us to undo.
    if ((await users.create(uid, newUserFrom(uid, profile), deadline)) === 'exists') throw deactivated()
    created.set(uid, true)
    emit({ name: 'user-created', uid })
  }

  /** Resolves once the sender can have come into being; first calls of one user share one creation. */
  async function ensureSender(
    uid: CometChatUid,
    profile: SenderProfile | undefined,
    deadline: Deadline
  ): Promise<void> {
    if (!create) throw unknownSender()
    if (created.has(uid)) return
    const isUnderWay = creating.has(uid)
    const creation = creating.run(uid, () => createUser(uid, profile, deadline))
    if (!isUnderWay) return creation
    // Another call creates the user, and may have less time or lose its client: what became of the user counts.
    await creation.catch(() => undefined)
    return ensureSender(uid, profile, deadline)
  }

  /** After a refused call: resolves when only its sender was missing and could be created; else throws the refusal. */
  async function provisionSender(error: unknown, ...sender: Parameters<typeof ensureSender>): Promise<void> {
    if (!isUnknownSender(error)) throw error
    await ensureSender(...sender)
  }

  /** What a refused post means: the user whom CometChat does not know may be the sender or the receiver. */
  async function explainUnknownUser(error: unknown, { uid }: Reply, deadline: Deadline): Promise<unknown> {
    return !isAboutUnknownUser(error) || (await users.exists(uid, deadline)) ? error : unknownSender()
  }

  async function postAgain(error: unknown, reply: Reply, receiver: Receiver, deadline: Deadline): Promise<PostedReply> {
    await provisionSender(await explainUnknownUser(error, reply, deadline), reply.uid, reply.profile, deadline)
    return client.postReply(reply, receiver, deadline).catch(async again => {
      throw await explainUnknownUser(again, reply, deadline)
    })
  }

  const forSender: EnsuringClient['forSender'] = (read, { uid, profile }, deadline) =>
    read().catch(async error => {
      await provisionSender(error, uid, profile, deadline)
      return read()
    })

  return {
    ...client,
    forSender,
    readMessage: (parentId, uid, deadline, profile) =>
      forSender(() => client.readMessage(parentId, uid, deadline), { uid, ...(profile && { profile }) }, deadline),
    postReply: (reply, receiver, deadline) =>
      client.postReply(reply, receiver, deadline).catch(error => postAgain(error, reply, receiver, deadline))
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
