// One verifier as most of these tests want it, and one word for what it says of a token.
import { SignJWT } from 'jose'
import type { KeySource } from '../../../src/auth/bearer/jwks/key-source.ts'
import { createRemoteKeys } from '../../../src/auth/bearer/jwks/remote.ts'
import { createJwtAuthenticator, type JwtOptions, type TrustedIssuer, verifyJwt } from '../../../src/auth/bearer/jwt.ts'
import { AppError } from '../../../src/errors.ts'
import { type Clock, systemClock } from '../../../src/lib/clock.ts'
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
    clock: systemClock,
    emit: () => undefined,
    keysOf: 'the issuer',
    variable: 'AUTH_JWT_ISSUER'
  })

/** What most of these tests want of an issuer, and the time. */
export interface Rules extends TrustedIssuer {
  readonly clock: Clock
}

export const usual: Rules = {
  issuer: ISSUER,
  usersOf: ISSUER,
  audiences: [AUDIENCE],
  claims: [],
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

/** One issuer, whomever a token names. */
function jwtOptions({ clock, ...trusted }: Rules): JwtOptions {
  return { issuerOf: () => trusted, clock }
}

/** The reason that the log has for a refusal; undefined for a token that is accepted. */
export async function reasonOf(token: string, options: Partial<Rules> = {}): Promise<string | undefined> {
  try {
    await verifyJwt(token, jwtOptions({ ...usual, ...options }))
    return undefined
  } catch (error) {
    return error instanceof AppError ? (error.options.reason ?? 'none') : 'no refusal'
  }
}

/** The subject of a token that is accepted, or the code it is refused with. */
export async function verdictOn(token: string, options: Partial<Rules> = {}): Promise<unknown> {
  try {
    return (await verifyJwt(token, jwtOptions({ ...usual, ...options }))).verified.principal.subject
  } catch (error) {
    return error instanceof AppError ? error.code : error
  }
}

/** An authenticator that always answers with a promise, whether it remembers the token or not. */
export function createAuthenticator(rules: Rules = usual) {
  const authenticate = createJwtAuthenticator(jwtOptions(rules))
  return async (token: string) => authenticate(token)
}

export const signed = (key: SigningKey, header: object = {}, payload: object = claims): Promise<string> =>
  new SignJWT({ ...payload }).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
