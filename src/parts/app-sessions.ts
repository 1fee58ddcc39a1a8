import type { Authenticator } from '../auth/authenticator.ts'
import type { Config } from '../config/load-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Emit } from '../observability/events.ts'
import type { Part } from './part.ts'

export interface AppSessions extends Part {
  /** Undefined where such sessions are off. */
  readonly authenticate: Authenticator | undefined
}

/** Resolves once it is clear whether the store is there; without it every session is answered with 503, until it is. */
export async function openAppSessions({ auth }: Config, clock: Clock, emit: Emit): Promise<AppSessions> {
  if (!auth.session) return { authenticate: undefined, health: [], close: () => undefined }
  const { createAppSessionAuthenticator } = await import('../auth/app-session/authenticator.ts')
  const { createAppSessionRedis } = await import('../auth/app-session/store.ts')
  const { store: address, prefix, secrets, userPath, issuer } = auth.session
  const store = await createAppSessionRedis({
    address,
    prefix,
    onRefusal: problem => emit({ name: 'store-unusable', problem }),
    onChange: (isReachable, reason) => emit({ name: 'reachability', part: 'session-store', isReachable, reason })
  })
  return {
    authenticate: createAppSessionAuthenticator({ secrets, userPath, issuer, store, clock }),
    health: [{ reason: 'session-store', isReady: () => store.isReady() }],
    close: () => store.close()
  }
}
