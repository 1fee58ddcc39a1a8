import type { AppError } from '../../errors.ts'
import { brokenRule, type ClaimRule, type Claims, claimAt } from '../../lib/claims.ts'
import { digestOf } from '../../lib/digest.ts'
import { isObject } from '../../lib/json.ts'
import type { Principal, Profile } from '../caller.ts'
import { type CredentialReason, credentialRefusal } from '../reasons.ts'

/** What the claims of a token must say, whether its signature or its issuer vouches for them. */
export interface ClaimRules {
  /** The exact `iss`; undefined beside a key of the app's own, where any is believed, and none. */
  readonly issuer: string | undefined
  /** Whose users they are: by default the issuer's, whatever its address. */
  readonly usersOf: string
  /** One of them must be an `aud` of the token; undefined where it is not looked at. */
  readonly audiences: readonly string[] | undefined
  readonly claims: readonly ClaimRule[]
  /** Scope that a token must carry; none when undefined. */
  readonly scope: string | undefined
  /** Scope that lets a service name the user it acts for; no service may when undefined. */
  readonly actScope: string | undefined
  /** Scope that lets its bearer ask what would become of a reply; nobody may when undefined. */
  readonly explainScope?: string | undefined
  /** Scope that lets a service have tokens of CometChat's SDK for the users it acts for; no service may when undefined. */
  readonly sdkTokenScope?: string | undefined
  /** The claim that names the user. */
  readonly uidClaim: string
  /** What the claim begins with and the user's name does not; undefined where the map's own rule counts. */
  readonly uidStrip?: string | undefined
}

const SESSION_CLAIMS = ['sid', 'session_id', 'origin_jti', 'jti'] as const
const MAX_SESSION_LENGTH = 512
const MAX_ACTORS = 5
const MAX_ACTOR_LENGTH = 128

/** What the claims of a token say; throws `unauthenticated` or `forbidden` where they are not what is demanded. */
export function principalFrom(claims: Claims, rules: ClaimRules): Principal {
  const { usersOf, scope, actScope, explainScope, sdkTokenScope, uidClaim, uidStrip } = rules
  if (brokenRule(rules.claims, claims)) throw invalidToken('token-claim')
  const granted = scopesOf(claims)
  if (scope !== undefined && !granted.includes(scope)) throw missingScope(scope)
  const profile = profileOf(claims)
  const { exp } = claims
  const session = sessionOf(claims)
  const mayActForOthers = actScope !== undefined && granted.includes(actScope)
  return {
    scheme: 'bearer',
    issuer: usersOf,
    subject: claimAt(claims, uidClaim),
    actors: actorsOf(claims),
    mayActForOthers,
    ...(explainScope !== undefined && granted.includes(explainScope) && { mayExplain: true }),
    ...(sdkTokenScope !== undefined && granted.includes(sdkTokenScope) && { mayTakeSdkTokens: true }),
    ...(uidStrip !== undefined && { uidStrip }),
    ...(typeof exp === 'number' && { expiresAtMs: exp * 1000 }),
    ...(session !== undefined && { session }),
    ...(mayActForOthers && { service: serviceOf(claims) }),
    ...(profile && { profile })
  }
}

/** A sign-in that the issuer has no name for is the token itself. */
export function ofToken(principal: Principal, token: string): Principal {
  return principal.session === undefined ? { ...principal, session: `token ${digestOf(token)}` } : principal
}

/** Whether a token is meant for this service; undefined where it names no audience at all. */
export function isForUs({ aud }: Claims, audiences: readonly string[]): boolean | undefined {
  if (aud === undefined || aud === null || aud === '' || (Array.isArray(aud) && aud.length === 0)) return undefined
  return [aud].flat().some(one => typeof one === 'string' && audiences.includes(one))
}

/** `scope` (RFC 8693 §4.2), `scp`, `roles` (RFC 9068 §2.2.3.1) or `permissions`, as text or as a list. */
function scopesOf({ scope, scp, roles, permissions }: Claims): unknown[] {
  return [scope, scp, roles, permissions].flatMap(value => (typeof value === 'string' ? value.split(' ') : value))
}

/**
 * The sign-in that a token is of: `sid` (OpenID Connect Front-Channel Logout 1.0 §3), `session_id` of Supabase, `origin_jti`
 * of Cognito; else the token's own name (RFC 7519 §4.1.7), which is another one after each refresh.
 */
function sessionOf(claims: Claims): string | undefined {
  const claim = SESSION_CLAIMS.find(name => isName(claims[name]))
  return claim === undefined ? undefined : `${claim} ${claims[claim]}`
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_SESSION_LENGTH
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
  return credentialRefusal('forbidden', 'token-scope', 'The token lacks the scope that this needs.', {
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

/** The refusal of a token, in the words of RFC 6750 §3.1; why exactly is for the log. */
export function invalidToken(reason: CredentialReason, publicDetail = 'The token is not valid.'): AppError {
  return credentialRefusal('unauthenticated', reason, publicDetail, { challenge: 'Bearer error="invalid_token"' })
}
