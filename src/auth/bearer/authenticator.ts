import type { Authenticator } from '../authenticator.ts'
import type { Principal } from '../caller.ts'
import { type BearerTokenOptions, verifyBearerToken } from './jwt.ts'
import { TokenCache } from './token-cache.ts'
import { isCompactJws } from './token-format.ts'

/** Verifies each token once and remembers it until it expires or the keys change. */
export function createBearerAuthenticator(options: BearerTokenOptions) {
  const { keys, clock } = options
  const cache = new TokenCache()

  async function verify(token: string, generation: number): Promise<Principal> {
    const verified = await verifyBearerToken(token, options)
    cache.set(token, verified, generation)
    return verified.principal
  }

  return (token: string): Principal | Promise<Principal> => {
    const { generation } = keys
    const known = cache.get(token, clock.now(), generation)
    return known ? known.principal : verify(token, generation)
  }
}

/** Leaves each token to who can judge it: a JWT to its signature, any other to the issuer. */
export function createTokenSorter(jwt: Authenticator, opaque: Authenticator): Authenticator {
  return (token, sender) => (isCompactJws(token) ? jwt(token, sender) : opaque(token, sender))
}
