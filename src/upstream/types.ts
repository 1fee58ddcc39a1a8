import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import type { RequestTrace, UpstreamCall } from '../observability/events.ts'
import type { ThreadMemory } from './thread/page.ts'

/** CometChat's own body for a threaded message, already validated, without identity. */
export interface ReplyMessage {
  readonly receiver?: string
  readonly receiverType?: 'user' | 'group'
  readonly category: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly multipleReceivers?: { readonly uids?: readonly string[]; readonly guids?: readonly string[] }
  readonly tags?: readonly string[]
  /** How a UI Kit recognises its own bubble. */
  readonly muid?: string
  readonly quotedMessageId?: number | string
}

export interface Receiver {
  readonly receiver: string
  readonly receiverType: 'user' | 'group'
}

/** The message a thread hangs on: what never changes about it. */
export interface Parent extends Receiver {
  readonly sender: string
  /** True when it is itself a reply; CometChat's threads have one level. */
  readonly isReply: boolean
}

/** A reply, complete but for the receiver. */
export interface Reply {
  readonly parentId: string
  readonly uid: CometChatUid
  /** Never sent with the reply: for a sender who has yet to be created. */
  readonly profile?: SenderProfile
  readonly message: ReplyMessage
  readonly marker?: string
  /** W3C trace context of the caller, forwarded as it came. */
  readonly traceparent?: string
}

export interface PostedReply {
  /** The JSON text of `{"data": Message}` for the caller. */
  readonly body: string
  readonly messageId: string
}

export interface SoughtReply {
  readonly parentId: string
  readonly uid: CometChatUid
  readonly marker: string
  /** What it says, to know it by where its mark is gone. */
  readonly message?: ReplyMessage
}

/** How far a reply is looked for, and what came of it beside the reply. */
export interface ThreadLook {
  /** So many requests, failed ones included. */
  readonly maxReads: number
  /** CometChat's own time when the first attempt to send the reply began, in milliseconds. */
  readonly sinceMs?: number | undefined
  /** False while the reply may still be posted: absence would prove nothing. */
  readonly wantsProof: boolean
  /** Where the last look came to, and then this one. */
  memory?: ThreadMemory
  /** Requests made. */
  reads: number
}

/** How the identity provider describes a sender; for people to see, never to decide anything. */
export interface SenderProfile {
  readonly name?: string
  readonly picture?: string
}

/** What people see of a new user. */
export interface NewUser {
  readonly name: string
  readonly avatar?: string
}

/** One exchange with CometChat; its times are on the monotonic clock. */
export interface Attempt {
  readonly call: UpstreamCall
  readonly askedAtMs: number
  /** When its turn came; undefined where it was given up before. */
  readonly begunAtMs: number | undefined
  readonly endedAtMs: number
  /** Of the API key that it was made with. */
  readonly keyFingerprint?: string
  readonly status?: number
  /** CometChat's error code when it is a known one, or undici's. */
  readonly code?: string
}

/** How long the calls for one request may take together, and who is told of them. */
export interface Deadline {
  /** The end, on the monotonic clock, in milliseconds. */
  readonly atMs: number
  /** Whether the caller chose it: then an early end must tell them nothing. */
  readonly isShortened?: boolean
  /** False when no client waits for the answer any more; asked in the turn in which the first byte would be written. */
  readonly shouldSend?: () => boolean
  readonly onAttempt?: (attempt: Attempt) => void
  /** Of the request that the calls are made for. */
  readonly trace?: RequestTrace
}
