import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'

const POLL_MS = 1000

/**
 * Calls back with the text of a file whenever it changes; returns what ends that.
 * By polling, because a Kubernetes secret changes by a symlink two directories up, which no watcher reports.
 */
export function watchFileText(path: string, onChange: (text: string) => void, onUnreadable?: () => void): () => void {
  const look = (): void => {
    // A file that cannot be read for a moment is a rotation in progress: what was read before stays.
    readFile(path, 'utf8').then(onChange, () => onUnreadable?.())
  }
  watchFile(path, { interval: POLL_MS, persistent: false }, look)
  return () => unwatchFile(path, look)
}
