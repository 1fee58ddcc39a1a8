// A process whose wall clock is in our hands, by libfaketime; its monotonic clock is real.
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ServiceEnv } from './service-process.ts'

const LIBRARY = ['x86_64', 'aarch64']
  .map(machine => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find(path => existsSync(path))

/** For `t.test`: skips it where there is no libfaketime, unless everything has to be proved. */
export function needsFaketime(): { skip?: string } {
  return LIBRARY || process.env['CI'] ? {} : { skip: 'libfaketime is not installed (apt-get install faketime)' }
}

export interface MovedClock {
  /** For the process. */
  readonly env: ServiceEnv
  /** From now on its clock is so much ahead of the real one, or back. */
  set(ms: number): void
}

export function moveClockOf(t: Test): MovedClock {
  const directory = mkdtempSync(join(tmpdir(), 'clock-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'offset')
  const set = (ms: number): void => {
    // In one step: the process reads it whenever it asks for the time.
    writeFileSync(`${file}.next`, `${ms < 0 ? '' : '+'}${ms / 1000}\n`)
    renameSync(`${file}.next`, file)
  }
  set(0)
  return {
    env: {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_FORCE_MONOTONIC_FIX: '0'
    },
    set
  }
}
