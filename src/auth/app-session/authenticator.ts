import type { AppError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Secret } from '../../lib/secret.ts'
import type { Principal } from '../caller.ts'
import { type CredentialReason, credentialRefusal } from '../reasons.ts'
import { parseSession, sessionEndsAtMs, sessionIdOf, userAt } from './session.ts'
import type { AppSessionStore } from './store.ts'

export interface AppSessionOptions {
  /** Any of them may have signed the cookie, so that the app's own backend can change its secret. */
  readonly secrets: readonly Secret[]
  /** Where in the session the user is: names, separated by dots. */
  readonly userPath: string
  /** Whom the sessions' users belong to. */
  readonly issuer: string
  readonly store: Pick<AppSessionStore, 'read'>
  readonly clock: Clock
}

/**
 * Reads the session that the app's own backend made. Nothing is remembered from call to call: a session that was
 * destroyed there is gone here. Throws `unauthenticated`, or `store-unavailable` when Redis does not answer.
 */
export function createAppSessionAuthenticator(options: AppSessionOptions): (value: string) => Promise<Principal> {
  const { secrets, userPath, issuer, store, clock } = options

  return async (cookie: string): Promise<Principal> => {
    const id = sessionIdOf(cookie, secrets)
    if (id === undefined) throw refusal('session-signature')
    const stored = await store.read(id)
    if (!stored) throw refusal('session-unknown')
    const session = stored.text === undefined ? undefined : parseSession(stored.text)
    if (!session) throw refusal('session-unreadable')
    const nowMs = clock.now()
    const expiresAtMs = sessionEndsAtMs(session, stored.ttlMs, nowMs)
    // Not turned round: a date that cannot be read gives NaN, which is later than nothing.
    if (!(nowMs < expiresAtMs)) throw refusal('session-expired')
    const subject = userAt(session, userPath)
    if (subject === undefined) throw refusal('session-without-user')
    return { scheme: 'app-session', issuer, subject, actors: [], mayActForOthers: false, expiresAtMs, session: id }
  }
}

/** One answer for all: what exactly is wrong with a cookie is for the log. */
function refusal(reason: CredentialReason): AppError {
  return credentialRefusal('unauthenticated', reason, 'The session is not valid, has ended, or belongs to nobody.', {
    challenge: 'Bearer'
  })
}
