import { type Entry, FRESH, isFinal, NEW } from './entries.ts'
import type { Identity } from './identity.ts'
import type { Queue } from './queue.ts'
import type { Shelf } from './shelf.ts'
import type { Reply, ThreadReplies } from './types.ts'
import type { View } from './view.ts'

/** Also what a path can hold, so that a key can be looked up. */
const KEY = /^(?!\.\.?$)[\w.:~@+=-]{1,255}$/
/** The same text in the same thread is the same reply: somebody clicked twice, or something was rendered twice. */
const DOUBLE_CLICK_MS = 1000

export interface ActionsOptions {
  readonly shelf: Shelf
  readonly view: View
  readonly queue: Queue
  readonly identity: Identity
  readonly now: () => number
  readonly newId: () => string
  /** Whether this tab sends. */
  readonly isMine: () => boolean
}

export type Actions = Pick<ThreadReplies, 'send' | 'retry' | 'edit' | 'discard'>

/** What a person does with a reply. */
export function createActions({ shelf, view, queue, identity, now, newId, isMine }: ActionsOptions): Actions {
  let lastAt = 0

  /** In memory at once; whether it can be stored shows when it is sent. */
  function keep(entry: Entry): Reply {
    shelf.put(entry).catch(() => undefined)
    return view.reply(shelf.entries.get(entry.key) ?? entry)
  }

  function entryOf(key: string): Entry {
    const entry = shelf.entries.get(key)
    if (!entry) throw new Error(`There is no reply with the key ${key}.`)
    return entry
  }

  /** The reply that this is once more. Throws for a key that belongs to another one. */
  function twinOf(key: string | undefined, threadId: string, text: string): Entry | undefined {
    const owner = identity.owner()
    const isSame = (entry: Entry): boolean =>
      entry.threadId === threadId &&
      JSON.stringify(entry.body) === text &&
      (entry.owner ?? owner) === (owner ?? entry.owner)
    if (key === undefined) {
      const isFresh = ({ state, createdAt }: Entry): boolean =>
        state.is !== 'failed' && now() - createdAt < DOUBLE_CLICK_MS
      return [...shelf.entries.values()].find(entry => isFresh(entry) && isSame(entry))
    }
    const named = shelf.entries.get(key)
    if (named && !isSame(named)) throw new Error('key: it belongs to another reply')
    return named
  }

  const send: Actions['send'] = (threadId, body, { key, signal } = {}) => {
    if (key !== undefined && !KEY.test(key)) throw new Error('key: 1 to 255 of A-Z a-z 0-9 _ . : ~ @ + = -')
    if (signal?.aborted) throw new Error('aborted')
    const text = JSON.stringify(body)
    const twin = twinOf(key, threadId, text)
    if (twin) return view.reply(twin)
    lastAt = Math.max(now(), lastAt + 1)
    // With the time in it: engines without a source of chance of their own begin with few different numbers.
    const name = key ?? `${lastAt.toString(36)}-${newId()}`
    identity.expect(name)
    signal?.addEventListener('abort', () => discard(name))
    const owner = identity.owner()
    return keep({ key: name, threadId, body: JSON.parse(text), createdAt: lastAt, owner, tries: 0, state: NEW })
  }

  function retry(key: string): Reply {
    const entry = entryOf(key)
    const { state, editOf, firstTryAt, until = 0, floor = 0 } = entry
    const owner = entry.owner ?? identity.owner()
    if (state.is === 'sent') return view.reply(entry)
    if (isFinal(entry)) {
      const mayExist = !editOf && (state.is !== 'failed' || state.mayExist)
      const insistence = { firstTryAt, mayExist, mustLookUp: true, insists: true }
      return keep({ ...entry, ...FRESH, owner, ...(mayExist && insistence) })
    }
    if (entry.owner === undefined || isMine()) return keep({ ...entry, owner, until: Math.min(until, floor) })
    shelf.ask({ verb: 'retry', key })
    return view.reply(entry)
  }

  const edit: Actions['edit'] = (key, body) => {
    const entry = entryOf(key)
    const { state, threadId } = entry
    const editOf = state.is === 'sent' ? state.id : isFinal(entry) && entry.editOf
    // The SDK's bubble is known by it.
    const { muid } = entry.body
    const whole = { ...(muid && { muid }), ...JSON.parse(JSON.stringify(body)) }
    if (editOf) return keep({ ...entry, ...FRESH, body: whole, editOf })
    if (!discard(key)) throw new Error('It may be posted: edit it when that is known.')
    return send(threadId, whole)
  }

  function discard(key: string): boolean {
    const entry = shelf.entries.get(key)
    if (!entry || queue.isBusy(key)) return false
    const isOthers = !isFinal(entry) && entry.owner !== undefined && !isMine()
    if (isOthers) shelf.ask({ verb: 'discard', key })
    if (isOthers || (!isFinal(entry) && (entry.mayExist || entry.state.is === 'sending'))) return false
    shelf.drop(key)
    return true
  }

  return { send, retry, edit, discard }
}
