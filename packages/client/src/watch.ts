import { floorMs } from './back-off.ts'
import type { Core } from './core.ts'
import { inform, isHidden, isOffline } from './environment.ts'
import type { LiveSource, ThreadReplies, ThreadRepliesError } from './types.ts'

const SHORTEST_MS = 5000
const LONGEST_MS = 30_000
const SLOWER = 1.5

export interface Watches {
  readonly watch: ThreadReplies['watch']
  /** The thread may have changed; without one, any. */
  ring(threadId?: string): void
}

/** Reads the newest page of a thread whenever something rings, one read at a time, and tells what has changed. */
export function createWatches(core: Core, list: ThreadReplies['list'], live: LiveSource | undefined): Watches {
  /** By what ends it. */
  const watched = new Map<() => void, { readonly threadId: string; readonly ring: () => Promise<void> }>()

  const watch: Watches['watch'] = (threadId, onChange) => {
    let everyMs = SHORTEST_MS
    let timer: ReturnType<typeof setTimeout> | undefined
    let isReading = false
    let isWanted = false
    let last = ''

    const isWatched = (): boolean => watched.has(end)
    async function ring(): Promise<void> {
      isWanted = true
      if (isReading) return
      isReading = true
      // Not for a page that nobody sees.
      while (isWanted && isWatched() && !isHidden() && !isOffline() && !core.isSignedOut) {
        isWanted = false
        await read()
      }
      isReading = false
      clearTimeout(timer)
      if (!live && isWatched()) timer = setTimeout(ring, everyMs * (1 + 0.1 * core.random()))
    }
    async function read(): Promise<void> {
      everyMs = Math.min(LONGEST_MS, everyMs * SLOWER)
      try {
        const page = await list(threadId)
        const text = JSON.stringify(page.messages)
        if (text !== last && isWatched()) {
          everyMs = SHORTEST_MS
          inform(onChange, page)
        }
        last = text
      } catch (error) {
        // The next ring tries again; a watch has nobody to tell.
        everyMs = Math.max(everyMs, floorMs((error as ThreadRepliesError).problem))
      }
    }
    function end(): void {
      watched.delete(end)
      clearTimeout(timer)
      stop?.()
    }

    watched.set(end, { threadId, ring })
    const stop = live?.(threadId, ring)
    void ring()
    return end
  }

  core.ends.push(() => {
    for (const end of watched.keys()) end()
  })
  return {
    watch,
    ring(threadId) {
      for (const one of watched.values()) if (threadId === undefined || threadId === one.threadId) void one.ring()
    }
  }
}
