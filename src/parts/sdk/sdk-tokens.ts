// Tokens for CometChat's SDK, as a part: where they are kept, and which sign-ins they hang on.
import { randomBytes } from 'node:crypto'
import type { Config } from '../../config/load-config.ts'
import type { Clock } from '../../lib/clock.ts'
import type { SessionStore } from '../../login/stores/session-store.ts'
import type { Emit } from '../../observability/events.ts'
import type { SharedPostgres } from '../../postgres/shared.ts'
import type { SdkTokens } from '../../sdk-tokens/sdk-tokens.ts'
import type { CometChat } from '../cometchat.ts'
import type { OwnLogin } from '../own-login.ts'

/** Where the tokens are: with the sessions of this service, or where these would be. Throws a StoreError where they cannot be. */
export async function openTokenStore(
  { cometchat, delivery }: Config,
  login: OwnLogin | undefined,
  { emit, postgres }: { readonly emit: Emit; readonly postgres: SharedPostgres | undefined }
): Promise<SessionStore | undefined> {
  if (!cometchat.sdk) return undefined
  if (login) return login.store
  const { openSessionStore } = await import('../../login/stores/open.ts')
  const onChange = (isReachable: boolean): void => emit({ name: 'reachability', part: 'login-store', isReachable })
  return openSessionStore(delivery.store, onChange, postgres)
}

export interface SdkTokensParts {
  readonly store: SessionStore
  readonly login: OwnLogin | undefined
  readonly cometchat: CometChat
  readonly clock: Clock
  readonly emit: Emit
}

export async function createTokens(
  { delivery }: Config,
  { store, login, cometchat, clock, emit }: SdkTokensParts
): Promise<SdkTokens> {
  const { createSealer } = await import('../../login/seal.ts')
  const { createSdkTokens } = await import('../../sdk-tokens/sdk-tokens.ts')
  return createSdkTokens({
    store,
    // Without a secret they end with the process, as the records do that are only in its memory.
    sealer: createSealer(delivery.secret?.reveal() ?? randomBytes(32), clock),
    cometchat: cometchat.authTokens,
    clock,
    deadlineMs: delivery.deadlineMs,
    isOpen: async ({ scheme, session = '' }) => scheme !== 'login' || (await login?.isOpen(session)) === true,
    emit
  })
}
