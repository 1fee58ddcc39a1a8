import { type Entry, inOrder, isFinal, replyOf, SENDING } from './entries.ts'
import { inform, isOffline } from './environment.ts'
import type { Identity } from './identity.ts'
import { headsOf, type Queue } from './queue.ts'
import type { Reply, ReplyState } from './types.ts'

export interface ViewOptions {
  readonly entries: ReadonlyMap<string, Entry>
  readonly queue: () => Queue
  readonly identity: () => Identity
  /** One more reply of this thread is sent. */
  readonly onSent: (threadId: string) => void
}

/** What an app sees of the replies. */
export interface View {
  reply(entry: Entry): Reply
  tell(threadId: string): void
  tellAll(): void
  subscribe(threadId: string, onChange: (replies: readonly Reply[]) => void): () => void
}

export function createView({ entries, queue, identity, onSent }: ViewOptions): View {
  const subscribers = new Map<string, Set<(replies: readonly Reply[]) => void>>()
  const sentIn = new Map<string, number>()

  /** Why nothing is done about it now. */
  function standstillOf({ owner, state }: Entry): ReplyState | undefined {
    if (owner === undefined) return { is: 'queued', because: 'no-owner' }
    if (queue().isPaused()) return { is: 'signed-out' }
    return isOffline() && state.is !== 'unconfirmed' ? { is: 'queued', because: 'offline' } : undefined
  }

  function stateOf(entry: Entry, heads: ReadonlyMap<string, Entry>): ReplyState {
    const { state, key, threadId } = entry
    if (isFinal(entry)) return state as ReplyState
    if (queue().isBusy(key) || identity().isExpected(key)) return SENDING
    const standstill = standstillOf(entry)
    if (standstill) return standstill
    if (state.is !== 'new') return state
    return heads.get(threadId)?.key === key ? SENDING : { is: 'queued', because: 'earlier-first' }
  }

  function repliesIn(threadId: string): readonly Reply[] {
    const whose = identity().shown()
    const shown = [...entries.values()].filter(
      entry => entry.threadId === threadId && (entry.owner === undefined || entry.owner === whose)
    )
    const heads = headsOf(shown, whose)
    return shown.sort(inOrder).map(entry => replyOf(entry, stateOf(entry, heads)))
  }

  function tell(threadId: string): void {
    const replies = repliesIn(threadId)
    const sent = replies.filter(({ state }) => state.is === 'sent').length
    const isMore = sent > (sentIn.get(threadId) ?? sent)
    sentIn.set(threadId, sent)
    for (const listener of subscribers.get(threadId) ?? []) inform(listener, replies)
    if (isMore) onSent(threadId)
  }

  return {
    reply: entry => replyOf(entry, stateOf(entry, headsOf(entries.values(), entry.owner))),
    tell,
    tellAll() {
      for (const threadId of subscribers.keys()) tell(threadId)
    },
    subscribe(threadId, onChange) {
      const listeners = subscribers.get(threadId) ?? new Set()
      subscribers.set(threadId, listeners.add(onChange))
      inform(onChange, repliesIn(threadId))
      return () => void listeners.delete(onChange)
    }
  }
}
