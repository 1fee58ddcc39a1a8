import { AppError } from '../../../errors.ts'

/** A user of an identity provider; two users are the same where both texts are. */
export interface UidOwner {
  /** Whose users they are: an issuer, or what stands for one. */
  readonly issuer: string
  readonly subject: string
}

/**
 * Who speaks as which UID: the first user who comes with one owns it, for ever. Where a store can be asked by several
 * processes, they agree. An owner ends only when a `former` one is replaced, or an operator frees the UID in the store.
 */
export interface UidOwners {
  /**
   * Makes the user the owner of a UID that has none, or whose owner is still the `former` one; says who owns it now. At
   * once where this process knows. Throws or rejects with `store-unavailable`: then the UID may or may not be theirs.
   */
  own(uid: string, user: UidOwner, former?: UidOwner): UidOwner | Promise<UidOwner>
  /** True when the next user who is new here is likely to get an answer. */
  isReady(): boolean
  close(): Promise<void>
}

export function isSameOwner(one: UidOwner, other: UidOwner): boolean {
  return one.subject === other.subject && one.issuer === other.issuer
}

export function ownersUnavailable(reason: 'uid-owners' | 'uid-owners-full'): AppError {
  return new AppError('store-unavailable', 'Whose UID this is cannot be looked up at the moment.', {
    retryAfterMs: 1000,
    reason
  })
}
