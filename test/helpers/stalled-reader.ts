import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

const BUFFER_BYTES = 1024 * 1024
const PAGE_BYTES = 4096

/** A named pipe whose reader reads nothing by itself. */
export interface StalledReader {
  readonly path: string
  /** For the standard output of a process. */
  readonly writer: number
  /** Leaves no room in the pipe, not even for one line. */
  fill(): void
  /** What is in the pipe; undefined where that is nothing at the moment. */
  read(): string | undefined
  /** The reader goes. */
  leave(): void
}

export function createStalledReader(t: Pick<Test, 'testdir'>): StalledReader {
  const path = join(t.testdir({}), 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, 'w')
  const buffer = Buffer.alloc(BUFFER_BYTES)
  return {
    path,
    writer,
    fill() {
      const filler = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      for (const length of [PAGE_BYTES, 1]) while (unlessItWaits(() => writeSync(filler, '\n'.repeat(length))));
      closeSync(filler)
    },
    read: () => unlessItWaits(() => buffer.toString('utf8', 0, readSync(reader, buffer))),
    leave: () => closeSync(reader)
  }
}

/** Undefined where the system would make the call wait. */
function unlessItWaits<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined
    throw error
  }
}
