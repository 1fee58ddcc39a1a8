import { findUid, isLinesFile, parseUidTable, type UidTable } from '../../lib/service/uid-table.ts'
import { watchFileText } from '../../lib/watch-file.ts'
import type { Emit } from '../../observability/events.ts'
import type { UidLookup } from './table.ts'

const UNREADABLE = 'it cannot be read'

export interface FileLookup {
  readonly lookUp: UidLookup
  close(): void
}

/** Looks users up in a file, which is read again whenever it changes; a version that is wrong changes nothing. */
export function createFileLookup(path: string, initial: UidTable, emit: Emit): FileLookup {
  let table = initial
  const changed = (problem?: string): void =>
    emit({ name: 'uid-table-changed', rows: table.size, ...(problem !== undefined && { problem }) })
  const close = watchFileText(
    path,
    text => {
      try {
        table = parseUidTable(text, isLinesFile(path))
        changed()
      } catch (error) {
        changed(error instanceof Error ? error.message : UNREADABLE)
      }
    },
    () => changed(UNREADABLE)
  )
  return { lookUp: async key => findUid(table, key), close }
}
