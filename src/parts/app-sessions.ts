import type { Authenticator } from '../auth/authenticator.ts'
import type { Config } from '../config/load-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Emit } from '../observability/events.ts'

export interface AppSessions {
  /** Undefined where such sessions are off. */
  readonly authenticate: Authenticator | undefined
  readonly isReady: () => boolean
  close(): void
}

/** Resolves once it is clear whether the store is there; without it every session is answered with 503, until it is. */
export async function openAppSessions({ auth }: Config, clock: Clock, emit: Emit): Promise<AppSessions> {
  if (!auth.session) return { authenticate: undefined, isReady: () => true, close: () => undefined }
  const { createAppSessionAuthenticator } = await import('../auth/app-session/authenticator.ts')
  const { createAppSessionRedis } = await import('../auth/app-session/store.ts')
  const { store: address, prefix, secrets, userPath, issuer } = auth.session
  const store = await createAppSessionRedis({
    address,
    prefix,
    onChange: isReachable => emit({ name: 'reachability', part: 'session-store', isReachable })
  })
  return {
    authenticate: createAppSessionAuthenticator({ secrets, userPath, issuer, store, clock }),
    isReady: () => store.isReady(),
    close: () => store.close()
  }
}
