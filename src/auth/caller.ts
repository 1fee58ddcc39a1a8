import type { CometChatUid } from '../upstream/cometchat-uid.ts'

/** Who is calling, and as whom CometChat will see them. */
export interface Caller {
  readonly scheme: 'bearer'
  readonly issuer: string
  readonly subject: string
  readonly uid: CometChatUid
  /** Services that act for the user, nearest first (RFC 8693 §4.1). */
  readonly actors: readonly string[]
}
