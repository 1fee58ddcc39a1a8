// A file of records in a directory that goes with the test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createFileStore, type FileStore, type FileStoreOptions } from '../../../../src/delivery/stores/sqlite/store.ts'
import { createFakeClock, type FakeClock } from '../../fake-clock.ts'

export interface RecordFile {
  readonly path: string
  readonly directory: string
  readonly clock: FakeClock
  /** One more process at the same file, as far as a store can tell. */
  open(options?: Partial<FileStoreOptions>): FileStore
}

export function createRecordFile(t: Test): RecordFile {
  const directory = mkdtempSync(join(tmpdir(), 'records-'))
  const path = join(directory, 'records.db')
  const clock = createFakeClock()
  const opened: FileStore[] = []
  t.teardown(async () => {
    for (const store of opened) await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    path,
    directory,
    clock,
    open(options = {}) {
      const store = createFileStore({ path, clock, ...options })
      opened.push(store)
      return store
    }
  }
}
