import { createHash } from 'node:crypto'
import { AppError } from '../../errors.ts'
import { SingleFlight, TtlCache } from '../../lib/cache.ts'
import type { Claims } from '../../lib/claims.ts'
import type { Clock } from '../../lib/clock.ts'
import { FairQueue } from '../../lib/fair-queue.ts'
import { isObject } from '../../lib/json.ts'
import { networkOf } from '../../lib/network.ts'
import type { Reason } from '../../lib/refusals/reasons.ts'
import type { Secret } from '../../lib/secret.ts'
import { UnexpectedStatus } from '../../outbound/fetch-json.ts'
import { type Authenticator, IS_SUSPECT } from '../authenticator.ts'
import type { Principal } from '../caller.ts'
import { type ClaimRules, invalidToken, isForUs, ofToken, principalFrom } from './claims.ts'
import { formFault, MAX_TOKEN_LENGTH } from './token-format.ts'
import { TokenSenders } from './token-senders.ts'

export interface IntrospectionOptions extends ClaimRules {
  /** Asks the issuer about a token; rejects for anything but an answer. */
  readonly introspect: (token: string) => Promise<unknown>
  /** Questions under way at once, as many as there are connections to the issuer. */
  readonly maxAsking: number
  readonly clock: Clock
}

/** RFC 6750 §2.1, and the bar of Laravel's; anything else is no bearer token, and the issuer is not asked about it. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/|-]+=*$/
/** How long a revoked token may still be believed. */
const MAX_AGE_MS = 30_000
const REFUSED_MAX_AGE_MS = 5000
const NOT_BEFORE_TOLERANCE_MS = 30_000
const MAX_REMEMBERED = 20_000
const MAX_WAITING = 256
const MAX_WAIT_MS = 3000

/**
 * Finds the user of an opaque token by asking its issuer (RFC 7662), and remembers the answer for at most 30 s. The turns
 * to ask are shared between the networks that tokens come from: junk from a few of them does not shut out the others.
 * Throws `unauthenticated`, `forbidden`, or `identity-provider-unavailable` when the issuer gives no usable answer.
 */
export function createIntrospector(options: IntrospectionOptions): Authenticator {
  const { introspect, clock } = options
  const good = new TtlCache<Principal>(clock, MAX_REMEMBERED)
  // Apart from the good ones, which no number of refusals may push out.
  const refused = new TtlCache<AppError>(clock, MAX_REMEMBERED)
  const asking = new SingleFlight<Principal>()
  const senders = new TokenSenders()
  const queue = new FairQueue({
    clock,
    maxRunning: options.maxAsking,
    maxWaiting: MAX_WAITING,
    maxWaitMs: MAX_WAIT_MS,
    rankOf: network => senders.rankOf(network),
    refusal: () => unavailable('introspection-busy')
  })

  async function ask(key: string, token: string, network: string): Promise<Principal> {
    const answer = await introspect(token).catch((error: unknown) => {
      // A status means that the issuer lives and does not like what it is asked: an operator has to look.
      throw unavailable(error instanceof UnexpectedStatus ? 'introspection-refused' : 'introspection-unreachable')
    })
    const claims = checkedClaims(answer)
    const nowMs = clock.now()
    try {
      const principal = ofToken(principalOf(claims, options, nowMs), token)
      good.set(
        key,
        principal,
        claims['exp'] === undefined ? MAX_AGE_MS : Math.min(MAX_AGE_MS, Number(claims['exp']) * 1000 - nowMs)
      )
      senders.noteGood(network)
      return principal
    } catch (error) {
      if (error instanceof AppError) refused.set(key, error, REFUSED_MAX_AGE_MS)
      // One that lacks a scope is a user's all the same.
      if (error instanceof AppError && error.code === 'unauthenticated') senders.noteRefused(network)
      throw error
    }
  }

  return (token, { ip, [IS_SUSPECT]: isSuspect }) => {
    if (token.length > MAX_TOKEN_LENGTH || !BEARER_TOKEN.test(token)) throw invalidToken(formFault(token))
    // The digest, not the token: a dump of this memory is of no use for signing in.
    const key = createHash('sha256').update(token).digest('base64')
    const known = good.get(key)
    if (known) return known.value
    const refusal = refused.get(key)
    if (refusal) throw refusal.value
    if (isSuspect) throw unavailable('introspection-suspended')
    const network = networkOf(ip ?? 'gone')
    return asking.run(key, () => queue.run(network, () => ask(key, token, network)))
  }
}

/** Throws what the token is refused with. */
function principalOf(claims: Claims, rules: ClaimRules, nowMs: number): Principal {
  const refusal = refusalOf(claims, rules, nowMs)
  if (refusal) throw refusal
  return principalFrom(claims, rules)
}

/** RFC 7662 §2.2: `active` is required, and times are numbers; an issuer that says otherwise cannot be believed. */
function checkedClaims(answer: unknown): Claims {
  const claims: Claims = isObject(answer) ? answer : {}
  const isTime = (value: unknown): boolean => value === undefined || Number.isFinite(value)
  if (typeof claims['active'] === 'boolean' && isTime(claims['exp']) && isTime(claims['nbf'])) return claims
  throw unavailable('introspection-unreadable')
}

function refusalOf(claims: Claims, { issuer, audiences, scope }: ClaimRules, nowMs: number): AppError | undefined {
  const { active, exp, nbf, iss } = claims
  if (active !== true) return invalidToken('token-inactive', 'The token is not active.')
  if (exp !== undefined && Number(exp) * 1000 <= nowMs) return invalidToken('token-expired', 'The token has expired.')
  const isEarly = nbf !== undefined && Number(nbf) * 1000 > nowMs + NOT_BEFORE_TOLERANCE_MS
  if (isEarly) return invalidToken('token-early')
  if (iss !== undefined && issuer !== undefined && iss !== issuer) return invalidToken('token-issuer')
  // Without an audience only a scope of this service can say that the token is meant for it.
  const isMeant = !audiences || (isForUs(claims, audiences) ?? scope !== undefined)
  return isMeant ? undefined : invalidToken('token-audience', 'The token is for another audience.')
}

function unavailable(reason: Reason): AppError {
  return new AppError('identity-provider-unavailable', 'The identity provider cannot be asked about the token.', {
    retryAfterMs: 1000,
    reason
  })
}

/**
 * HTTP Basic for an OAuth client (RFC 6749 §2.3.1): id and secret are form-encoded first, so that a colon or a
 * percent sign in them survives.
 */
export function basicAuthorization(clientId: string, clientSecret: Secret): string {
  const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret.reveal())}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function formEncoded(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1)
}
