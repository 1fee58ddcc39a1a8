import { randomBytes } from 'node:crypto'
import type { Caller } from '../../auth/caller.ts'
import type { AppError } from '../../errors.ts'
import { invalidRequest } from '../../http/framework-errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { digestOf } from '../../lib/digest.ts'
import type { ListingPlace } from '../../upstream/listing/page.ts'
import { createSealedText } from './sealed-text.ts'

/** Whose cursor it is, and in which thread. */
export interface CursorScope {
  readonly caller: Pick<Caller, 'issuer' | 'subject' | 'uid'>
  readonly parentId: string
}

export interface ThreadCursors {
  write(place: ListingPlace, scope: CursorScope): string
  /** Throws `invalid-request` for what is no cursor of this user in this thread, or is too old. */
  read(cursor: string, scope: CursorScope): ListingPlace
}

/** A reader that asks for newer replies gets a new cursor each time. */
const CURSOR_KEPT_MS = 24 * 3_600_000
const CURSOR_KEPT_HOURS = CURSOR_KEPT_MS / 3_600_000

/** Without a secret they are worth something to this process alone, as its records are. */
export function createThreadCursors(secret: string | undefined, clock: Pick<Clock, 'now'>): ThreadCursors {
  const sealed = createSealedText(secret ?? randomBytes(32), 'thread-cursor')
  const contextOf = ({ caller: { issuer, subject, uid }, parentId }: CursorScope): string =>
    digestOf(issuer, subject, uid, parentId)
  return {
    write({ direction, paging, id = '', sentAt = '', position = '' }, scope) {
      const endsAtS = Math.ceil((clock.now() + CURSOR_KEPT_MS) / 1000)
      return sealed.seal([endsAtS, direction, paging, id, sentAt, position].join(' '), contextOf(scope))
    },
    read(cursor, scope) {
      const text = sealed.unseal(cursor, contextOf(scope))
      const [endsAtS, direction, paging, id, sentAt, position] = text?.split(' ') ?? []
      if (!direction || Number(endsAtS) * 1000 <= clock.now()) throw unusable()
      // Only this service can have sealed it, so its shape is known.
      return {
        direction: direction as ListingPlace['direction'],
        paging: paging as ListingPlace['paging'],
        ...(id && { id }),
        ...(sentAt && { sentAt: Number(sentAt) }),
        ...(position && { position: Number(position) })
      }
    }
  }
}

function unusable(): AppError {
  const detail = `It is no cursor of this user in this thread, or older than ${CURSOR_KEPT_HOURS} hours; begin without one.`
  return invalidRequest('cursor', [{ pointer: '/cursor', code: 'not-valid', detail }])
}
