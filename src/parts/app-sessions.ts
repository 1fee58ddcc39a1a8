// The part of src/app.ts that joins who reads the sessions of the app's own backend.
import type { Logger } from 'pino'
import type { CookieAuthenticator } from '../auth/require-caller.ts'
import type { Config } from '../config/load-config.ts'
import type { Clock } from '../lib/clock.ts'

export interface AppSessions {
  /** Undefined where such sessions are off. */
  readonly authenticate: CookieAuthenticator | undefined
  readonly isReady: () => boolean
  close(): void
}

/** Resolves once it is clear whether the store is there; without it every session is answered with 503, until it is. */
export async function openAppSessions({ auth }: Config, clock: Clock, log: Logger): Promise<AppSessions> {
  if (!auth.session) return { authenticate: undefined, isReady: () => true, close: () => undefined }
  const { createAppSessionAuthenticator } = await import('../auth/app-session/authenticator.ts')
  const { createAppSessionRedis } = await import('../auth/app-session/store.ts')
  const { url, prefix, secrets, userPath, issuer } = auth.session
  const store = await createAppSessionRedis({
    url,
    prefix,
    onChange: isReachable => {
      if (isReachable) log.info('sessions can be read from AUTH_SESSION_STORE_URL again')
      else log.warn('no session can be read from AUTH_SESSION_STORE_URL; looking again')
    }
  })
  return {
    authenticate: createAppSessionAuthenticator({ secrets, userPath, issuer, store, clock }),
    isReady: () => store.isReady(),
    close: () => store.close()
  }
}
