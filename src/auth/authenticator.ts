import type { Principal } from './caller.ts'

/** Where a request says that only what can be verified here lets anybody in. */
export const IS_SUSPECT: unique symbol = Symbol('thread-reply.is-suspect')

/** Where a credential came from: the address of the client, as far as the proxies in front are trusted. */
export interface Sender {
  /** Undefined once the connection is gone. */
  readonly ip: string | undefined
  /** Too many requests from there have failed: only what is known or can be verified here lets anybody in. */
  readonly [IS_SUSPECT]?: boolean
}

/**
 * Finds the user of a credential, which is a bearer token or the value of a cookie. A promise only where a server has to
 * be asked or a signature verified. Throws or rejects with `unauthenticated`, `forbidden`, or, when it cannot tell at the
 * moment, with `identity-provider-unavailable` or `store-unavailable`.
 */
export type Authenticator = (credential: string, sender: Sender) => Principal | Promise<Principal>
