import { environment, inform, isOffline, onReturn } from './environment.ts'
import type { LiveSource, Page, ThreadReplies } from './types.ts'

const SHORTEST_MS = 5000
const LONGEST_MS = 30_000
const SLOWER = 1.5

export interface WatchesOptions {
  readonly list: ThreadReplies['list']
  readonly live: LiveSource | undefined
  readonly random: () => number
}

export interface Watches {
  readonly watch: ThreadReplies['watch']
  /** The thread has changed. */
  ring(threadId: string): void
  close(): void
}

/** Reads the newest page of a thread whenever something rings, one read at a time, and tells what has changed. */
export function createWatches({ list, live, random }: WatchesOptions): Watches {
  const watched = new Map<() => void, Watched>()

  const watch: Watches['watch'] = (threadId, onChange) => {
    const reader = createReader(() => list(threadId), onChange)
    const source = live ? { stop: live(threadId, reader.ring) } : poll(reader.ring, random)
    const end = (): void => {
      watched.delete(end)
      reader.close()
      source.stop()
    }
    reader.begin(source)
    watched.set(end, { threadId, ring: reader.ring })
    return end
  }

  return {
    watch,
    ring(threadId) {
      for (const one of watched.values()) if (one.threadId === threadId) one.ring()
    },
    close() {
      for (const end of watched.keys()) end()
    }
  }
}

interface Watched {
  readonly threadId: string
  readonly ring: () => void
}

interface Source {
  /** A read told whether the thread has changed, and for how long not to ask. */
  onRead?(isChanged: boolean, notBeforeMs: number): void
  stop(): void
}

function createReader(read: () => Promise<Page>, onChange: (newest: Page) => void) {
  let source: Source | undefined
  let isReading = false
  let isWanted = false
  let last = ''

  async function readOnce(): Promise<void> {
    isReading = true
    isWanted = false
    let isChanged = false
    let notBeforeMs = 0
    try {
      const page = await read()
      const text = JSON.stringify(page.messages)
      isChanged = text !== last
      last = text
      if (isChanged && source) inform(onChange, page)
    } catch (error) {
      // The next ring tries again; a watch has nobody to tell.
      notBeforeMs = (error as { problem?: { retryAfterMs?: number } }).problem?.retryAfterMs ?? 0
    }
    isReading = false
    source?.onRead?.(isChanged, notBeforeMs)
    if (isWanted) ring()
  }

  function ring(): void {
    isWanted = true
    if (source && !isReading) void readOnce()
  }

  return {
    ring,
    begin(of: Source) {
      source = of
      ring()
    },
    close() {
      source = undefined
    }
  }
}

/** Rings every 5 s, and up to 30 s apart while a thread is quiet; not for a page that nobody sees. */
function poll(ring: () => void, random: () => number): Source {
  let everyMs = SHORTEST_MS
  let timer: ReturnType<typeof setTimeout> | undefined

  function wait(ms: number): void {
    clearTimeout(timer)
    timer = setTimeout(look, ms * (0.9 + 0.2 * random()))
  }
  function look(): void {
    if (!environment.document?.hidden && !isOffline()) ring()
    wait(everyMs)
  }
  const ignore = onReturn(look)
  wait(everyMs)

  return {
    onRead(isChanged, notBeforeMs) {
      everyMs = isChanged ? SHORTEST_MS : Math.min(LONGEST_MS, everyMs * SLOWER)
      wait(Math.max(everyMs, notBeforeMs))
    },
    stop() {
      clearTimeout(timer)
      ignore()
    }
  }
}
