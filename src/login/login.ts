import { randomBytes } from 'node:crypto'
import type { CustomFetch } from 'openid-client'
import type { KeySource } from '../auth/bearer/jwks/key-source.ts'
import type { Principal } from '../auth/caller.ts'
import { unauthenticated } from '../auth/credentials.ts'
import type { Clock } from '../lib/clock.ts'
import type { Secret } from '../lib/secret.ts'
import type { Emit } from '../observability/events.ts'
import { createBackChannelLogout } from './backchannel-logout.ts'
import { createOidcClient } from './oidc-client.ts'
import { createPendingLogins } from './pending-login.ts'
import type { LoginRoutesOptions } from './routes.ts'
import { createSealer } from './seal.ts'
import { createLoginSessions, type OpenSession } from './sessions.ts'
import type { SessionStore } from './stores/session-store.ts'

export interface LoginOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: Secret
  /** Of this service, as browsers see it. */
  readonly origin: string
  readonly scope: string
  readonly idleMs: number
  readonly absoluteMs: number
  readonly uidClaim: string
  /** Whose users they are; those of the issuer when undefined. */
  readonly usersOf?: string | undefined
  /** What seals sessions; all instances share it. Without one the sessions end with the process. */
  readonly secret: Secret | undefined
  readonly store: SessionStore
  /** The keys of the issuer, which sign its logout tokens. */
  readonly keys: KeySource
  readonly clock: Clock
  /** Asks the provider. */
  readonly fetch: CustomFetch
  readonly emit: Emit
  /** Told the names of sessions that have ended. */
  readonly onSessionsEnded?: (names: readonly string[]) => Promise<void>
}

export interface Login {
  /** Reads the login cookie, wherever cookies are credentials. */
  readonly authenticate: (cookie: string) => Promise<Principal>
  /** Whether there still is a session of this name. */
  readonly isOpen: (session: string) => Promise<boolean>
  readonly routes: Omit<LoginRoutesOptions, 'csrf' | 'uidOf'>
}

/** Joins the parts of a sign-in of our own. */
export function createLogin(options: LoginOptions): Login {
  const { origin, issuer, usersOf = issuer, clock, onSessionsEnded } = options
  const sealer = createSealer(options.secret?.reveal() ?? randomBytes(32), clock)
  const sessions = createLoginSessions({ ...options, sealer, ...(onSessionsEnded && { onEnded: onSessionsEnded }) })
  async function sessionOf(cookie: string): Promise<OpenSession> {
    const session = await sessions.find(cookie)
    // Another provider's users are other people, even under the same name.
    if (session?.issuer === issuer) return session
    throw unauthenticated('login-session', 'The session has ended: sign in again.')
  }

  return {
    async authenticate(cookie) {
      const { subject, profile, name, endsAtMs } = await sessionOf(cookie)
      return {
        scheme: 'login',
        issuer: usersOf,
        subject,
        actors: [],
        mayActForOthers: false,
        expiresAtMs: endsAtMs,
        session: name,
        ...(profile && { profile })
      }
    },
    isOpen: session => sessions.isOpen(session),
    routes: {
      origin,
      usersOf,
      provider: createOidcClient({
        ...options,
        redirectUrl: `${origin}/auth/callback`,
        afterLogoutUrl: `${origin}/auth/logged-out`
      }),
      sessions,
      pendingLogins: createPendingLogins(sealer, sessions, clock),
      sessionOf,
      backchannelLogout: createBackChannelLogout(options, sessions)
    }
  }
}
