import { generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'

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

/** A valid ES256 token, signed with a key that exists nowhere else: only the issuer's published keys could tell. */
export async function tokenOfProvider(sub: string): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256')
  const token = new SignJWT({ sub }).setProtectedHeader({ alg: 'ES256', kid: 'one' })
  return token.setIssuer(ISSUER).setAudience(AUDIENCE).setExpirationTime('1h').sign(privateKey)
}
