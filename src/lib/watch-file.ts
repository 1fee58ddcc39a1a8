import { type BigIntStats, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'

const POLL_MS = 1000

/**
 * Calls back with the text of a file whenever it changes; returns what ends that.
 * By polling, because a Kubernetes secret changes by a symlink two directories up, which no watcher reports. Compared with
 * what the file is now: `fs.watchFile` looks for the first time a while later, and a change before that would be lost.
 */
export function watchFileText(path: string, onChange: (text: string) => void, onUnreadable?: () => void): () => void {
  let seen: string | undefined = stampNow(path)
  let unreadable: string | undefined
  let isClosed = false
  let timer = later()

  async function look(): Promise<void> {
    const now = await stat(path, { bigint: true }).then(stampOf, () => stampOf(undefined))
    if (now === seen) return
    // What was read before stays, and this version is read again: a rotation in progress, or no file could be opened.
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (isClosed) return
    seen = text === undefined ? undefined : now
    if (text !== undefined) onChange(text)
    else if (now !== unreadable) onUnreadable?.()
    unreadable = text === undefined ? now : undefined
  }

  // One look at a time: on a mount that hangs each one takes a thread of Node with it.
  function later(): NodeJS.Timeout {
    return setTimeout(async () => {
      await look()
      if (!isClosed) timer = later()
    }, POLL_MS).unref()
  }

  return () => {
    isClosed = true
    clearTimeout(timer)
  }
}

function stampNow(path: string): string {
  try {
    return stampOf(statSync(path, { bigint: true }))
  } catch {
    return stampOf(undefined)
  }
}

/** Whatever differs after a change, also after one that keeps length and times. */
function stampOf(stats: BigIntStats | undefined): string {
  return stats ? [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join() : ''
}
