import type { JWTPayload } from 'jose'
import * as errors from 'jose/errors'
import { decodeJwt } from 'jose/jwt/decode'
import { jwtVerify } from 'jose/jwt/verify'
import { AppError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Principal, Profile } from '../caller.ts'
import { type KeySource, keyFinder } from './jwks/key-source.ts'
import { isVerifiableToken } from './token-format.ts'

export interface BearerTokenOptions {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly string[]
  /** Required `typ` of the header (RFC 8725 §3.11); any when undefined. */
  readonly typ: string | undefined
  /** Scope that a token must carry; none when undefined. */
  readonly scope: string | undefined
  /** Scope that lets a service name the user it acts for; nobody may when undefined. */
  readonly actScope: string | undefined
  /** The claim that names the user. */
  readonly uidClaim: string
  readonly keys: KeySource
  readonly clock: Clock
}

/** A principal and how long that holds, on the wall clock. */
export interface VerifiedToken {
  readonly principal: Principal
  readonly expiresAtMs: number
}

const NOT_BEFORE_TOLERANCE_SECONDS = 30
const MAX_ACTORS = 5
const MAX_ACTOR_LENGTH = 128

/**
 * Verifies a JWT as a bearer token (RFC 8725) and names who carries it.
 * Throws `unauthenticated`, `forbidden` or `identity-provider-unavailable`.
 */
export async function verifyBearerToken(token: string, options: BearerTokenOptions): Promise<VerifiedToken> {
  const payload = await verifiedPayload(token, options)
  return { principal: principalFrom(payload, options), expiresAtMs: (payload.exp ?? 0) * 1000 }
}

/** What the claims of a token say; throws `forbidden` without the scope that is required. */
export function principalFrom(
  claims: Readonly<Record<string, unknown>>,
  { issuer, scope, actScope, uidClaim }: Pick<BearerTokenOptions, 'issuer' | 'scope' | 'actScope' | 'uidClaim'>
): Principal {
  const granted = scopesOf(claims)
  if (scope !== undefined && !granted.includes(scope)) throw missingScope(scope)
  const profile = profileOf(claims)
  const mayActForOthers = actScope !== undefined && granted.includes(actScope)
  return {
    scheme: 'bearer',
    issuer,
    subject: claims[uidClaim],
    actors: actorsOf(claims),
    mayActForOthers,
    ...(mayActForOthers && { service: serviceOf(claims) }),
    ...(profile && { profile })
  }
}

async function verifiedPayload(token: string, options: BearerTokenOptions): Promise<JWTPayload> {
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
function refuseHopeless({ iss, aud, exp }: JWTPayload, { issuer, audience, clock }: BearerTokenOptions): void {
  if (typeof exp === 'number' && exp * 1000 <= clock.now()) throw invalidToken('The token has expired.')
  if (iss !== issuer || ![aud].flat().includes(audience)) throw invalidToken('The token is not valid.')
}

/** `scope` (RFC 8693 §4.2) or `scp`, as text or as a list. */
function scopesOf({ scope, scp }: { readonly scope?: unknown; readonly scp?: unknown }): unknown[] {
  return [scope, scp].flatMap(value => (typeof value === 'string' ? value.split(' ') : value))
}

/** A client of RFC 9068 §2.2 has its id in `sub` and `client_id`; some issuers leave one of them out. */
function serviceOf({ sub, client_id: clientId, azp }: Readonly<Record<string, unknown>>): string {
  const name = [sub, clientId, azp].find(value => typeof value === 'string' && value !== '')
  return typeof name === 'string' ? name.slice(0, MAX_ACTOR_LENGTH) : 'unnamed'
}

function profileOf({ name, picture }: { readonly name?: unknown; readonly picture?: unknown }): Profile | undefined {
  if (typeof name !== 'string' && typeof picture !== 'string') return undefined
  return { ...(typeof name === 'string' && { name }), ...(typeof picture === 'string' && { picture }) }
}

function missingScope(scope: string): AppError {
  return new AppError('forbidden', 'The token lacks the scope that this needs.', {
    challenge: `Bearer error="insufficient_scope", scope="${scope}"`
  })
}

function actorsOf(claims: Readonly<Record<string, unknown>>): string[] {
  const actors: string[] = []
  let act: unknown = claims['act']
  while (typeof act === 'object' && act !== null && actors.length < MAX_ACTORS) {
    const { sub, act: next } = act as { sub?: unknown; act?: unknown }
    if (typeof sub === 'string') actors.push(sub.slice(0, MAX_ACTOR_LENGTH))
    act = next
  }
  return actors
}

/** The refusal of a token, in the words of RFC 6750 §3.1. */
export function invalidToken(publicDetail: string): AppError {
  return new AppError('unauthenticated', publicDetail, { challenge: 'Bearer error="invalid_token"' })
}
