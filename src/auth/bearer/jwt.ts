import type { JWTPayload, JWTVerifyResult } from 'jose'
import * as errors from 'jose/errors'
import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import { AppError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Principal } from '../caller.ts'
import type { CredentialReason } from '../reasons.ts'
import { type ClaimRules, invalidToken, isForUs, ofToken, principalFrom } from './claims.ts'
import { type KeySource, verifyWithKeys } from './jwks/key-source.ts'
import { TokenCache, type VerifiedToken } from './token-cache.ts'
import { formFault, isVerifiableToken } from './token-format.ts'

/** An issuer, and by which rules its tokens are judged. */
export interface TrustedIssuer extends ClaimRules {
  readonly algorithms: readonly string[]
  /** Required `typ` of the header (RFC 8725 §3.11); any when undefined. */
  readonly typ: string | undefined
  readonly keys: KeySource
}

export interface JwtOptions {
  /** The issuer that a token names in `iss`, not yet known to be its issuer; undefined for a stranger. */
  readonly issuerOf: (iss: unknown) => TrustedIssuer | undefined
  readonly clock: Pick<Clock, 'now'>
}

const NOT_BEFORE_TOLERANCE_SECONDS = 30

/** Verifies each token once and remembers it until it expires or the keys change. */
export function createJwtAuthenticator(options: JwtOptions) {
  const { clock } = options
  const cache = new TokenCache()

  async function verify(token: string): Promise<Principal> {
    const { verified, keys, generation } = await verifyJwt(token, options)
    cache.set(token, verified, keys, generation)
    return verified.principal
  }

  return (token: string): Principal | Promise<Principal> => cache.get(token, clock.now())?.principal ?? verify(token)
}

interface Verification {
  readonly verified: VerifiedToken
  readonly keys: KeySource
  /** Of the keys, before the verification began. */
  readonly generation: number
}

/**
 * Verifies a JWT as a bearer token (RFC 8725) and says whose it is.
 * Throws `unauthenticated`, `forbidden` or `identity-provider-unavailable`.
 */
export async function verifyJwt(token: string, { issuerOf, clock }: JwtOptions): Promise<Verification> {
  if (!isVerifiableToken(token)) throw invalidToken(formFault(token))
  try {
    const claimed = decodeJwt(token)
    const trusted = issuerOf(claimed.iss)
    refuseHopeless(claimed, trusted, clock)
    const { generation } = trusted.keys
    const { payload } = await verifiedBy(token, trusted, clock)
    const principal = ofToken(principalFrom(payload, trusted), token)
    const verified = { principal, expiresAtMs: (payload.exp ?? 0) * 1000 }
    return { verified, keys: trusted.keys, generation }
  } catch (error) {
    throw refusalFor(error)
  }
}

function verifiedBy(
  token: string,
  { keys, algorithms, typ, issuer, audiences }: TrustedIssuer,
  clock: JwtOptions['clock']
): Promise<JWTVerifyResult> {
  const options = {
    ...(issuer !== undefined && { issuer }),
    ...(audiences && { audience: [...audiences] }),
    algorithms: [...algorithms],
    requiredClaims: ['exp'],
    clockTolerance: NOT_BEFORE_TOLERANCE_SECONDS,
    currentDate: new Date(clock.now()),
    ...(typ !== undefined && { typ })
  }
  return verifyWithKeys(token, keys, algorithms, key => jwtVerify(token, key, options))
}

/**
 * Refuses what no key could make valid, before one is looked for: that an old token is of a withdrawn key, too, must not
 * make its user wait for a key set. Stricter than jose: `iss` is one text, and `exp` has no tolerance.
 */
function refuseHopeless(
  payload: JWTPayload,
  trusted: TrustedIssuer | undefined,
  clock: JwtOptions['clock']
): asserts trusted is TrustedIssuer {
  const { iss, exp } = payload
  if (typeof exp === 'number' && exp * 1000 <= clock.now())
    throw invalidToken('token-expired', 'The token has expired.')
  if (!trusted || (trusted.issuer !== undefined && iss !== trusted.issuer)) throw invalidToken('token-issuer')
  if (trusted.audiences && isForUs(payload, trusted.audiences) !== true) throw invalidToken('token-audience')
}

/** What becomes of whatever jose says of a token. */
function refusalFor(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof errors.JWTExpired) return invalidToken('token-expired', 'The token has expired.')
  if (error instanceof errors.JWTClaimValidationFailed) return invalidToken(CLAIM_REASONS[error.claim] ?? 'token-form')
  if (error instanceof errors.JOSEAlgNotAllowed) return invalidToken('token-algorithm')
  if (error instanceof errors.JOSENotSupported) return invalidToken('token-critical')
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalidToken('token-signature')
  if (error instanceof errors.JWKSNoMatchingKey) return invalidToken('token-key')
  return invalidToken(error instanceof errors.JOSEError ? 'token-form' : 'token-key')
}

const CLAIM_REASONS: Readonly<Record<string, CredentialReason>> = {
  iss: 'token-issuer',
  aud: 'token-audience',
  exp: 'token-no-expiry',
  nbf: 'token-early',
  typ: 'token-type'
}
