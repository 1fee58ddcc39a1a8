// What the emulator remembers, and what it shows of what happened.

export type ReceiverType = 'user' | 'group'
export type JsonObject = { [name: string]: unknown }

export interface NewUser {
  readonly uid: string
  readonly name?: string
  readonly avatar?: string
  readonly link?: string
  readonly role?: string
  readonly metadata?: JsonObject
  readonly tags?: readonly string[]
}

export interface User extends NewUser {
  readonly name: string
  readonly role: string
  readonly createdAtMs: number
  deactivated: boolean
}

export interface NewGroup {
  readonly guid: string
  readonly name?: string
  readonly members?: readonly string[]
}

export interface Group {
  readonly guid: string
  readonly name: string
  readonly owner: string
  readonly members: Set<string>
  readonly banned: Set<string>
  readonly createdAtMs: number
}

export interface NewMessage {
  readonly sender: string
  readonly receiver: string
  readonly receiverType: ReceiverType
  readonly text?: string
  readonly data?: JsonObject
  /** A decimal string; up to 19 digits are kept as they are. */
  readonly id?: string
  readonly parentId?: string
  readonly category?: string
  readonly type?: string
  readonly tags?: readonly string[]
  readonly muid?: string
  readonly quotedMessageId?: string
  /** When it was sent; long enough ago to be settled unless given. */
  readonly sentAtMs?: number
}

export interface StoredMessage {
  readonly id: string
  readonly conversationId: string
  readonly sender: string
  readonly receiver: string
  readonly receiverType: ReceiverType
  readonly category: string
  readonly type: string
  /** The `data` member exactly as the sender gave it, until an edit changes it. */
  data: JsonObject
  tags: readonly string[]
  readonly muid: string | null
  readonly quotedMessageId: string | null
  readonly parentId: string | null
  readonly moderated: boolean
  /** What an action message (an edit, a removal) was done to; null for any other. */
  readonly actsOn: StoredMessage | null
  sentAtMs: number
  replyCount: number
  edited: Stamp | null
  deleted: Stamp | null
  /** A verdict given by hand; null leaves it to the switches. */
  verdict: Verdict | null
}

/** Who did something, and when. */
export interface Stamp {
  readonly atMs: number
  readonly by: string
}

export type ModerationStatus = 'pending' | 'approved' | 'disapproved' | 'blocked'

export interface Verdict {
  readonly status: ModerationStatus
  readonly atMs: number
}

/** A change of the world that is scripted to happen between two reads of a thread. */
export type Change =
  | { readonly kind: 'post'; readonly message: NewMessage }
  | { readonly kind: 'edit'; readonly id: string; readonly data?: JsonObject; readonly by?: string }
  /** Its sender's or `by`'s deletion: soft unless `permanent`. */
  | { readonly kind: 'delete'; readonly id: string; readonly by?: string; readonly permanent?: boolean }
  | { readonly kind: 'moderate'; readonly id: string; readonly status: ModerationStatus }

export interface Deletion {
  /** The sender unless given; `app_system` is the app. */
  readonly by?: string
  readonly permanent?: boolean
}

/** When a scripted change happens: right after the answer to the `read`-th list (1 unless given) of that thread. */
export interface ChangeMatch {
  readonly parentId?: string
  readonly read?: number
}

/** One message that was really posted, whatever was answered. */
export interface PostedMessage {
  readonly id: string
  readonly parentId: string | null
  /** The `onBehalfOf` header as it arrived; null when it was missing. */
  readonly onBehalfOf: string | null
  readonly message: StoredMessage
  readonly atMs: number
}

/** One request that arrived, and how it was answered so far. */
export interface ReceivedRequest {
  readonly method: string
  /** The raw request target. */
  readonly path: string
  readonly rawHeaders: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly atMs: number
  /** Which connection brought it: 1 for the first that was accepted. */
  readonly connection: number
  body: string
  /** The status sent; absent while unanswered, and when a fault answered without a status line. */
  status?: number
  /** The kind of the fault that was applied. */
  fault?: string
}
