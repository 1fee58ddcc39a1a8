import type { JWTPayload } from 'jose'
import * as errors from 'jose/errors'
import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import { AppError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Principal } from '../caller.ts'
import { type ClaimRules, invalidToken, principalFrom } from './claims.ts'
import { type KeySource, keyFinder } from './jwks/key-source.ts'
import { TokenCache, type VerifiedToken } from './token-cache.ts'
import { isVerifiableToken } from './token-format.ts'

export interface JwtOptions extends ClaimRules {
  readonly algorithms: readonly string[]
  /** Required `typ` of the header (RFC 8725 §3.11); any when undefined. */
  readonly typ: string | undefined
  readonly keys: KeySource
  readonly clock: Clock
}

const NOT_BEFORE_TOLERANCE_SECONDS = 30

/** Verifies each token once and remembers it until it expires or the keys change. */
export function createJwtAuthenticator(options: JwtOptions) {
  const { keys, clock } = options
  const cache = new TokenCache()

  async function verify(token: string, generation: number): Promise<Principal> {
    const verified = await verifyJwt(token, options)
    cache.set(token, verified, generation)
    return verified.principal
  }

  return (token: string): Principal | Promise<Principal> => {
    const { generation } = keys
    const known = cache.get(token, clock.now(), generation)
    return known ? known.principal : verify(token, generation)
  }
}

/**
 * Verifies a JWT as a bearer token (RFC 8725) and says whose it is.
 * Throws `unauthenticated`, `forbidden` or `identity-provider-unavailable`.
 */
export async function verifyJwt(token: string, options: JwtOptions): Promise<VerifiedToken> {
  const payload = await verifiedPayload(token, options)
  return { principal: principalFrom(payload, options), expiresAtMs: (payload.exp ?? 0) * 1000 }
}

async function verifiedPayload(token: string, options: JwtOptions): Promise<JWTPayload> {
  if (!isVerifiableToken(token)) throw invalidToken('The token is not valid.')
  try {
    refuseHopeless(decodeJwt(token), options)
    const { payload } = await jwtVerify(token, keyFinder(options.keys), {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: [...options.algorithms],
      requiredClaims: ['exp'],
      clockTolerance: NOT_BEFORE_TOLERANCE_SECONDS,
      currentDate: new Date(options.clock.now()),
      ...(options.typ !== undefined && { typ: options.typ })
    })
    return payload
  } catch (error) {
    if (error instanceof AppError) throw error
    if (error instanceof errors.JWTExpired) throw invalidToken('The token has expired.')
    throw invalidToken('The token is not valid.')
  }
}

/**
 * Refuses what no key could make valid, before one is looked for: that an old token is of a withdrawn key, too, must not
 * make its user wait for a key set. Stricter than jose: `iss` is one text, and `exp` has no tolerance.
 */
function refuseHopeless({ iss, aud, exp }: JWTPayload, { issuer, audience, clock }: JwtOptions): void {
  if (typeof exp === 'number' && exp * 1000 <= clock.now()) throw invalidToken('The token has expired.')
  if (iss !== issuer || ![aud].flat().includes(audience)) throw invalidToken('The token is not valid.')
}
