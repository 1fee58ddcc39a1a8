// Users, groups and messages. Pure memory: it knows neither HTTP nor who may do what.
import { mentionedUids } from './mentions.ts'
import type { Switches } from './switches.ts'
import type { Group, NewGroup, NewMessage, NewUser, StoredMessage, User } from './types.ts'

export const APP_SYSTEM = 'app_system'
/** How long ago a message was sent that a test adds without saying when: settled under any setting. */
const LONG_AGO_MS = 24 * 60 * 60 * 1000

type Grown = 'id' | 'conversationId' | 'replyCount' | 'edited' | 'deleted' | 'verdict' | 'sentAtMs'
export type Draft = Omit<StoredMessage, Grown>
export type State = ReturnType<typeof createState>

export interface StateOptions {
  readonly now: () => number
  readonly switches: Switches
  readonly firstMessageId: string
}

/** The order of a thread: by second, then by id, as CometChat's cursors count (docs/cometchat-facts.md §7.1). */
export function isBefore(a: StoredMessage, b: StoredMessage): boolean {
  const [secondA, secondB] = [Math.floor(a.sentAtMs / 1000), Math.floor(b.sentAtMs / 1000)]
  return secondA === secondB ? BigInt(a.id) < BigInt(b.id) : secondA < secondB
}

const conversationKey = ({ receiverType, sender, receiver }: Pick<Draft, 'receiverType' | 'sender' | 'receiver'>) =>
  receiverType === 'group' ? `group_${receiver}` : [sender, receiver].sort().join('_user_')

export function createState({ now, switches, firstMessageId }: StateOptions) {
  const users = new Map<string, User>()
  const groups = new Map<string, Group>()
  const messages = new Map<string, StoredMessage>()
  const threads = new Map<string, StoredMessage[]>()
  const conversations = new Map<string, string>()
  const byMuid = new Map<string, StoredMessage>()
  const subscribers = new Map<string, Set<string>>()
  const blocks = new Set<string>()
  let nextId = BigInt(firstMessageId)

  const takeId = (): string => {
    while (messages.has(String(nextId))) nextId += 1n
    return String(nextId++)
  }

  const conversationIdFor = (draft: Draft): string => {
    const key = conversationKey(draft)
    const known = conversations.get(key)
    if (known !== undefined) return known
    const senderFirst = draft.receiverType === 'user' && switches.conversationId === 'sender-first'
    const id = senderFirst ? `${draft.sender}_user_${draft.receiver}` : key
    conversations.set(key, id)
    return id
  }

  /** Replying or being mentioned subscribes to the thread. */
  const subscribe = (parentId: string, uids: readonly string[]): void => {
    const known = subscribers.get(parentId) ?? new Set()
    for (const uid of uids) known.add(uid)
    subscribers.set(parentId, known)
  }

  const store = (message: StoredMessage): void => {
    messages.set(message.id, message)
    if (message.muid !== null) byMuid.set(`${message.sender}\n${message.muid}`, message)
    if (message.parentId === null) return
    const replies = threads.get(message.parentId) ?? []
    let at = replies.length
    for (let last = replies[at - 1]; last !== undefined && isBefore(message, last); last = replies[at - 1]) at -= 1
    replies.splice(at, 0, message)
    threads.set(message.parentId, replies)
    const parent = messages.get(message.parentId)
    if (parent) parent.replyCount = replies.length
    subscribe(message.parentId, [message.sender, ...mentionedUids(message.data['text'])])
  }

  const prepare = (draft: Draft, id = takeId()): StoredMessage => ({
    ...draft,
    id,
    conversationId: conversationIdFor(draft),
    sentAtMs: now(),
    replyCount: 0,
    edited: null,
    deleted: null,
    verdict: null
  })

  const mustHave = <T>(map: ReadonlyMap<string, T>, id: string, what: string): T => {
    const found = map.get(id)
    if (found === undefined) throw new Error(`the emulator knows no ${what} ${JSON.stringify(id)}; add it first`)
    return found
  }

  const addUser = (user: NewUser): User => {
    const uid = user.uid.toLowerCase()
    const added = { name: uid, role: 'default', createdAtMs: now(), deactivated: false, ...user, uid }
    users.set(uid, added)
    return added
  }

  addUser({ uid: APP_SYSTEM, name: 'System' })

  return {
    users: users as ReadonlyMap<string, User>,
    groups: groups as ReadonlyMap<string, Group>,
    messages: messages as ReadonlyMap<string, StoredMessage>,
    mustHaveUser: (uid: string) => mustHave(users, uid.toLowerCase(), 'user'),
    mustHaveGroup: (guid: string) => mustHave(groups, guid.toLowerCase(), 'group'),
    mustHaveMessage: (id: string) => mustHave(messages, id, 'message'),
    addUser,

    addGroup({ guid: givenGuid, name = givenGuid, members = [] }: NewGroup): void {
      const guid = givenGuid.toLowerCase()
      const uids = members.map(uid => mustHave(users, uid.toLowerCase(), 'user').uid)
      const owner = uids[0] ?? APP_SYSTEM
      groups.set(guid, { guid, name, owner, members: new Set(uids), banned: new Set(), createdAtMs: now() })
    },

    addMessage(given: NewMessage): StoredMessage {
      const { text = 'Hello', id = takeId(), sentAtMs = now() - LONG_AGO_MS, parentId = null } = given
      const sender = mustHave(users, given.sender.toLowerCase(), 'user').uid
      const receiver = given.receiver.toLowerCase()
      mustHave<User | Group>(given.receiverType === 'group' ? groups : users, receiver, given.receiverType)
      if (parentId !== null) mustHave(messages, parentId, 'message')
      if (!/^[1-9][0-9]{0,18}$/.test(id)) throw new Error('a message id is a decimal string of 1 to 19 digits')
      if (messages.has(id)) throw new Error(`the emulator has a message ${id} already`)
      const { receiverType, category = 'message', type = 'text', data = { text }, tags = [], muid = null } = given
      const { quotedMessageId = null } = given
      const plain = { quotedMessageId, moderated: false, actsOn: null }
      const draft = { sender, receiver, receiverType, category, type, data, tags, muid, parentId, ...plain }
      const message = { ...prepare(draft, id), sentAtMs }
      store(message)
      return message
    },

    /** A message with an id of its own that is not posted yet: nobody sees it before `commit`. */
    prepare: (draft: Draft): StoredMessage => prepare(draft),

    commit(message: StoredMessage, atMs: number): void {
      message.sentAtMs = atMs
      store(message)
    },

    /** As if it had never been: what `permanent` does. */
    remove(message: StoredMessage): void {
      messages.delete(message.id)
      if (message.parentId === null) return
      const left = (threads.get(message.parentId) ?? []).filter(reply => reply !== message)
      threads.set(message.parentId, left)
      const parent = messages.get(message.parentId)
      if (parent) parent.replyCount = left.length
    },

    isSubscribed: (parentId: string, uid: string): boolean => subscribers.get(parentId)?.has(uid) === true,
    /** Oldest first. */
    replies: (parentId: string): readonly StoredMessage[] => threads.get(parentId) ?? [],
    findByMuid: (sender: string, muid: string) => byMuid.get(`${sender}\n${muid}`),
    block: (blocker: string, blocked: string) => void blocks.add(`${blocker}\n${blocked}`.toLowerCase()),
    unblock: (blocker: string, blocked: string) => void blocks.delete(`${blocker}\n${blocked}`.toLowerCase()),
    hasBlocked: (blocker: string, blocked: string) => blocks.has(`${blocker}\n${blocked}`)
  }
}
