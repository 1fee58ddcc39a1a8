// What a sender does with a reply that is posted: edits and deletes it.
import { AppError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/json.ts'
import { noteSent } from '../../observability/log-fields.ts'
import { tombstoneOf } from '../../upstream/listing/shown-message.ts'
import { type OwnReplies, type ReplyChange, replyNotFound } from '../../upstream/own-replies.ts'
import type { Deadline } from '../../upstream/types.ts'
import { deadlineFor, type ReplyCommand } from '../command.ts'
import { storeUnavailable } from '../outcome.ts'
import type { DeletionNotes } from './deletion-notes.ts'

/** A change on its way to CometChat. */
export type ChangeOrder = Pick<ReplyCommand, 'parentId' | 'author' | 'facts' | 'isWaiting' | 'waitMs' | 'trace'> & {
  readonly replyId: string
}

export interface ReplyChanges {
  /** The message as it is now. */
  edit(order: ChangeOrder, change: ReplyChange): Promise<JsonObject>
  /** What is left of the message. */
  remove(order: ChangeOrder): Promise<JsonObject>
}

export interface ChangesOptions {
  readonly ownReplies: OwnReplies
  readonly notes: DeletionNotes
  /** CometChat's own time, in milliseconds. */
  readonly timeMs: () => number | undefined
  readonly clock: Pick<Clock, 'monotonic'>
  readonly deadlineMs: number
  /** Awaited before each change; nothing is changed where this throws an AppError. */
  readonly beforeSend?: (order: Pick<ReplyCommand, 'facts' | 'author'>) => Promise<void>
}

export function createReplyChanges(options: ChangesOptions): ReplyChanges {
  const { ownReplies, notes, clock, deadlineMs, beforeSend } = options
  const placeOf = ({ parentId, replyId, author: { uid } }: ChangeOrder) => ({ parentId, replyId, uid })

  /** A change that may have happened may be made again: it comes to the same. */
  async function repeatable<T>(order: ChangeOrder, change: (deadline: Deadline) => Promise<T>): Promise<T> {
    try {
      const done = await change(deadlineFor(order, deadlineMs, clock.monotonic(), clock))
      noteSent(order.facts, order.replyId)
      return done
    } catch (error) {
      throw error instanceof AppError ? error.asRepeatable() : error
    }
  }

  /** Before anything is deleted: without its mark a reply in doubt would be posted again. */
  async function keepMark(marker: string, message: JsonObject, uid: string): Promise<void> {
    const nowMs = options.timeMs()
    const deletedAt = nowMs === undefined ? {} : { deletedAt: Math.floor(nowMs / 1000) }
    try {
      await notes.keep({ marker }, tombstoneOf({ ...message, ...deletedAt, deletedBy: uid }))
    } catch {
      throw storeUnavailable('not-sent')
    }
  }

  return {
    edit: (order, change) =>
      repeatable(order, async deadline => {
        const place = placeOf(order)
        const reply = await ownReplies.read(place, deadline)
        if (reply.isDeleted) throw replyNotFound()
        if (beforeSend) await beforeSend(order)
        return ownReplies.edit(place, reply, change, deadline)
      }),

    remove: order =>
      repeatable(order, async deadline => {
        const place = placeOf(order)
        const former = await notes.find(place)
        if (former) return former
        const reply = await ownReplies.read(place, deadline)
        if (reply.isDeleted) return tombstoneOf(reply.message)
        if (reply.marker !== undefined) await keepMark(reply.marker, reply.message, place.uid)
        if (beforeSend) await beforeSend(order)
        const left = await ownReplies.remove(place, reply, deadline)
        // Without it a repeated delete is told that there is no such reply, as it would be after 48 hours.
        await notes.keep(place, left).catch(() => undefined)
        return left
      })
  }
}
