// What callers read of threads, as CometChat shows it to them.
import type { Config } from '../../config/load-config.ts'
import { deadlineFor } from '../../delivery/command.ts'
import { type ChangesOptions, createReplyChanges, type ReplyChanges } from '../../delivery/posted/changes.ts'
import type { DeletionNotes } from '../../delivery/posted/deletion-notes.ts'
import { createLookup } from '../../delivery/posted/lookup.ts'
import type { RecordStore } from '../../delivery/record.ts'
import { checkIdempotencyKey, type RecordKeys } from '../../delivery/record-keys.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ThreadOptions, ThreadQuestion } from '../../routes/thread.ts'
import type { Deadline } from '../../upstream/types.ts'
import type { CometChat } from '../cometchat.ts'
import { createThreadCursors } from './cursors.ts'

export interface ThreadsParts {
  readonly cometchat: CometChat
  readonly store: RecordStore
  readonly recordKeys: RecordKeys
  readonly notes: DeletionNotes
  readonly clock: Clock
  /** Awaited before each change; nothing is changed where this throws an AppError. */
  readonly beforeSend?: ChangesOptions['beforeSend']
}

export type Threads = Pick<ThreadOptions, 'list' | 'show' | 'lookUp'> & ReplyChanges

export function createThreads(
  { delivery }: Config,
  { cometchat, store, recordKeys, notes, clock, beforeSend }: ThreadsParts
): Threads {
  const { threads, forSender } = cometchat
  const { marker, deadlineMs } = delivery
  const lookUp = createLookup({
    store,
    recordKeys,
    cometchat: cometchat.client,
    threads,
    ownReplies: cometchat.ownReplies,
    marker,
    notes,
    clock,
    deadlineMs
  })
  const changes = createReplyChanges({
    ownReplies: cometchat.ownReplies,
    notes,
    timeMs: () => cometchat.client.timeMs(),
    clock,
    deadlineMs,
    ...(beforeSend && { beforeSend })
  })
  const deadlineOf = (question: ThreadQuestion): Deadline => deadlineFor(question, deadlineMs, clock.monotonic(), clock)
  const threadOf = ({ parentId, author: { uid } }: ThreadQuestion) => ({ parentId, uid })
  const cursors = createThreadCursors(delivery.secret?.reveal(), clock)
  return {
    ...changes,
    async list(question, limit, cursor) {
      const { author, parentId } = question
      const scope = { caller: author, parentId }
      const place = cursor === undefined ? undefined : cursors.read(cursor, scope)
      const deadline = deadlineOf(question)
      const asked = { ...threadOf(question), limit, ...(place && { place }) }
      const { json, older, newer } = await forSender(() => threads.listReplies(asked, deadline), author, deadline)
      return {
        json,
        ...(older && { older: cursors.write(older, scope) }),
        ...(newer && { newer: cursors.write(newer, scope) })
      }
    },
    // Everything that can be wrong with a question is found before anything is asked.
    lookUp: async (question, key) => lookUp({ ...question, idempotencyKey: checkIdempotencyKey(key) }),
    show(question) {
      const deadline = deadlineOf(question)
      return forSender(() => threads.readParent(threadOf(question), deadline), question.author, deadline)
    }
  }
}
