import { createKeyReader, type FetchJson } from '../auth/bearer/jwks/discovery.ts'
import { createRemoteKeys } from '../auth/bearer/jwks/remote.ts'
import { populationOf } from '../config/issuers/shared-users.ts'
import type { Config } from '../config/load-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Login } from '../login/login.ts'
import type { SessionStore } from '../login/stores/session-store.ts'
import type { Emit } from '../observability/events.ts'
import { createBoundedFetch } from '../outbound/bounded-fetch.ts'
import { createConnector } from '../outbound/proxy-connector.ts'
import type { SharedPostgres } from '../postgres/shared.ts'
import type { KeyAge } from './issuers.ts'
import type { Part } from './part.ts'

export interface OwnLogin extends Login, Part {
  keyAges(): readonly KeyAge[]
  /** Where the sessions are. */
  readonly store: SessionStore
}

export interface LoginNeeds {
  readonly fetchJson: FetchJson
  readonly clock: Clock
  readonly emit: Emit
  /** Of the records, where they are there. */
  readonly postgres: SharedPostgres | undefined
  /** Told the names of sessions that have ended. */
  readonly onSessionsEnded: (names: readonly string[]) => Promise<void>
}

/** Undefined when it is not configured. Throws a StoreError, before anything runs, where sessions cannot be kept. */
export async function openLogin(
  { auth, uid, delivery, proxy }: Config,
  { fetchJson, clock, emit, postgres, onSessionsEnded }: LoginNeeds
): Promise<OwnLogin | undefined> {
  const { login } = auth
  if (!login) return undefined
  const { createLogin } = await import('../login/login.ts')
  const { openSessionStore } = await import('../login/stores/open.ts')
  const onChange = (isReachable: boolean): void => emit({ name: 'reachability', part: 'login-store', isReachable })
  const store = await openSessionStore(delivery.store, onChange, postgres)
  const keys = createRemoteKeys({
    fetchKeys: createKeyReader({ issuer: login.issuer, jwksUrl: undefined, fetchJson }),
    clock,
    emit,
    keysOf: login.issuer,
    variable: 'AUTH_LOGIN_ISSUER'
  })
  const parts = createLogin({
    ...login,
    uidClaim: uid.claim,
    usersOf: auth.issuers ? populationOf(auth.issuers.issuers, login.issuer) : uid.issuer,
    secret: delivery.secret,
    store,
    keys,
    clock,
    fetch: createBoundedFetch(createConnector(proxy?.proxyFor)),
    emit,
    onSessionsEnded
  })
  return {
    ...parts,
    store,
    health: [{ reason: 'login-store', isReady: () => store.isReady() }],
    keyAges: () => (keys.ageMs === undefined ? [] : [{ issuer: login.issuer, ageMs: keys.ageMs }]),
    async close() {
      keys.close()
      await store.close()
    }
  }
}
