import { AppError } from '../../errors.ts'
import { CoalescingCache, LruCache } from '../../lib/cache.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Emit } from '../../observability/events.ts'
import { isCometChatUid } from '../../upstream/cometchat-uid.ts'
import { subjectText, type UidMap, unmappable } from './uid-map.ts'

export interface TableKey {
  readonly issuer: string
  readonly subject: string
}

/** Finds the UID that the app's table has for a user; undefined for none. Rejects when the table cannot be asked. */
export type UidLookup = (key: TableKey) => Promise<string | undefined>

export interface UidTableOptions {
  readonly lookUp: UidLookup
  readonly clock: Pick<Clock, 'monotonic'>
  /** How long an answer is believed, in milliseconds; 0 for a lookup that costs nothing. */
  readonly ttlMs: number
  /** Gets the alarm `uid-shared` for a UID that the table gives to two users: one would speak as the other. */
  readonly emit: Emit
  /** How many UIDs keep the user who came with them first; the one that was used longest ago goes first. */
  readonly maxBindings?: number
}

const MAX_REMEMBERED = 10_000
const MAX_BINDINGS = 100_000
const MAX_ASKING = 256

/**
 * Maps users by a table of the app. A UID is bound to the user who came with it first, for as long as the table still
 * gives it to that user: any other user is refused, and an alarm is raised.
 * The map throws `identity-unmappable`, or `identity-provider-unavailable` when the table cannot be asked.
 */
export function createTableUidMap(options: UidTableOptions): UidMap {
  const { lookUp, clock, ttlMs, emit, maxBindings = MAX_BINDINGS } = options
  const bindings = new LruCache<TableKey>({ maxEntries: maxBindings })
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

  return async identity => {
    const key = { issuer: identity.issuer, subject: subjectText(identity) }
    const uid = await uidOf(key)
    if (uid === undefined || !isCometChatUid(uid)) throw unmappable()
    const holder = bindings.get(uid)
    if (holder && !isSame(holder, key) && (await uidOf(holder)) === uid) {
      emit({ name: 'alarm', alarm: 'uid-shared', uid })
      throw unmappable('uid-shared')
    }
    // Read again: another user may have been bound while the table was asked about the holder.
    const current = bindings.get(uid)
    if (current === undefined || current === holder) bindings.set(uid, key)
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
