import { type Core, isMine } from './core.ts'
import { type Entry, isInDoubt } from './entries.ts'
import { environment } from './environment.ts'
import { parse } from './exchange.ts'

/** For as long as the service keeps the answer to a key: `send` with it still finds this reply. */
const KEPT_MS = 86_400_000
/** Where tabs cannot tell each other anything. */
const LOOK_EVERY_MS = 2000

/** The replies in memory, in storage, and in the other tabs. */
export interface Shelf {
  /** At once here; the promise is for the storage, and need not be waited for. */
  put(entry: Entry): Promise<void>
  drop(entry: Entry): void
  load(): Promise<void>
  /** Keeps something beside the replies, or forgets it. */
  write(name: string, text: string | undefined): Promise<void>
}

export function createShelf(core: Core): Shelf {
  const { storage, entries } = core
  const prefix = `${core.name}reply `
  const channel = environment.BroadcastChannel && new environment.BroadcastChannel(prefix)
  /** Keys of what is newer here than in the storage. */
  const unsaved = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()
  let isRead = false

  /** One thing after the other, so that two writes of one reply cannot change places. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }

  async function write(name: string, text: string | undefined): Promise<void> {
    await (text ? storage.setItem(name, text) : storage.removeItem(name))
  }

  /** Writes what is there by then. */
  function save(entry: Entry): Promise<void> {
    const { key } = entry
    unsaved.add(key)
    core.changed(entry)
    return inTurn(async () => {
      // Another client may be at it by now.
      if (core.isClosed) throw new Error('closed')
      const saved = entries.get(key)
      await write(prefix + key, JSON.stringify(saved))
      if (entries.get(key) === saved) unsaved.delete(key)
      channel?.postMessage(key)
    })
  }

  /** It is being sent here, or was, and another tab took it for not posted and discarded it. */
  const isOurs = (known: Entry, stored: Entry | undefined): boolean =>
    core.busy.get(known.threadId) === known.key || (!stored && isMine(core) && isInDoubt(known))

  /** What is stored counts, except of a reply that this tab has changed since. */
  async function take(key: string): Promise<void> {
    const stored: Entry | undefined = parse(await storage.getItem(prefix + key))
    const known = entries.get(key)
    if ((isRead && unsaved.has(key)) || (known && isOurs(known, stored))) return
    const isOver = stored?.state.is === 'sent' && stored.createdAt < core.now() - KEPT_MS
    if (stored && !isOver) entries.set(key, stored)
    else entries.delete(key)
    if (isOver) await write(prefix + key, undefined)
    core.changed(stored ?? known)
  }

  function load(): Promise<void> {
    return inTurn(async () => {
      const names = await storage.getAllKeys()
      await Promise.all(names.filter(name => name.startsWith(prefix)).map(name => take(name.slice(prefix.length))))
      isRead = true
    })
  }

  if (channel) {
    channel.unref?.()
    channel.onmessage = ({ data }) => void inTurn(() => take(data))
    core.ends.push(() => channel.close())
  } else if (environment.document) {
    const looking = setInterval(load, LOOK_EVERY_MS)
    core.ends.push(() => clearInterval(looking))
  }

  return {
    put(entry) {
      entries.set(entry.key, entry)
      return save(entry)
    },
    drop(entry) {
      entries.delete(entry.key)
      void save(entry)
    },
    load,
    write: (name, text) => inTurn(() => write(core.name + name, text))
  }
}
