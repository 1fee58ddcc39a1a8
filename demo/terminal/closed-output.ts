// Ends the demo when its output has no reader any more.
import { spawn } from 'node:child_process'
import { fstatSync } from 'node:fs'

const STDOUT = 1

/**
 * Calls `left` once when the reader of standard output is gone, as after `| head -3`. A process that writes nothing is
 * never told: Node does not watch a pipe that it only writes to, so where standard output is one, `tail -f` of the
 * system does (it polls its output and ends with its reader). Where there is no such tail, the next line that is written
 * finds out. The returned function ends the watch.
 */
export function onClosedOutput(left: () => void): () => void {
  process.stdout.on('error', left)
  if (!fstatSync(STDOUT).isFIFO()) return () => undefined
  const watcher = spawn('tail', ['-f', `--pid=${process.pid}`, '/dev/null'], { stdio: ['ignore', STDOUT, 'ignore'] })
  let isOver = false
  watcher.once('error', () => undefined)
  watcher.once('exit', (code, signal) => {
    // An ending by itself other than with its output is none of a tail that can watch.
    if (!isOver && (signal === 'SIGPIPE' || code === 1)) left()
  })
  watcher.unref()
  return () => {
    isOver = true
    watcher.kill()
  }
}
