import type { Core } from './core.ts'
import { type Entry, headsOf, inOrder } from './entries.ts'
import { inform, isOffline } from './environment.ts'
import type { Reply, ReplyState, ThreadReplies } from './types.ts'

/** What an app sees of the replies. */
export interface View {
  reply(entry: Entry): Reply
  readonly subscribe: ThreadReplies['subscribe']
  /** Tells those who look at this thread; without one, all. */
  tell(threadId?: string): void
}

export function createView(core: Core): View {
  const { entries } = core
  /** By what tells it: the thread that it is told of. */
  const subscribers = new Map<() => void, string>()

  /** Why nothing is done about it now. */
  function standstillOf({ owner, state }: Entry): ReplyState | undefined {
    if (!owner) return { is: 'queued', because: 'no-owner' }
    if (core.isSignedOut) return { is: 'signed-out' }
    return isOffline() && state.is !== 'unconfirmed' ? { is: 'queued', because: 'offline' } : undefined
  }

  function stateOf(entry: Entry, heads: ReadonlyMap<string, Entry>): ReplyState {
    const { state, key, threadId } = entry
    if (state.until === undefined) return state as ReplyState
    if (core.busy.get(threadId) === key || core.early.get(key)) return { is: 'sending' }
    const standstill = standstillOf(entry)
    if (standstill || state.until) return standstill ?? (state as ReplyState)
    const isNext = state.is === 'sending' || heads.get(threadId)?.key === key
    return isNext ? { is: 'sending' } : { is: 'queued', because: 'earlier-first' }
  }

  function replyOf(entry: Entry, heads: ReadonlyMap<string, Entry>): Reply {
    const { key, threadId, body, createdAt } = entry
    return { key, threadId, body, createdAt, state: stateOf(entry, heads) }
  }

  function repliesIn(threadId: string): readonly Reply[] {
    const heads = headsOf(entries.values(), core.shown)
    return [...entries.values()]
      .filter(entry => entry.threadId === threadId && (entry.owner ?? core.shown) === core.shown)
      .sort(inOrder)
      .map(entry => replyOf(entry, heads))
  }

  return {
    reply: entry => replyOf(entry, headsOf(entries.values(), entry.owner)),
    subscribe(threadId, onChange) {
      const tell = (): void => inform(onChange, repliesIn(threadId))
      subscribers.set(tell, threadId)
      tell()
      return () => void subscribers.delete(tell)
    },
    tell(threadId) {
      for (const [tell, of] of subscribers) if (threadId === undefined || threadId === of) tell()
    }
  }
}
