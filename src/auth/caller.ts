import type { CometChatUid } from '../lib/service/cometchat-uid.ts'

/** How a caller proved who they are. */
export const SCHEMES = ['bearer', 'app-session', 'login'] as const
export type Scheme = (typeof SCHEMES)[number]

/** The user of a credential that was verified, before it is known who they are in CometChat. */
export interface Principal {
  readonly scheme: Scheme
  /** Whose user this is: the issuer of the credential, or what the configuration puts in its place. */
  readonly issuer: string
  /** The value of the claim that names the user; not yet known to be usable. */
  readonly subject: unknown
  /** What every subject of this issuer begins with and no UID does; by default that of the map. */
  readonly uidStrip?: string
  /** Services that act for the user, nearest first (RFC 8693 §4.1). */
  readonly actors: readonly string[]
  /** A service that may name the user it acts for. */
  readonly mayActForOthers: boolean
  /** Whether the credential allows asking what would become of a reply. */
  readonly mayExplain?: boolean
  /** Whether the credential allows tokens of CometChat's SDK although a service acts for the user. */
  readonly mayTakeSdkTokens?: boolean
  /** What such a service is called in the chain. */
  readonly service?: string
  /** When the credential ends, on the wall clock in milliseconds; undefined where that is not known here, infinite for never. */
  readonly expiresAtMs?: number
  /** The sign-in that the credential is of, or else the credential itself: a name that no other of the same user has. */
  readonly session?: string
  /** How the identity provider describes the user, where it does. */
  readonly profile?: Profile
}

/** Claims of OpenID Connect Core 1.0 §5.1; shown to people, never used to decide anything. */
export interface Profile {
  readonly name?: string
  readonly picture?: string
}

/** Who is calling, and as whom CometChat will see them. */
export interface Caller {
  readonly scheme: Scheme
  readonly issuer: string
  readonly subject: string
  readonly uid: CometChatUid
  readonly actors: readonly string[]
  readonly profile?: Profile
  /** When the credential ends, on the wall clock in milliseconds; undefined where that is not known here. */
  readonly expiresAtMs?: number | undefined
  /** The sign-in that the credential is of, or else the credential itself: a name that no other of the same user has. */
  readonly session?: string | undefined
  /** Whether the credential allows asking what would become of a reply. */
  readonly mayExplain?: boolean
  /** Whether the credential allows tokens of CometChat's SDK although a service acts for the user. */
  readonly mayTakeSdkTokens?: boolean
}
