// The files of a folder in which others still work.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface FileText {
  readonly name: string
  /** A character a byte (latin1). */
  readonly text: string
}

const readBytes = (path: string): string => readFileSync(path, 'latin1')

/**
 * Those whose name begins as told. One that goes between the listing and the reading is left out. What SQLite's `-wal` held is in the
 * file of the shorter name by then, and that is read after it.
 */
export function readLiveFolder(folder: string, beginning = '', read = readBytes): FileText[] {
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    entry => entry.isFile() && entry.name.startsWith(beginning)
  )
  const names = files.map(({ name }) => name).sort((one, other) => other.length - one.length)
  return names.flatMap(name => {
    const text = unlessGone(() => read(join(folder, name)))
    return text === undefined ? [] : [{ name, text }]
  })
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
}
