// What a started emulator can be asked and told, by a test in the same process and by the admin of other processes.
import type { FaultMatch } from './fault-queue.ts'
import type { Fault, FaultName } from './faults.ts'
import type { KeyScope } from './keys.ts'
import type { Switches } from './switches.ts'
import type {
  Change,
  ChangeMatch,
  Deletion,
  JsonObject,
  ModerationStatus,
  NewGroup,
  NewMessage,
  NewUser,
  PostedMessage,
  ReceivedRequest,
  StoredMessage
} from './types.ts'

export interface CometChatEmulator {
  start(options?: { readonly port?: number; readonly host?: string }): Promise<{ url: string; port: number }>
  /** Ends at once: open sockets are destroyed. */
  stop(): Promise<void>
  readonly url: string
  readonly apiKey: string
  /** May be changed at any time; the next request meets the change. */
  readonly switches: Switches

  addUser(user: NewUser): void
  addGroup(group: NewGroup): void
  /** Adds a message that exists already. It is settled unless `sentAtMs` says otherwise, and not in the ledger. */
  addMessage(message: NewMessage): StoredMessage
  addMember(guid: string, uid: string): void
  removeMember(guid: string, uid: string): void
  ban(guid: string, uid: string): void
  block(blocker: string, blocked: string): void
  unblock(blocker: string, blocked: string): void
  deactivate(uid: string): void
  /** Softly unless `permanent`; by its sender unless `by` says otherwise. */
  deleteMessage(id: string, deletion?: Deletion): void
  /** Changes members of `data` as an edit does; by its sender unless given. */
  editMessage(id: string, data: JsonObject, by?: string): void
  /** Gives a verdict by hand, whatever the switches say. */
  moderate(id: string, status: ModerationStatus): void
  /** Right after a list of a thread was answered, before the next request: the change happens, once. */
  changeAfterRead(change: Change | (() => void), match?: ChangeMatch): void
  addKey(key: string, scope?: KeyScope): void
  revokeKey(key: string): void
  /** Those that CometChat's SDK could sign a user in with now, the oldest first. */
  authTokensOf(uid: string): readonly string[]

  readonly requests: readonly ReceivedRequest[]
  /** One entry per message posted. Late commits appear here once their instant has passed on `now`. */
  readonly ledger: readonly PostedMessage[]
  /** Forgets requests, ledger, pending faults and scripted changes; keeps users, groups and messages. */
  clear(): void

  /** The next matching request, and only it, meets this fault; several wait in order. */
  failNext(fault: Fault, match?: FaultMatch): void
  /** From now on each request draws from the seed whether it meets one of these faults. */
  failWithSeed(seed: number, rate: number, faults?: readonly FaultName[]): void
  stopFailing(): void
  readonly pendingFaults: number
}
