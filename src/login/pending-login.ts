import { timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Reason } from '../lib/refusals/reasons.ts'
import { randomId, type SealedClaims, type Sealer } from './seal.ts'
import type { LoginSessions } from './sessions.ts'

/** What belongs to one authorization request (OpenID Connect Core 1.0 §3.1.2.1) while the browser is at the provider. */
export interface AuthorizationRequest {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly returnTo: string
  /** The session this browser had before; it ends when the new one begins. */
  readonly replaces?: string
}

export interface PendingLogins {
  begin(
    returnTo: string,
    replaces: string | undefined
  ): Promise<{ readonly authorization: AuthorizationRequest; readonly cookie: string }>
  /** What the callback finishes, once. Throws `csrf` for a sign-in that did not begin in this browser. */
  take(cookie: string | undefined, state: string | null): Promise<AuthorizationRequest>
}

export const LOGIN_MAX_MS = 10 * 60_000
const CONTEXT = 'login'

/**
 * Keeps each sign-in under way in a sealed cookie of its browser, so that a flood of beginnings costs no space. Only a
 * sign-in that comes back leaves a mark in the store, which makes it single-use.
 */
export function createPendingLogins(sealer: Sealer, sessions: LoginSessions, clock: Clock): PendingLogins {
  return {
    async begin(returnTo, replaces) {
      const authorization: AuthorizationRequest = {
        state: randomId(),
        nonce: randomId(),
        codeVerifier: randomId(),
        returnTo,
        ...(replaces !== undefined && { replaces })
      }
      return { authorization, cookie: await sealer.seal({ ...authorization }, CONTEXT, clock.now() + LOGIN_MAX_MS) }
    },
    async take(cookie, state) {
      const claims = cookie === undefined ? undefined : await sealer.unseal(cookie, CONTEXT)
      if (claims === 'expired') throw notBegunHere('login-expired')
      // Only this service can have sealed it, so its shape is known.
      const authorization = claims as (AuthorizationRequest & SealedClaims) | undefined
      if (!authorization || state === null || !isEqual(authorization.state, state)) throw notBegunHere('login-state')
      if (await sessions.consumeOnce('login', authorization.state, authorization.exp * 1000)) return authorization
      throw notBegunHere('login-replayed')
    }
  }
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function notBegunHere(reason: Reason): AppError {
  return new AppError('csrf', 'This sign-in did not begin in this browser, took too long, or was used already.', {
    reason
  })
}
