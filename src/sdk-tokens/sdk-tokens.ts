import { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { digestOf } from '../lib/digest.ts'
import { Secret } from '../lib/secret.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import type { Emit } from '../observability/events.ts'
import type { Deadline, SenderProfile } from '../upstream/types.ts'
import type { AuthTokens } from '../upstream/users/auth-tokens.ts'
import type { KeptToken, TokenSealer, TokenStore } from './token-store.ts'

/** Who a token is for. */
export interface Holder {
  readonly scheme: string
  readonly issuer: string
  readonly subject: string
  readonly uid: CometChatUid
  /** The sign-in, or the credential, that the token belongs to; no other of this user has the same. */
  readonly session?: string | undefined
  readonly profile?: SenderProfile
}

export interface SdkTokens {
  /** The token of a sign-in; it is made where there is none. Rejects with an AppError, after which nothing is kept. */
  take(holder: Holder, deadline: Deadline): Promise<{ readonly token: Secret; readonly isNew: boolean }>
  /** Takes back the token of a sign-in; false where there is none. Rejects with an AppError, after which it is still kept. */
  revoke(holder: Holder, deadline: Deadline): Promise<boolean>
  /** The same for sessions of this service that have ended, by their names. Never rejects. */
  revokeEnded(sessions: readonly string[]): Promise<void>
}

export interface SdkTokensOptions {
  readonly store: TokenStore
  readonly sealer: TokenSealer
  readonly cometchat: AuthTokens
  readonly clock: Clock
  /** The longest that one take may last, in milliseconds. */
  readonly deadlineMs: number
  /** Whether the session of this service is still open that a holder came with; true for every other holder. */
  readonly isOpen: (holder: Holder) => Promise<boolean>
  readonly emit: Emit
}

const DAY_MS = 24 * 3_600_000
/** After the last take: CometChat's token lives on without us. */
const KEPT_MS = 30 * DAY_MS
const LOOK_AGAIN_MS = 100
const TURN_MARGIN_MS = 5000
/** A sign-out waits no longer for CometChat. */
const SIGN_OUT_MS = 4000

/**
 * Auth tokens of CometChat's SDK, one for each sign-in of a user, so that one that is signed out does not end another. They
 * are kept sealed, because CometChat takes a token back only where it is named.
 */
export function createSdkTokens(options: SdkTokensOptions): SdkTokens {
  const { store, sealer, cometchat, clock, deadlineMs, isOpen, emit } = options

  async function read(name: string): Promise<KeptToken | undefined> {
    const record = await guarded(() => store.get(name))
    const claims = record && (await sealer.unseal(record.sealed, contextOf(name)))
    if (!record || claims === undefined || claims === 'expired') return undefined
    // Only this service can have sealed it, so its shape is known.
    const { uid, token } = claims as unknown as { readonly uid: CometChatUid; readonly token: string }
    return { uid, token: new Secret(token), endsAtMs: record.endsAtMs }
  }

  async function keep(name: string, uid: CometChatUid, token: Secret): Promise<void> {
    const nowMs = clock.now()
    const endsAtMs = nowMs + KEPT_MS
    const sealed = await sealer.seal({ uid, token: token.reveal() }, contextOf(name), endsAtMs)
    await guarded(() => store.put(name, { sealed, indexKeys: [], idleEndsAtMs: endsAtMs, endsAtMs }, nowMs))
  }

  /** The token that is there for this very user. */
  async function known(name: string, { uid }: Holder): Promise<Secret | undefined> {
    const found = await read(name)
    if (found?.uid !== uid) return undefined
    if (found.endsAtMs - clock.now() < KEPT_MS - DAY_MS) await keep(name, uid, found.token)
    return found.token
  }

  async function make(name: string, holder: Holder, deadline: Deadline): Promise<Secret> {
    // Of the same person under another UID: the map was changed.
    await takeBack(name, deadline)
    const { uid, profile } = holder
    const token = await cometchat.create(uid, deadline, profile)
    try {
      await keep(name, uid, token)
      // A sign-out that came before this found nothing to take back; one that comes now finds it.
      if (await guarded(() => isOpen(holder))) return token
    } catch (error) {
      await cometchat.revoke(uid, token, deadline).catch(() => emit({ name: 'alarm', alarm: 'sdk-token-left', uid }))
      throw error
    }
    await revokeNamed(name)
    throw new AppError('unauthenticated', 'The session has ended: sign in again.', {
      reason: 'login-session',
      challenge: 'Bearer'
    })
  }

  /** True once CometChat does not know the token any more; false where there is none. */
  async function takeBack(name: string, deadline: Deadline): Promise<boolean> {
    const found = await read(name)
    if (!found) return false
    await cometchat.revoke(found.uid, found.token, deadline)
    await guarded(() => store.delete(name))
    return true
  }

  async function revokeNamed(name: string): Promise<void> {
    let uid: string | undefined
    try {
      uid = (await read(name))?.uid
      await takeBack(name, { atMs: clock.monotonic() + SIGN_OUT_MS })
    } catch {
      emit({ name: 'alarm', alarm: 'sdk-token-left', ...(uid !== undefined && { uid }) })
    }
  }

  /** Of all calls for one sign-in, at any instance, one at a time makes its token. */
  async function inTurn(name: string, holder: Holder, deadline: Deadline): ReturnType<SdkTokens['take']> {
    const mark = digestOf('sdk-token-turn', name)
    const isMine = (): Promise<boolean> =>
      guarded(() => store.consumeOnce(mark, clock.now() + deadlineMs + TURN_MARGIN_MS, clock.now()))
    while (!(await isMine())) {
      if (clock.monotonic() + LOOK_AGAIN_MS >= deadline.atMs) throw stillMaking()
      await clock.sleep(LOOK_AGAIN_MS)
    }
    try {
      const token = await known(name, holder)
      return token ? { token, isNew: false } : { token: await make(name, holder, deadline), isNew: true }
    } finally {
      await store.forgetConsumed(mark).catch(() => undefined)
    }
  }

  return {
    async take(holder, deadline) {
      const name = nameOf(holder)
      const token = await known(name, holder)
      return token ? { token, isNew: false } : inTurn(name, holder, deadline)
    },
    revoke: (holder, deadline) => takeBack(nameOf(holder), deadline),
    async revokeEnded(sessions) {
      await Promise.all(sessions.map(session => revokeNamed(nameOfLogin(session))))
    }
  }
}

function nameOf({ scheme, issuer, subject, session = '' }: Holder): string {
  return scheme === 'login' ? nameOfLogin(session) : digestOf('sdk-token', scheme, issuer, subject, session)
}

/** Whose session it was is not known any more when it has ended. */
function nameOfLogin(session: string): string {
  return digestOf('sdk-token', 'login', session)
}

/** A record opens under its own name alone: one that is written under another gives nobody another's token. */
function contextOf(name: string): string {
  return `sdk-token:${name}`
}

function stillMaking(): AppError {
  return new AppError('deadline-exceeded', 'The token of this sign-in is still being made.', {
    retryAfterMs: 1000,
    reason: 'other-attempt'
  })
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch {
    throw new AppError('store-unavailable', 'The tokens cannot be reached at the moment.', {
      retryAfterMs: 1000,
      reason: 'sessions'
    })
  }
}
