// One verifier as most of these tests want it, and one word for what it says of a token.
import { SignJWT } from 'jose'
import { createBearerAuthenticator } from '../../../src/auth/bearer/authenticator.ts'
import type { KeySource } from '../../../src/auth/bearer/jwks/key-source.ts'
import { createRemoteKeys } from '../../../src/auth/bearer/jwks/remote.ts'
import { type BearerTokenOptions, verifyBearerToken } from '../../../src/auth/bearer/jwt.ts'
import { AppError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createSigningKey, type SigningKey } from '../../helpers/identity-provider.ts'
import { AUDIENCE, ISSUER } from '../../helpers/tokens.ts'

export const rsa = await createSigningKey('rsa', 'RS256')
export const pss = await createSigningKey('pss', 'PS256')
export const ec = await createSigningKey('ec', 'ES256')
export const ed = await createSigningKey('ed', 'EdDSA')

/** Keys that no token of another test has been asked about. */
export const newKeys = (): KeySource =>
  createRemoteKeys({
    fetchKeys: async () => ({ keys: [rsa, pss, ec, ed].map(({ jwk }) => jwk) }),
    clock: systemClock
  })

export const usual: BearerTokenOptions = {
  issuer: ISSUER,
  audience: AUDIENCE,
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  typ: undefined,
  scope: undefined,
  actScope: undefined,
  uidClaim: 'sub',
  keys: newKeys(),
  clock: systemClock
}

export const nowSeconds = Math.floor(Date.now() / 1000)
export const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp: nowSeconds + 600 }

/** The subject of a token that is accepted, or the code it is refused with. */
export async function verdictOn(token: string, options: Partial<BearerTokenOptions> = {}): Promise<unknown> {
  try {
    return (await verifyBearerToken(token, { ...usual, ...options })).principal.subject
  } catch (error) {
    return error instanceof AppError ? error.code : error
  }
}

/** An authenticator that always answers with a promise, whether it remembers the token or not. */
export function createAuthenticator(options: BearerTokenOptions = usual) {
  const authenticate = createBearerAuthenticator(options)
  return async (token: string) => authenticate(token)
}

export const signed = (key: SigningKey, header: object = {}, payload: object = claims): Promise<string> =>
  new SignJWT({ ...payload }).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
