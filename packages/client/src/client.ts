import { createActions } from './actions.ts'
import { BUDGET } from './back-off.ts'
import { type Core, isMine } from './core.ts'
import { isOffline, onReturn } from './environment.ts'
import { createQueue, pathOf } from './queue.ts'
import { createSession } from './session.ts'
import { createShelf } from './shelf.ts'
import { defaultStorage } from './storage.ts'
import { createTurn } from './turn.ts'
import type { ThreadReplies, ThreadRepliesOptions } from './types.ts'
import { createView } from './view.ts'
import { createWatches } from './watch.ts'

/** Replies in CometChat's threads through the service at `url`: each is posted once, and told truly. */
export function createThreadReplies(options: ThreadRepliesOptions): ThreadReplies {
  const { auth, live } = options
  // What a compiler would refuse; without one every call would go to a path of the page, and nothing would say so.
  if (typeof options.url !== 'string') throw new Error('url: missing')
  if (!auth?.bearer && !auth?.cookie) throw new Error('auth: missing')
  const url = options.url.replace(/\/$/, '')
  const core: Core = {
    url,
    auth,
    storage: options.storage ?? defaultStorage(),
    fetch: options.fetch ?? ((...given) => globalThis.fetch(...given)),
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    name: `thread-replies ${url} `,
    entries: new Map(),
    busy: new Map(),
    early: new Map(),
    isAsking: false,
    isSignedOut: false,
    isClosed: false,
    mineUntil: 0,
    budget: BUDGET,
    ends: [],
    changed(entry) {
      view.tell(entry?.threadId)
      if (entry?.state.is === 'sent') watches.ring(entry.threadId)
      void pump()
    }
  }
  const { entries } = core
  const view = createView(core)
  const shelf = createShelf(core)
  const wantTurn = createTurn(core, shelf.load)
  const session = createSession(core, shelf, wantTurn)
  const pump = createQueue(core, shelf, session)
  const actions = createActions(core, shelf, view)

  const list: ThreadReplies['list'] = async (threadId, { cursor, limit } = {}) => {
    const query = (cursor ? `&cursor=${encodeURIComponent(cursor)}` : '') + (limit ? `&limit=${limit}` : '')
    const path = pathOf(threadId) + query.replace('&', '?')
    const { json, problem } = await session.call({ method: 'GET', path, isWhole: ({ data }) => Array.isArray(data) })
    if (problem) throw Object.assign(new Error(problem.code), { problem })
    return { messages: json.data, ...json.page }
  }
  const watches = createWatches(core, list, live)

  /** Tries what waits by our own choice, and not because the service asked for it. */
  function kick(): void {
    core.changed()
    if (isOffline()) return
    if (core.owner === undefined && !core.isSignedOut) void session.ask()
    for (const entry of entries.values()) {
      const { key, owner, floor = 0, state } = entry
      if (isMine(core) && owner === core.owner && (state.until ?? 0) > floor) actions.retry(key)
    }
    watches.ring()
  }
  core.ends.push(onReturn(kick))

  async function start(): Promise<void> {
    // Where they cannot be read, what comes now is kept and sent all the same.
    await Promise.allSettled([shelf.load(), session.load()])
    core.changed()
  }
  void start()
  void session.ask()

  return {
    ...actions,
    list,
    watch: watches.watch,
    subscribe: view.subscribe,
    resume() {
      core.isSignedOut = false
      kick()
    },
    signedIn() {
      session.forget()
      watches.ring()
    },
    close() {
      core.isClosed = true
      for (const end of core.ends) end()
    }
  }
}
