import { type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'

export const ISSUER = 'https://issuer.test'
export const AUDIENCE = 'replies'
export const SHARED_SECRET = 'a-shared-secret-for-tests-of-40-bytes-xx'

export interface TokenOptions {
  readonly claims?: JWTPayload
  readonly header?: Partial<JWTHeaderParameters>
  readonly secret?: string
}

/** A valid HS256 token for a user; every claim and header member can be overridden or taken away. */
export async function tokenFor(sub: string, { claims = {}, header = {}, secret = SHARED_SECRET }: TokenOptions = {}) {
  const now = Math.floor(Date.now() / 1000)
  const payload = { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 600, sub, ...claims }
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...header }).sign(new TextEncoder().encode(secret))
}
