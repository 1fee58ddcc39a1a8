import { noteReconciled } from '../observability/log-fields.ts'
import type { CometChatClient } from '../upstream/cometchat-client.ts'
import type { Deadline, SoughtReply, ThreadLook } from '../upstream/types.ts'
import type { ReplyCommand } from './command.ts'
import { outcomeOf } from './outcome.ts'
import type { RecordedOutcome } from './record.ts'

type Searchable = Pick<CometChatClient, 'findReply'>

/** `unclear` when neither the reply nor its absence could be shown. */
export type ReconcileResult = RecordedOutcome | 'absent' | 'unclear'

/** Looks for a reply whose outcome its client was not told: its marker in the thread, as its author sees it. */
export async function findPosted(
  { parentId, author, message, facts }: ReplyCommand,
  marker: string,
  cometchat: Searchable,
  look: ThreadLook,
  deadline: Deadline
): Promise<ReconcileResult> {
  noteReconciled(facts, 'unclear')
  const found = await search(cometchat, { parentId, uid: author.uid, marker, message }, look, deadline)
  if (found !== 'unclear') noteReconciled(facts, found === 'absent' ? 'absent' : 'found')
  return found
}

async function search(
  cometchat: Searchable,
  sought: SoughtReply,
  look: ThreadLook,
  deadline: Deadline
): Promise<ReconcileResult> {
  try {
    const reply = await cometchat.findReply(sought, look, deadline)
    return reply === 'absent' ? 'absent' : { kind: 'done', messageId: reply.messageId, body: reply.body }
  } catch (error) {
    const outcome = outcomeOf(error)
    // A refusal is about reading the thread, not about the reply.
    return outcome?.kind === 'done' ? outcome : 'unclear'
  }
}
