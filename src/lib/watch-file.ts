import { type BigIntStats, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'

const POLL_MS = 1000

/**
 * Calls back with the text of a file whenever it changes; returns what ends that.
 * By polling, because a Kubernetes secret changes by a symlink two directories up, which no watcher reports. Compared with
 * what the file is now: `fs.watchFile` looks for the first time a while later, and a change before that would be lost.
 */
export function watchFileText(path: string, onChange: (text: string) => void, onUnreadable?: () => void): () => void {
  let seen = stampNow(path)

  async function look(): Promise<void> {
    const now = await stat(path, { bigint: true }).then(stampOf, () => stampOf(undefined))
    if (now === seen) return
    seen = now
    // A file that cannot be read for a moment is a rotation in progress: what was read before stays.
    await readFile(path, 'utf8').then(onChange, () => onUnreadable?.())
  }

  const timer = setInterval(() => void look(), POLL_MS).unref()
  return () => clearInterval(timer)
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
