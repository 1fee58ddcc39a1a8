import { LRUCache } from 'lru-cache'
import { isSameOwner, type UidOwner, type UidOwners } from './uid-owners.ts'

const MAX_REMEMBERED = 100_000

/** Owners of a store, each of whom costs this process one look there, for as long as they are remembered. */
export interface RememberedOwners extends UidOwners {
  /** The store may have lost some: each of them has to be looked at again. */
  forget(): void
}

/**
 * What is remembered is also what refuses: while this process takes one user for the owner, no other becomes it here,
 * whatever was done to the store meanwhile.
 */
export function rememberOwners(store: UidOwners, maxRemembered = MAX_REMEMBERED): RememberedOwners {
  const known = new LRUCache<string, UidOwner>({ max: maxRemembered })
  let generation = 0

  async function ask(uid: string, user: UidOwner, former: UidOwner | undefined): Promise<UidOwner> {
    const askedIn = generation
    const owner = await store.own(uid, user, former)
    // An answer from before the loss says nothing of now.
    if (askedIn === generation) known.set(uid, owner)
    return owner
  }

  return {
    own(uid, user, former) {
      const owner = known.get(uid)
      return owner && !(former && isSameOwner(owner, former)) ? owner : ask(uid, user, former)
    },
    forget() {
      generation++
      known.clear()
    },
    isReady: () => store.isReady(),
    close: () => store.close()
  }
}
