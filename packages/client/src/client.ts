import { createActions } from './actions.ts'
import { createBackOff } from './back-off.ts'
import { createCaller } from './caller.ts'
import { isFinal } from './entries.ts'
import { isOffline, onReturn, randomOf } from './environment.ts'
import { createIdentity } from './identity.ts'
import { createOutcomes } from './outcomes.ts'
import { createQueue, pathOf } from './queue.ts'
import { createShelf } from './shelf.ts'
import { defaultStorage } from './storage.ts'
import { createTurn } from './turn.ts'
import type { ThreadReplies, ThreadRepliesOptions } from './types.ts'
import { createView } from './view.ts'
import { createWatches } from './watch.ts'

/** Replies in CometChat's threads through the service at `url`: each is posted once, and told truly. */
export function createThreadReplies(options: ThreadRepliesOptions): ThreadReplies {
  const { url, auth, live, now = Date.now, random = randomOf } = options
  const { storage = defaultStorage(), fetch = (...given) => globalThis.fetch(...given) } = options
  const prefix = `thread-replies:${url}:`
  const backOff = createBackOff(random)
  const newId = (): string => [1, 2, 3].map(() => random().toString(36).slice(2)).join('')
  const isMine = (): boolean => turn.isMine()

  const shelf = createShelf({
    storage,
    prefix,
    now,
    yields: entry => !isMine() || isFinal(entry) || entry.owner === undefined,
    onChange(threadId) {
      view.tell(threadId)
      queue.pump()
    },
    onRequest({ verb, key }) {
      if (isMine() && shelf.entries.has(key)) actions[verb](key)
    }
  })
  const view = createView({
    entries: shelf.entries,
    queue: () => queue,
    identity: () => identity,
    onSent: threadId => watches.ring(threadId)
  })
  const turn = createTurn({ storage, prefix, now, newId, prepare: () => shelf.load(), onTurn: () => queue.pump() })
  const caller = createCaller({ url, auth, fetch, onOwner: owner => identity.found(owner) })
  const queue = createQueue({
    shelf,
    caller,
    outcomes: createOutcomes(now, backOff),
    now,
    owner: () => identity.owner(),
    isMine,
    onChange: () => view.tellAll()
  })
  const identity = createIdentity({
    storage,
    name: `${prefix} me`,
    backOff,
    ask: () => caller.call(),
    onFound(owner, keys) {
      turn.wantFor(owner)
      for (const key of keys) {
        const entry = shelf.entries.get(key)
        if (entry) shelf.put({ ...entry, owner }).catch(() => undefined)
      }
      view.tellAll()
      queue.pump()
    },
    onSignedOut: () => queue.pause(true),
    onChange: () => view.tellAll()
  })
  const actions = createActions({ shelf, view, queue, identity, now, newId, isMine })

  const list: ThreadReplies['list'] = async (threadId, { cursor, limit } = {}) => {
    const query = [cursor && `cursor=${encodeURIComponent(cursor)}`, limit && `limit=${limit}`]
      .filter(Boolean)
      .join('&')
    const path = pathOf(threadId) + (query && `?${query}`)
    const { json, problem } = await caller.call({ method: 'GET', path, isWhole: ({ data }) => Array.isArray(data) })
    if (problem) throw Object.assign(new Error(problem.code), { problem })
    return { messages: json.data, ...json.page }
  }
  const watches = createWatches({ list, live, random })

  /** Tries what waits by our own choice, and not because the service asked for it. */
  function kick(): void {
    view.tellAll()
    if (isOffline()) return
    if (identity.owner() === undefined && !queue.isPaused()) identity.ask()
    for (const entry of shelf.entries.values()) {
      const { owner, until = 0, floor = 0, key } = entry
      if (isMine() && owner === identity.owner() && !isFinal(entry) && until > floor) actions.retry(key)
    }
    queue.pump()
  }
  const ignore = onReturn(kick)

  let isClosed = false
  async function start(): Promise<void> {
    await identity.load()
    if (isClosed) return
    if (identity.owner() === undefined) turn.wantFor(identity.shown())
    await shelf.load()
    view.tellAll()
  }
  // What was stored and cannot be read is sent when it can; what comes now is kept all the same.
  start().catch(() => undefined)
  identity.ask()

  return {
    ...actions,
    list,
    watch: watches.watch,
    subscribe: view.subscribe,
    resume() {
      queue.pause(false)
      kick()
    },
    signedIn() {
      caller.forget()
      identity.forget()
      turn.wantFor(undefined)
      queue.pause(false)
      view.tellAll()
      identity.ask()
    },
    close() {
      isClosed = true
      ignore()
      identity.close()
      queue.close()
      turn.wantFor(undefined)
      shelf.close()
      watches.close()
    }
  }
}
