import { isSameOwner, ownersUnavailable, type UidOwners } from './uid-owners.ts'

/** Entry of the map, object and heads of strings, measured on Node 24. */
const OWNER_BYTES = 200
const MAX_BYTES = 32 * 1024 * 1024

/**
 * Owners that end with the process. At its bound it refuses a user who is new rather than forget an owner: a UID that was
 * forgotten would be the next user's.
 */
export function createMemoryUidOwners(maxBytes = MAX_BYTES): UidOwners {
  const owners = new Map<string, { issuer: string; subject: string }>()
  let bytes = 0

  return {
    own(uid, user, former) {
      const owner = owners.get(uid)
      if (owner && !(former && isSameOwner(owner, former))) return owner
      const more = OWNER_BYTES + 2 * (uid.length + user.subject.length)
      const less = owner ? OWNER_BYTES + 2 * (uid.length + owner.subject.length) : 0
      if (bytes + more - less > maxBytes) throw ownersUnavailable('uid-owners-full')
      bytes += more - less
      owners.set(uid, user)
      return user
    },
    isReady: () => true,
    close: async () => owners.clear()
  }
}
