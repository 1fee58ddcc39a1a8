import type { CometChatClient } from '../upstream/cometchat-client.ts'
import type { Deadline, SoughtReply } from '../upstream/types.ts'
import type { ReplyOrder } from './command.ts'
import { outcomeOf } from './outcome.ts'
import type { Outcome } from './record.ts'

type Searchable = Pick<CometChatClient, 'findReply'>

/** `unclear` when the thread could not be read to its end, or carries no markers. */
export type Found = Outcome | 'absent' | 'unclear'

/** Looks for a reply whose outcome nobody was told: its marker in the thread, as its author sees it. */
export async function lookFor(
  { parentId, author, facts }: ReplyOrder,
  marker: string | undefined,
  cometchat: Searchable,
  deadline: Deadline
): Promise<Found> {
  facts.reconciled = 'unclear'
  if (marker === undefined) return 'unclear'
  const found = await search(cometchat, { parentId, uid: author.uid, marker }, deadline)
  if (found !== 'unclear') facts.reconciled = found === 'absent' ? 'absent' : 'found'
  return found
}

async function search(cometchat: Searchable, sought: SoughtReply, deadline: Deadline): Promise<Found> {
  try {
    const reply = await cometchat.findReply(sought, deadline)
    return reply === 'absent' ? 'absent' : { kind: 'done', messageId: reply.messageId, body: reply.body }
  } catch (error) {
    const outcome = outcomeOf(error)
    // A refusal is about reading the thread, not about the reply.
    return outcome?.kind === 'done' ? outcome : 'unclear'
  }
}
