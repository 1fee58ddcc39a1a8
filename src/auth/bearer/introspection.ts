import { createHash } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { type Answer, CoalescingCache } from '../../lib/cache.ts'
import type { Clock } from '../../lib/clock.ts'
import { UnexpectedStatus } from '../../outbound/fetch-json.ts'
import type { Principal } from '../caller.ts'
import { type BearerTokenOptions, invalidToken, principalFrom } from './jwt.ts'

type ClaimRules = Pick<BearerTokenOptions, 'issuer' | 'audience' | 'scope' | 'actScope' | 'uidClaim'>

export interface IntrospectionOptions extends ClaimRules {
  /** Asks the issuer about a token; rejects for anything but an answer. */
  readonly introspect: (token: string) => Promise<unknown>
  readonly clock: Clock
}

type Verdict = { readonly principal: Principal } | { readonly refusal: AppError }
type Claims = Readonly<Record<string, unknown>>

const MAX_TOKEN_LENGTH = 8192
/** RFC 6750 §2.1; anything else is no bearer token, and nobody is asked about it. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/
/** How long a revoked token may still be believed. */
const MAX_AGE_MS = 30_000
const REFUSED_MAX_AGE_MS = 5000
const NOT_BEFORE_TOLERANCE_MS = 30_000
const MAX_REMEMBERED = 20_000
const MAX_ASKING = 256

/**
 * Names who carries an opaque token by asking its issuer (RFC 7662), and remembers that for at most 30 s.
 * Throws `unauthenticated`, `forbidden`, or `identity-provider-unavailable` when the issuer gives no usable answer.
 */
export function createIntrospector(options: IntrospectionOptions): (token: string) => Promise<Principal> {
  const { introspect, clock } = options
  const answers = new CoalescingCache<Verdict>({
    clock,
    maxEntries: MAX_REMEMBERED,
    limit: { maxAsking: MAX_ASKING, tooMany: () => unavailable('introspection-busy') }
  })

  async function ask(token: string): Promise<Answer<Verdict>> {
    const answer = await introspect(token).catch((error: unknown) => {
      // A status means that the issuer lives and does not like what it is asked: an operator has to look.
      throw unavailable(error instanceof UnexpectedStatus ? 'introspection-refused' : 'introspection-unreachable')
    })
    return judge(answer, options)
  }

  return async token => {
    if (token.length > MAX_TOKEN_LENGTH || !BEARER_TOKEN.test(token)) throw invalidToken('The token is not valid.')
    // By its digest: what is remembered here lets nobody sign in.
    const key = createHash('sha256').update(token).digest('base64')
    const verdict = await answers.get(key, () => ask(token))
    if ('refusal' in verdict) throw verdict.refusal
    return verdict.principal
  }
}

/** Throws only where the answer says nothing about the token. */
function judge(answer: unknown, options: IntrospectionOptions): Answer<Verdict> {
  const claims = checkedClaims(answer)
  const nowMs = options.clock.now()
  try {
    const refusal = refusalOf(claims, options, nowMs)
    if (refusal) throw refusal
    const ttlMs = claims['exp'] === undefined ? MAX_AGE_MS : Math.min(MAX_AGE_MS, Number(claims['exp']) * 1000 - nowMs)
    return { value: { principal: principalFrom(claims, options) }, ttlMs }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { value: { refusal: error }, ttlMs: REFUSED_MAX_AGE_MS }
  }
}

/** RFC 7662 §2.2: `active` is required, and times are numbers; an issuer that says otherwise cannot be believed. */
function checkedClaims(answer: unknown): Claims {
  const claims = typeof answer === 'object' && answer !== null ? (answer as Claims) : {}
  const isTime = (value: unknown): boolean => value === undefined || Number.isFinite(value)
  if (typeof claims['active'] === 'boolean' && isTime(claims['exp']) && isTime(claims['nbf'])) return claims
  throw unavailable('introspection-unreadable')
}

function refusalOf(claims: Claims, { issuer, audience, scope }: ClaimRules, nowMs: number): AppError | undefined {
  const { active, exp, nbf, iss, aud } = claims
  if (active !== true) return invalidToken('The token is not active.')
  if (exp !== undefined && Number(exp) * 1000 <= nowMs) return invalidToken('The token has expired.')
  const isEarly = nbf !== undefined && Number(nbf) * 1000 > nowMs + NOT_BEFORE_TOLERANCE_MS
  if (isEarly || (iss !== undefined && iss !== issuer)) return invalidToken('The token is not valid.')
  // A token for nobody in particular is one for here only if a scope of this service says so.
  const isForUs = aud === undefined ? scope !== undefined : [aud].flat().includes(audience)
  return isForUs ? undefined : invalidToken('The token is for another audience.')
}

function unavailable(reason: string): AppError {
  return new AppError('identity-provider-unavailable', 'The identity provider cannot be asked about the token.', {
    retryAfterMs: 1000,
    reason
  })
}
