import type { Principal } from './caller.ts'

/** Where a credential came from: the address of the client, as far as the proxies in front are trusted. */
export interface Sender {
  readonly ip: string
}

/**
 * Turns a credential, a bearer token or the value of a cookie, into who it belongs to. A promise only where somebody
 * else has to be asked or something computed. Throws or rejects with `unauthenticated`, `forbidden`, or what says that
 * nobody can tell at the moment (`identity-provider-unavailable`, `store-unavailable`).
 */
export type Authenticator = (credential: string, sender: Sender) => Principal | Promise<Principal>
