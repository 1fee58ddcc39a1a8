// The part of src/app.ts that joins a sign-in of our own.
import type { Logger } from 'pino'
import { createKeyReader, type FetchJson } from '../auth/bearer/jwks/discovery.ts'
import { createRemoteKeys } from '../auth/bearer/jwks/remote.ts'
import type { Config } from '../config/load-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Login } from '../login/login.ts'

export interface OwnLogin extends Login {
  readonly isReady: () => boolean
  close(): Promise<void>
}

/** Undefined when it is not configured. Throws a StoreError, before anything runs, where sessions cannot be kept. */
export async function openLogin(
  { auth: { login }, uid, delivery }: Config,
  { fetchJson, clock, log }: { readonly fetchJson: FetchJson; readonly clock: Clock; readonly log: Logger }
): Promise<OwnLogin | undefined> {
  if (!login) return undefined
  const { createLogin } = await import('../login/login.ts')
  const { openSessionStore } = await import('../login/stores/open.ts')
  const store = await openSessionStore(delivery.storeUrl, isReachable => {
    if (isReachable) log.info('login sessions can be kept at STORE_URL again')
    else log.warn('no login session can be kept at STORE_URL; looking again')
  })
  const keys = createRemoteKeys({
    fetchKeys: createKeyReader(login.issuer, undefined, fetchJson),
    clock,
    onFailure: () => log.warn('the keys of AUTH_LOGIN_ISSUER cannot be read; trying again')
  })
  const parts = createLogin({
    ...login,
    uidClaim: uid.claim,
    secret: delivery.secret,
    store,
    keys,
    clock,
    onTrouble: reason => log.warn({ reason }, 'the provider of AUTH_LOGIN_ISSUER does not do its part')
  })
  return {
    ...parts,
    isReady: () => store.isReady(),
    async close() {
      keys.close()
      await store.close()
    }
  }
}
