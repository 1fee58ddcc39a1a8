import { AppError } from '../../errors.ts'
import { binaryDigestOf } from '../../lib/digest.ts'
import { type CometChatUid, isCometChatUid } from '../../upstream/cometchat-uid.ts'

/** The user as the identity provider knows them; `subject` is the value of the configured claim. */
export interface Identity {
  readonly issuer: string
  readonly subject: unknown
}

export interface UidMapOptions {
  /** `verbatim` takes the claim as it is or refuses it; `hash` makes a UID from issuer and claim. */
  readonly mode: 'verbatim' | 'hash'
  readonly prefix: string
}

/** A promise where the app's table has to be asked; it rejects with what the map throws. */
export type UidMap = (identity: Identity) => CometChatUid | Promise<CometChatUid>

const MAX_SUBJECT_BYTES = 1024
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/**
 * Maps a user to the one CometChat UID that is theirs; two users never share one.
 * Nothing is transformed in silence: CometChat lower-cases UIDs, so folding here would merge people.
 * The map throws `identity-unmappable` for everything else.
 */
export function createUidMap({ mode, prefix }: UidMapOptions): (identity: Identity) => CometChatUid {
  return identity => {
    const subject = subjectText(identity)
    const uid = mode === 'hash' ? prefix + base32(binaryDigestOf(identity.issuer, subject)) : subject
    if (!isCometChatUid(uid)) throw unmappable()
    return uid
  }
}

/** The subject as text that can name a user; throws `identity-unmappable`. */
export function subjectText({ subject }: Identity): string {
  const isName = typeof subject === 'string' && subject.length > 0 && subject.isWellFormed()
  if (isName && Buffer.byteLength(subject) <= MAX_SUBJECT_BYTES) return subject
  throw unmappable()
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

export function unmappable(reason?: string): AppError {
  const options = reason === undefined ? {} : { reason }
  return new AppError('identity-unmappable', 'The signed-in user cannot be mapped to a CometChat UID.', options)
}
