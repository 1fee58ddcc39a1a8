import { AppError } from '../../errors.ts'
import { CoalescingCache } from '../../lib/cache.ts'
import type { Clock } from '../../lib/clock.ts'
import { isCometChatUid } from '../../upstream/cometchat-uid.ts'
import { subjectText, type UidMap, unmappable } from './uid-map.ts'

export interface TableKey {
  readonly issuer: string
  readonly subject: string
}

/** Finds the UID an app has for a user; undefined for none. Rejects when nobody can tell at the moment. */
export type UidLookup = (key: TableKey) => Promise<string | undefined>

export interface UidTableOptions {
  readonly lookUp: UidLookup
  readonly clock: Pick<Clock, 'monotonic'>
  /** How long an answer is believed, in milliseconds; 0 for a lookup that costs nothing. */
  readonly ttlMs: number
  /** Told of a UID that the table gives to two users: one of them would speak as the other. */
  readonly onAlarm: (alarm: 'uid-shared', uid: string) => void
}

const MAX_REMEMBERED = 10_000
const MAX_BINDINGS = 100_000
const MAX_ASKING = 256

/**
 * Maps users by a table of the app. A UID belongs to whoever came with it first, for as long as the table still gives
 * it to them: anybody else is refused, and an alarm is raised.
 * The map throws `identity-unmappable`, or `identity-provider-unavailable` when the table cannot be asked.
 */
export function createTableUidMap({ lookUp, clock, ttlMs, onAlarm }: UidTableOptions): UidMap {
  const bindings = new Map<string, TableKey>()
  const answers = new CoalescingCache<string | undefined>({
    clock,
    maxEntries: MAX_REMEMBERED,
    limit: { maxAsking: MAX_ASKING, tooMany: unavailable }
  })

  function uidOf(key: TableKey): Promise<string | undefined> {
    return answers.get(JSON.stringify([key.issuer, key.subject]), async () => {
      const value = await lookUp(key).catch(() => {
        throw unavailable()
      })
      // A user who was just added should not have to wait for long.
      return { value, ttlMs: value === undefined ? ttlMs / 6 : ttlMs }
    })
  }

  function bind(uid: string, key: TableKey): void {
    const isFull = !bindings.has(uid) && bindings.size >= MAX_BINDINGS
    const oldest = isFull ? bindings.keys().next().value : undefined
    if (oldest !== undefined) bindings.delete(oldest)
    bindings.set(uid, key)
  }

  return async identity => {
    const key = { issuer: identity.issuer, subject: subjectText(identity) }
    const uid = await uidOf(key)
    if (uid === undefined || !isCometChatUid(uid)) throw unmappable()
    const holder = bindings.get(uid)
    if (holder && !isSame(holder, key) && (await uidOf(holder)) === uid) {
      onAlarm('uid-shared', uid)
      throw unmappable('uid-shared')
    }
    // Asked again, because others may have come while the holder was looked up.
    const current = bindings.get(uid)
    if (current === undefined || current === holder) bind(uid, key)
    else if (!isSame(current, key)) throw unmappable('uid-shared')
    return uid
  }
}

function isSame(one: TableKey, other: TableKey): boolean {
  return one.issuer === other.issuer && one.subject === other.subject
}

function unavailable(): AppError {
  return new AppError('identity-provider-unavailable', 'The table of users cannot be asked at the moment.', {
    retryAfterMs: 1000,
    reason: 'uid-table'
  })
}
