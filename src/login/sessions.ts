import type { Profile } from '../auth/caller.ts'
import { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { digestOf } from '../lib/digest.ts'
import { randomId, type Sealer } from './seal.ts'
import type { SessionRecord, SessionStore } from './stores/session-store.ts'

/** A user who signed in here. It holds no token: none is needed once the ID token has been read. */
export interface LoginSession {
  readonly issuer: string
  /** `sub` of the ID token. */
  readonly sub: string
  /** The claim that names the user; not yet known to be usable. */
  readonly subject: unknown
  /** The provider's own session, where it has a name. */
  readonly sid?: string
  readonly profile?: Profile
}

/** A session that is open. */
export interface OpenSession extends LoginSession {
  /** Under which it is kept: a digest that opens nothing. */
  readonly name: string
  /** When it ends without a further call, on the wall clock in milliseconds. */
  readonly endsAtMs: number
}

export interface LoginSessions {
  /** Makes a session and resolves with its id, the only copy: 256 random bits for the cookie. */
  begin(session: LoginSession): Promise<string>
  /** The session of an id, as long as it is neither idle for too long nor too old. */
  find(id: string): Promise<OpenSession | undefined>
  /** Ends a session; resolves with what it was. */
  end(id: string): Promise<LoginSession | undefined>
  /** Ends what the provider ended: one of its sessions, or everything of a user. */
  endAll(
    what: { readonly issuer: string; readonly sid: string } | { readonly issuer: string; readonly sub: string }
  ): Promise<number>
  /** Whether there still is a session of this name, idle or not. */
  isOpen(name: string): Promise<boolean>
  /** True for the first call that names this before the given time. */
  consumeOnce(kind: string, what: string, untilMs: number): Promise<boolean>
  forgetConsumed(kind: string, what: string): Promise<void>
}

export interface LoginSessionsOptions {
  readonly store: SessionStore
  readonly sealer: Sealer
  readonly clock: Clock
  readonly idleMs: number
  readonly absoluteMs: number
  /** Told the names of sessions that have ended, once that is so; what hangs on them ends before it resolves. Never rejects. */
  readonly onEnded?: (names: readonly string[]) => Promise<void>
}

/** A record that unseals; without the session once that has ended. */
interface StoredSession {
  readonly record: SessionRecord
  readonly session: LoginSession | undefined
}

const ID = /^[A-Za-z0-9_-]{43}$/
/** A session in use is not written at every call, only after this part of its idle time. */
const TOUCH_AFTER_PART = 20
const MAX_TOUCH_AFTER_MS = 60_000

/** Every method throws `store-unavailable` when the store fails: no user counts as signed out because of that. */
export function createLoginSessions(options: LoginSessionsOptions): LoginSessions {
  const { store, sealer, clock, idleMs, absoluteMs, onEnded } = options
  const touchAfterMs = Math.min(MAX_TOUCH_AFTER_MS, idleMs / TOUCH_AFTER_PART)

  /** The end is inside the seal, too: a program that writes to the store cannot prolong a session. */
  async function read(id: string): Promise<StoredSession | undefined> {
    if (!ID.test(id)) return undefined
    const record = await store.get(digestOf('session', id))
    const claims = record && (await sealer.unseal(record.sealed, contextOf(id)))
    if (!record || claims === undefined) return undefined
    // Only this service can have sealed it, so its shape is known.
    return { record, session: claims === 'expired' ? undefined : (claims['session'] as LoginSession) }
  }

  /** A use moves the idle end; resolves with it. */
  async function prolong(name: string, record: SessionRecord, nowMs: number): Promise<number> {
    const idleEndsAtMs = Math.min(nowMs + idleMs, record.endsAtMs)
    if (idleEndsAtMs - record.idleEndsAtMs < touchAfterMs) return record.idleEndsAtMs
    await store.touch(name, { ...record, idleEndsAtMs })
    return idleEndsAtMs
  }

  return {
    begin: session =>
      guarded(async () => {
        const id = randomId()
        const nowMs = clock.now()
        const endsAtMs = nowMs + absoluteMs
        await store.put(
          digestOf('session', id),
          {
            sealed: await sealer.seal({ session }, contextOf(id), endsAtMs),
            indexKeys: indexKeysOf(session),
            idleEndsAtMs: Math.min(nowMs + idleMs, endsAtMs),
            endsAtMs
          },
          nowMs
        )
        return id
      }),
    find: id =>
      guarded(async () => {
        const found = await read(id)
        if (!found) return undefined
        const { record, session } = found
        const name = digestOf('session', id)
        const nowMs = clock.now()
        if (!session || nowMs >= record.idleEndsAtMs) {
          await store.delete(name)
          await onEnded?.([name])
          return undefined
        }
        return { ...session, name, endsAtMs: await prolong(name, record, nowMs) }
      }),
    end: id =>
      guarded(async () => {
        const found = await read(id)
        if (!found) return undefined
        const name = digestOf('session', id)
        await store.delete(name)
        await onEnded?.([name])
        return found.session
      }),
    endAll: what =>
      guarded(async () => {
        const names = await store.deleteIndexed('sid' in what ? sidKey(what) : subKey(what))
        await onEnded?.(names)
        return names.length
      }),
    isOpen: name => guarded(async () => (await store.get(name)) !== undefined),
    consumeOnce: (kind, what, untilMs) => guarded(() => store.consumeOnce(digestOf(kind, what), untilMs, clock.now())),
    forgetConsumed: (kind, what) => guarded(() => store.forgetConsumed(digestOf(kind, what)))
  }
}

/** The id is part of the sealer's key: a record opens only together with the cookie that holds the id. */
function contextOf(id: string): string {
  return `session:${id}`
}

function indexKeysOf({ issuer, sub, sid }: LoginSession): string[] {
  return [subKey({ issuer, sub }), ...(sid === undefined ? [] : [sidKey({ issuer, sid })])]
}

function subKey({ issuer, sub }: { readonly issuer: string; readonly sub: string }): string {
  return digestOf('sub', issuer, sub)
}

function sidKey({ issuer, sid }: { readonly issuer: string; readonly sid: string }): string {
  return digestOf('sid', issuer, sid)
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch {
    throw new AppError('store-unavailable', 'The sessions cannot be reached at the moment.', {
      retryAfterMs: 1000,
      reason: 'sessions'
    })
  }
}
