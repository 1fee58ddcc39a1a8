import { AppError } from '../../errors.ts'
import { type Claims, claimAt } from '../../lib/claims.ts'
import { isObject } from '../../lib/json.ts'
import type { Principal, Profile } from '../caller.ts'

/** What the claims of a token must say, whether its signature or its issuer vouches for them. */
export interface ClaimRules {
  readonly issuer: string
  readonly audience: string
  /** Scope that a token must carry; none when undefined. */
  readonly scope: string | undefined
  /** Scope that lets a service name the user it acts for; no service may when undefined. */
  readonly actScope: string | undefined
  /** The claim that names the user: a whole name, or a path of names with dots between them. */
  readonly uidClaim: string
  /** What every user's claim begins with and no UID does; that of the UID map when undefined. */
  readonly uidStrip?: string | undefined
  /** Whose users they are; those of the issuer when undefined. */
  readonly usersOf?: string | undefined
}

const MAX_ACTORS = 5
const MAX_ACTOR_LENGTH = 128

/** What the claims of a token say; throws `forbidden` without the scope that is required. */
export function principalFrom(
  claims: Claims,
  { issuer, usersOf = issuer, scope, actScope, uidClaim, uidStrip }: Omit<ClaimRules, 'audience'>
): Principal {
  const granted = scopesOf(claims)
  if (scope !== undefined && !granted.includes(scope)) throw missingScope(scope)
  const profile = profileOf(claims)
  const mayActForOthers = actScope !== undefined && granted.includes(actScope)
  return {
    scheme: 'bearer',
    issuer: usersOf,
    subject: claimAt(claims, uidClaim),
    ...(uidStrip !== undefined && { uidStrip }),
    actors: actorsOf(claims),
    mayActForOthers,
    ...(mayActForOthers && { service: serviceOf(claims) }),
    ...(profile && { profile })
  }
}

/** `scope` (RFC 8693 §4.2) or `scp`, as text or as a list. */
function scopesOf({ scope, scp }: Claims): unknown[] {
  return [scope, scp].flatMap(value => (typeof value === 'string' ? value.split(' ') : value))
}

/** A client of RFC 9068 §2.2 has its id in `sub` and `client_id`; some issuers leave one of them out. */
function serviceOf({ sub, client_id: clientId, azp }: Claims): string {
  const name = [sub, clientId, azp].find(value => typeof value === 'string' && value !== '')
  return typeof name === 'string' ? name.slice(0, MAX_ACTOR_LENGTH) : 'unnamed'
}

function profileOf({ name, picture }: Claims): Profile | undefined {
  if (typeof name !== 'string' && typeof picture !== 'string') return undefined
  return { ...(typeof name === 'string' && { name }), ...(typeof picture === 'string' && { picture }) }
}

function missingScope(scope: string): AppError {
  return new AppError('forbidden', 'The token lacks the scope that this needs.', {
    challenge: `Bearer error="insufficient_scope", scope="${scope}"`
  })
}

/** Nearest first (RFC 8693 §4.1). */
function actorsOf(claims: Claims): string[] {
  const actors: string[] = []
  let { act } = claims
  while (isObject(act) && actors.length < MAX_ACTORS) {
    const { sub, act: next } = act
    if (typeof sub === 'string') actors.push(sub.slice(0, MAX_ACTOR_LENGTH))
    act = next
  }
  return actors
}

/** The refusal of a token, in the words of RFC 6750 §3.1. */
export function invalidToken(publicDetail: string): AppError {
  return new AppError('unauthenticated', publicDetail, { challenge: 'Bearer error="invalid_token"' })
}
