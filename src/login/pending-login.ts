import { timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { randomId, type SealedClaims, type Sealer } from './seal.ts'
import type { LoginSessions } from './sessions.ts'

/** What one sign-in must remember while the browser is at the provider. */
export interface LoginAttempt {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly returnTo: string
  /** The session this browser had before; it ends when the new one begins. */
  readonly replaces?: string
}

export interface LoginAttempts {
  begin(
    returnTo: string,
    replaces: string | undefined
  ): Promise<{ readonly attempt: LoginAttempt; readonly cookie: string }>
  /** The attempt that a callback finishes, once. Throws `csrf` for one that did not begin in this browser. */
  take(cookie: string | undefined, state: string | null): Promise<LoginAttempt>
}

export const ATTEMPT_MS = 10 * 60_000
const CONTEXT = 'attempt'

/**
 * Sign-ins under way. They live sealed in the browser that began them, so that a flood of beginnings costs no space;
 * only those that come back leave a mark, which makes them single-use.
 */
export function createLoginAttempts(sealer: Sealer, sessions: LoginSessions, clock: Clock): LoginAttempts {
  return {
    async begin(returnTo, replaces) {
      const attempt: LoginAttempt = {
        state: randomId(),
        nonce: randomId(),
        codeVerifier: randomId(),
        returnTo,
        ...(replaces !== undefined && { replaces })
      }
      return { attempt, cookie: await sealer.seal({ ...attempt }, CONTEXT, clock.now() + ATTEMPT_MS) }
    },
    async take(cookie, state) {
      const claims = cookie === undefined ? undefined : await sealer.unseal(cookie, CONTEXT)
      if (claims === 'expired') throw notBegunHere('login-expired')
      // Only this service can have sealed it, so its shape is known.
      const attempt = claims as (LoginAttempt & SealedClaims) | undefined
      if (!attempt || state === null || !isEqual(attempt.state, state)) throw notBegunHere('login-state')
      if (await sessions.claimOnce('attempt', attempt.state, attempt.exp * 1000)) return attempt
      throw notBegunHere('login-replayed')
    }
  }
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function notBegunHere(reason: string): AppError {
  return new AppError('csrf', 'This sign-in did not begin in this browser, took too long, or was used already.', {
    reason
  })
}
