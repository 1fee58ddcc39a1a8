import type { Entry } from './entries.ts'
import { type Channel, environment } from './environment.ts'
import type { ReplyStorage } from './types.ts'

/** For as long as the service keeps the answer to a key: `send` with it still finds this reply. */
const KEPT_MS = 86_400_000
/** Where tabs cannot tell each other anything. */
const LOOK_EVERY_MS = 2000

export interface ShelfOptions {
  readonly storage: ReplyStorage
  /** What the names of its items begin with; also the name under which tabs hear of each other. */
  readonly prefix: string
  readonly now: () => number
  /** Whether what another tab stored takes the place of this. */
  readonly yields: (entry: Entry) => boolean
  readonly onChange: (threadId: string) => void
  /** Another tab asks the one that sends. */
  readonly onRequest: (request: TabRequest) => void
}

export interface TabRequest {
  readonly verb: 'retry' | 'discard'
  readonly key: string
}

/** The replies in memory, in storage, and in the other tabs. */
export interface Shelf {
  readonly entries: ReadonlyMap<string, Entry>
  /** At once here; the promise is for the storage. */
  put(entry: Entry): Promise<void>
  drop(key: string): void
  load(): Promise<void>
  ask(request: TabRequest): void
  close(): void
}

export function createShelf(options: ShelfOptions): Shelf {
  const { storage, prefix, now, yields, onChange, onRequest } = options
  const entries = new Map<string, Entry>()
  const writes = new Map<string, Promise<void>>()
  const channel = openChannel(prefix)
  let loaded: Promise<void> | undefined
  let isRead = false
  let isClosed = false

  /** Each write takes what is there by then, so that two of one reply cannot change places. */
  function write(key: string): Promise<void> {
    const before = writes.get(key) ?? loaded ?? load()
    const written = before
      .catch(() => undefined)
      .then(async () => {
        const entry = entries.get(key)
        // Another client may be at it by now.
        if (isClosed) throw new Error('closed')
        await (entry ? storage.setItem(prefix + key, JSON.stringify(entry)) : storage.removeItem(prefix + key))
        channel?.postMessage({ key })
      })
    writes.set(key, written)
    const end = (): void => void (writes.get(key) === written && writes.delete(key))
    written.then(end, end)
    return written
  }

  /** A write of this tab is newer. Before the first reading nothing was written: what comes then may be stored already. */
  function knowsBetter(key: string): boolean {
    const known = entries.get(key)
    return (writes.has(key) && isRead) || (known !== undefined && !yields(known))
  }

  /** What is stored counts, except where this tab knows better. */
  async function take(key: string): Promise<void> {
    const stored = read(await storage.getItem(prefix + key))
    if (knowsBetter(key)) return
    const known = entries.get(key) ?? stored
    if (stored && !isOver(stored)) entries.set(key, stored)
    else await forget(key)
    if (known) onChange(known.threadId)
  }

  async function forget(key: string): Promise<void> {
    if (writes.has(key)) return
    entries.delete(key)
    await storage.removeItem(prefix + key)
  }

  const isOver = ({ state, createdAt }: Entry): boolean => state.is === 'sent' && createdAt < now() - KEPT_MS

  async function load(): Promise<void> {
    loaded = (async () => {
      const names = await storage.getAllKeys()
      // No key has a space; what else is kept beside the replies has one.
      const keys = names.filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length))
      await Promise.all(keys.filter(key => !key.includes(' ')).map(take))
      isRead = true
    })()
    return loaded
  }

  if (channel) {
    channel.unref?.()
    channel.onmessage = ({ data }) => {
      const { key, verb } = data as { key: string; verb?: TabRequest['verb'] }
      if (verb) onRequest({ verb, key })
      else take(key).catch(() => undefined)
    }
  }
  const looking =
    !channel && environment.document ? setInterval(() => load().catch(() => undefined), LOOK_EVERY_MS) : undefined

  return {
    entries,
    put(entry) {
      entries.set(entry.key, entry)
      onChange(entry.threadId)
      return write(entry.key)
    },
    drop(key) {
      const entry = entries.get(key)
      entries.delete(key)
      if (entry) onChange(entry.threadId)
      write(key).catch(() => undefined)
    },
    load,
    ask: request => channel?.postMessage(request),
    close() {
      isClosed = true
      clearInterval(looking)
      channel?.close()
    }
  }
}

function openChannel(name: string): Channel | undefined {
  const { BroadcastChannel } = environment
  return BroadcastChannel && new BroadcastChannel(name)
}

function read(text: string | null): Entry | undefined {
  try {
    const entry = JSON.parse(text ?? '')
    return entry.threadId && entry.state ? entry : undefined
  } catch {
    return undefined
  }
}
