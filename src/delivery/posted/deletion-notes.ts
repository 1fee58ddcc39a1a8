// That a reply was deleted by its author, kept for as long as one may be in doubt. A note is a record that was given up, with
// what it remembers: so every store has it, in the transitions that it has anyway.
import { randomUUID } from 'node:crypto'
import { isObject, type JsonObject, parseJsonText } from '../../lib/json.ts'
import { ANY_CONTENT, LEASE_MARGIN_MS, type RecordStore } from '../record.ts'
import type { RecordKeys } from '../record-keys.ts'

/** Whose reply it was: by its mark, which whoever looks for a lost reply knows, or by its id. */
export type DeletedReply =
  | { readonly marker: string }
  | { readonly uid: string; readonly parentId: string; readonly replyId: string }

export interface DeletionNotes {
  /** Keeps what is left of a message for 48 hours. Rejects where that is not certain. */
  keep(reply: DeletedReply, tombstone: JsonObject): Promise<void>
  /** What is left of it; undefined where there is no note, or the store is away. */
  find(reply: DeletedReply): Promise<JsonObject | undefined>
}

type NoteStore = Pick<RecordStore, 'acquire' | 'peek' | 'release'>

export function createDeletionNotes(store: NoteStore, recordKeys: Pick<RecordKeys, 'noteKey'>): DeletionNotes {
  const questionOf = (reply: DeletedReply) => ({
    key: recordKeys.noteKey(
      'marker' in reply ? ['marker', reply.marker] : ['id', reply.uid, reply.parentId, reply.replyId]
    ),
    fingerprint: '',
    owner: randomUUID(),
    leaseMs: LEASE_MARGIN_MS
  })
  return {
    async keep(reply, tombstone) {
      const question = questionOf(reply)
      const { kind } = await store.acquire(question)
      // Another request deletes the same reply now, and keeps the same note.
      if (kind === 'acquired') await store.release(question.key, question.owner, JSON.stringify(tombstone))
    },
    async find(reply) {
      try {
        const found = await store.peek({ ...questionOf(reply), fingerprint: ANY_CONTENT })
        const text = 'search' in found ? found.search : undefined
        const tombstone = text === undefined ? undefined : parseJsonText(text)
        return isObject(tombstone) ? tombstone : undefined
      } catch {
        return undefined
      }
    }
  }
}
