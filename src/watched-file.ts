import { watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'

const POLL_MS = 1000

/**
 * Calls back with the text of a file whenever it changes.
 * By polling, because a Kubernetes secret changes by a symlink two directories up, which no watcher reports.
 */
export function watchKeyFile(path: string, onChange: (text: string) => void): void {
  watchFile(path, { interval: POLL_MS, persistent: false }, () => {
    // A file that cannot be read for a moment is a rotation in progress: the old keys stay.
    readFile(path, 'utf8').then(onChange, () => undefined)
  })
}
