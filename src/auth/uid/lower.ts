import { asciiLowerCase } from '../../lib/ascii.ts'
import type { CometChatUid } from '../../lib/service/cometchat-uid.ts'
import type { Emit } from '../../observability/events.ts'
import { isSameOwner, type UidOwner, type UidOwners } from './owners/uid-owners.ts'
import { checkedUid, subjectOf, type UidMap, unmappable } from './uid-map.ts'

export interface LowerUidMapOptions {
  readonly owners: Pick<UidOwners, 'own'>
  /** Gets the alarm `uid-taken` for a user whose UID is that of another. */
  readonly emit: Emit
  /** Taken away from the subject first. */
  readonly strip?: string | undefined
}

/**
 * Maps a user to what CometChat made of their id when the app handed it over: it lower-cases UIDs
 * (https://www.cometchat.com/docs/rest-api/users/create). Of the users whom that makes one, the first to come owns the
 * UID, and the others are refused. Throws `identity-unmappable`, or what the owners throw.
 */
export function createLowerUidMap({ owners, emit, strip }: LowerUidMapOptions): UidMap {
  function admit(uid: CometChatUid, user: UidOwner, owner: UidOwner): CometChatUid {
    if (isSameOwner(owner, user)) return uid
    emit({ name: 'alarm', alarm: 'uid-taken', uid })
    throw unmappable('uid-taken')
  }

  return identity => {
    const { text, name } = subjectOf(identity, strip)
    // ASCII alone: beyond it two spellings of one name would meet, and no UID has such letters.
    const uid = checkedUid(asciiLowerCase(name))
    const user = { issuer: identity.issuer, subject: text }
    const owner = owners.own(uid, user)
    return owner instanceof Promise ? owner.then(found => admit(uid, user, found)) : admit(uid, user, owner)
  }
}
