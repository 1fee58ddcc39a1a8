import { noteReconciled } from '../observability/log-fields.ts'
import type { CometChatClient } from '../upstream/cometchat-client.ts'
import type { Deadline, SoughtReply } from '../upstream/types.ts'
import type { ReplyCommand } from './command.ts'
import { outcomeOf } from './outcome.ts'
import type { RecordedOutcome } from './record.ts'

type Searchable = Pick<CometChatClient, 'findReply'>

/** `unclear` when the thread could not be read to its end, carries no markers, or cannot show the reply. */
export type ReconcileResult = RecordedOutcome | 'absent' | 'unclear'

/** Looks for a reply whose outcome its client was not told: its marker in the thread, as its author sees it. */
export async function findPosted(
  { parentId, author, message, facts }: ReplyCommand,
  marker: string | undefined,
  cometchat: Searchable,
  deadline: Deadline
): Promise<ReconcileResult> {
  noteReconciled(facts, 'unclear')
  // The thread shows nothing of other receivers: it proves neither that they got the reply nor that they did not.
  if (marker === undefined || message.multipleReceivers !== undefined) return 'unclear'
  const found = await search(cometchat, { parentId, uid: author.uid, marker }, deadline)
  if (found !== 'unclear') noteReconciled(facts, found === 'absent' ? 'absent' : 'found')
  return found
}

async function search(cometchat: Searchable, sought: SoughtReply, deadline: Deadline): Promise<ReconcileResult> {
  try {
    const reply = await cometchat.findReply(sought, deadline)
    return reply === 'absent' ? 'absent' : { kind: 'done', messageId: reply.messageId, body: reply.body }
  } catch (error) {
    const outcome = outcomeOf(error)
    // A refusal is about reading the thread, not about the reply.
    return outcome?.kind === 'done' ? outcome : 'unclear'
  }
}
