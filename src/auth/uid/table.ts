import { AppError } from '../../errors.ts'
import { CoalescingCache } from '../../lib/cache.ts'
import type { Clock } from '../../lib/clock.ts'
import type { CometChatUid } from '../../lib/service/cometchat-uid.ts'
import type { Emit } from '../../observability/events.ts'
import { isSameOwner, type UidOwner, type UidOwners } from './owners/uid-owners.ts'
import { checkedUid, subjectOf, type UidMap, unmappable } from './uid-map.ts'

/** What the table is asked about: a user, by the issuer and the subject without its prefix. */
export type TableKey = UidOwner

/** Finds the UID that the app's table has for a user; undefined for none. Rejects when the table cannot be asked. */
export type UidLookup = (key: TableKey) => Promise<string | undefined>

export interface UidTableOptions {
  readonly lookUp: UidLookup
  readonly clock: Pick<Clock, 'monotonic'>
  /** How long an answer is believed, in milliseconds; 0 for a lookup that costs nothing. */
  readonly ttlMs: number
  /** Gets the alarm `uid-shared` for a UID that the table gives to two users: one would speak as the other. */
  readonly emit: Emit
  readonly owners: Pick<UidOwners, 'own'>
  /** Taken away from the subject before the table is asked. */
  readonly strip?: string | undefined
}

const MAX_REMEMBERED = 10_000
const MAX_ASKING = 256
/** An owner whom the table has given up is replaced; while one follows another, the user is refused. */
const MAX_FORMER_OWNERS = 3

/**
 * Maps users by a table of the app. A UID is owned by the user who came with it first, for as long as the table still
 * gives it to that user: any other user is refused, and an alarm is raised.
 * The map throws `identity-unmappable`, or `identity-provider-unavailable` when the table cannot be asked.
 */
export function createTableUidMap(options: UidTableOptions): UidMap {
  const { lookUp, clock, ttlMs, emit, owners, strip } = options
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

  async function takeOver(uid: CometChatUid, user: TableKey, owner: UidOwner): Promise<CometChatUid> {
    let former = owner
    for (let round = 0; round < MAX_FORMER_OWNERS; round++) {
      if ((await uidOf(former)) === uid) break
      former = await owners.own(uid, user, former)
      if (isSameOwner(former, user)) return uid
    }
    emit({ name: 'alarm', alarm: 'uid-shared', uid })
    throw unmappable('uid-shared')
  }

  return async identity => {
    const user = { issuer: identity.issuer, subject: subjectOf(identity, strip).name }
    const found = await uidOf(user)
    if (found === undefined) throw unmappable('uid-unlisted')
    const uid = checkedUid(found)
    const owner = await owners.own(uid, user)
    return isSameOwner(owner, user) ? uid : takeOver(uid, user, owner)
  }
}

function unavailable(): AppError {
  return new AppError('identity-provider-unavailable', 'The table of users cannot be asked at the moment.', {
    retryAfterMs: 1000,
    reason: 'uid-table'
  })
}
