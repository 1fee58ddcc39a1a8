import type { AppError } from '../../errors.ts'
import { nameIn } from '../../lib/claims.ts'
import { binaryDigestOf } from '../../lib/digest.ts'
import { type CometChatUid, isCometChatUid } from '../../lib/service/cometchat-uid.ts'
import { type CredentialReason, credentialRefusal } from '../reasons.ts'

/** The user as the identity provider knows them; `subject` is the value of the configured claim. */
export interface Identity {
  /** Whose users they are: the issuer, or what the configuration puts in its place. */
  readonly issuer: string
  readonly subject: unknown
  /** What every subject of this issuer begins with and no UID does; that of the map when undefined. */
  readonly uidStrip?: string | undefined
}

export interface UidMapOptions {
  /** `verbatim` takes the claim as it is or refuses it; `hash` makes a UID from issuer and claim. */
  readonly mode: 'verbatim' | 'hash'
  readonly prefix: string
  /** Taken away from the subject first; a subject without it is refused, so that two never become one. */
  readonly strip?: string | undefined
}

/** Why nobody can speak as this user; for the log. */
export type UidRefusal = Extract<CredentialReason, `uid-${string}`>

/** A promise where the app's table has to be asked; it rejects with what the map throws. */
export type UidMap = (identity: Identity) => CometChatUid | Promise<CometChatUid>

const MAX_SUBJECT_BYTES = 1024
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/**
 * Maps a user to the one CometChat UID that is theirs; two users never share one.
 * Nothing is transformed in silence: CometChat lower-cases UIDs, so folding here would merge people.
 * The map throws `identity-unmappable` for everything else.
 */
export function createUidMap({ mode, prefix, strip }: UidMapOptions): (identity: Identity) => CometChatUid {
  return identity => {
    const { name } = subjectOf(identity, strip)
    return checkedUid(mode === 'hash' ? prefix + base32(binaryDigestOf(identity.issuer, name)) : name)
  }
}

/** A subject that can name a user. */
export interface Subject {
  /** The text of the claim, which tells the users of an issuer apart. */
  readonly text: string
  /** What the UID is made of: the same without its prefix. */
  readonly name: string
}

/** The subject as text: a whole number counts as one. Throws `identity-unmappable`. */
export function subjectOf({ subject, uidStrip }: Identity, stripOfMap = ''): Subject {
  const text = nameIn(subject)
  const strip = uidStrip ?? stripOfMap
  if (text === undefined) throw unmappable(isAbsent(subject) ? 'uid-missing' : 'uid-form')
  const isText = text.isWellFormed() && Buffer.byteLength(text) <= MAX_SUBJECT_BYTES
  if (!isText || !text.startsWith(strip) || text.length === strip.length) throw unmappable('uid-form')
  return { text, name: strip === '' ? text : text.slice(strip.length) }
}

function isAbsent(claim: unknown): boolean {
  return claim === undefined || claim === null || claim === '' || (Array.isArray(claim) && claim.length === 0)
}

/** The text, where it is a UID; throws `identity-unmappable`. */
export function checkedUid(text: string): CometChatUid {
  if (isCometChatUid(text)) return text
  throw unmappable('uid-form')
}

/** RFC 4648 §6, lower case, without padding. */
function base32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32[(held >>> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text
}

export function unmappable(reason: UidRefusal): AppError {
  return credentialRefusal('identity-unmappable', reason, 'The signed-in user cannot be mapped to a CometChat UID.')
}
