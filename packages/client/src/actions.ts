import { type Core, isMine } from './core.ts'
import { type Entry, type EntryState, isInDoubt, mayExist, SENDING, untried } from './entries.ts'
import type { Shelf } from './shelf.ts'
import type { Reply, ThreadReplies } from './types.ts'
import type { View } from './view.ts'

/** Also what a path can hold, so that a key can be looked up. */
const KEY = /^(?!\.\.?$)[\w.:~@+=-]{1,255}$/
/** The same text in the same thread is the same reply: somebody clicked twice, or something was rendered twice. */
const DOUBLE_CLICK_MS = 1000

export type Actions = Pick<ThreadReplies, 'send' | 'retry' | 'edit' | 'discard'>

/** What a person does with a reply. */
export function createActions(core: Core, shelf: Shelf, view: View): Actions {
  const { entries, now, random } = core
  let lastAt = 0

  /** In memory at once; whether it can be stored shows when it is sent. */
  function keep(entry: Entry): Reply {
    void shelf.put(entry)
    return view.reply(entry)
  }

  function entryOf(key: string): Entry {
    const entry = entries.get(key)
    if (!entry) throw new Error(`There is no reply with the key ${key}.`)
    return entry
  }

  /** The reply that this is once more. Throws for a key that belongs to another one. */
  function twinOf(key: string | undefined, threadId: string, text: string): Entry | undefined {
    const { owner } = core
    const isSame = (entry: Entry): boolean =>
      entry.threadId === threadId &&
      JSON.stringify(entry.body) === text &&
      (entry.owner ?? owner) === (owner ?? entry.owner)
    const isFresh = ({ state, createdAt }: Entry): boolean =>
      state.is !== 'failed' && now() - createdAt < DOUBLE_CLICK_MS
    if (key === undefined) return [...entries.values()].find(entry => isFresh(entry) && isSame(entry))
    const named = entries.get(key)
    if (named && !isSame(named)) throw new Error('key: it belongs to another reply')
    return named
  }

  const send: Actions['send'] = (threadId, body, { key, signal } = {}) => {
    if (key !== undefined && !KEY.test(key)) throw new Error(`key: it must match ${KEY}`)
    if (signal?.aborted) throw new Error('aborted')
    const { owner } = core
    const text = JSON.stringify(body)
    const twin = twinOf(key, threadId, text)
    if (twin) return view.reply(twin)
    lastAt = Math.max(now(), lastAt + 1)
    // With the time in it: some engines begin with few different numbers.
    const name = key ?? `${lastAt}-${random()}-${random()}`
    if (!owner) core.early.set(name, core.isAsking)
    signal?.addEventListener('abort', () => discard(name))
    return keep(untried({ key: name, threadId, body: JSON.parse(text), createdAt: lastAt, owner }))
  }

  function retry(key: string): Reply {
    const entry = entryOf(key)
    const { state, floor = 0, firstTryAt, editOf, owner = core.owner } = entry
    if (state.is === 'sent') return view.reply(entry)
    if (state.until !== undefined) {
      return keep({ ...entry, owner, state: { ...state, until: Math.min(state.until, floor) } as EntryState })
    }
    const again = { ...untried({ ...entry, owner }), editOf }
    return keep(mayExist(entry) && !editOf ? { ...again, firstTryAt, lookUp: 'then-send', state: SENDING } : again)
  }

  const edit: Actions['edit'] = (key, body) => {
    const entry = entryOf(key)
    const { state, threadId } = entry
    const editOf = state.is === 'sent' ? state.id : state.until === undefined && entry.editOf
    // The SDK's bubble is known by it.
    const { muid } = entry.body
    const whole = { ...(muid && { muid }), ...JSON.parse(JSON.stringify(body)) }
    if (editOf) return keep({ ...untried({ ...entry, body: whole }), editOf })
    if (!discard(key)) throw new Error('It may be posted: edit it when that is known.')
    return send(threadId, whole)
  }

  function discard(key: string): boolean {
    const entry = entries.get(key)
    if (!entry || core.busy.get(entry.threadId) === key || isInDoubt(entry)) return false
    shelf.drop(entry)
    // Another tab may be sending it just now: then it comes back.
    return entry.state.until === undefined || !entry.owner || isMine(core)
  }

  return { send, retry, edit, discard }
}
