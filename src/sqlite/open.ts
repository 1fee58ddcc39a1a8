import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite'
import { type FileSystem, fileSystemOf } from '../lib/service/file-system.ts'
import { StoreError } from '../lib/service/store-error.ts'

export interface PrivateDatabaseOptions {
  readonly path: string
  /** Begins the sentence of a StoreError: the variable that names the file. */
  readonly subject: string
  readonly sqlite: DatabaseSyncOptions
  /** For tests. */
  readonly fileSystemOfPath?: (path: string) => FileSystem
  /** Looks at what is there and makes what is missing, before anybody uses it. */
  readonly setUp: (database: DatabaseSync) => void
}

/** Processes that start together on a new file disturb each other while it is made. */
const OPENING_ATTEMPTS = 10

/** SQLite's result codes, by what they mean for whoever named the file. */
const MEANINGS: Readonly<Record<number, string>> = {
  5: 'names a file that another program has locked',
  6: 'names a file that another program has locked',
  8: 'names a file that cannot be written',
  10: 'names a file that cannot be read or written: see the disk',
  11: 'names a database that is damaged: restore it, or name a new file',
  13: 'names a file on a disk that is full',
  14: 'names a file that cannot be opened: its directory must exist and be writable',
  26: 'names a file that is not a database'
}

/**
 * Opens a database that nobody else on this machine may read, and makes it where there is none.
 * Throws a StoreError that says what to change.
 */
export function openPrivateDatabase(options: PrivateDatabaseOptions): DatabaseSync {
  const { subject } = options
  // Resolved, because SQLite gives a meaning of its own to names such as `:memory:`.
  const file = resolve(options.path)
  refuseNetwork(file, options)
  makePrivate(file, subject)
  for (let attempt = 1; ; attempt++) {
    try {
      return open(file, options)
    } catch (error) {
      if (error instanceof StoreError) throw error
      const code = resultCode(error)
      if (code !== 5 || attempt === OPENING_ATTEMPTS)
        throw refusal(subject, MEANINGS[code] ?? `cannot be opened (SQLite ${code})`)
    }
  }
}

function open(file: string, { subject, sqlite, setUp }: PrivateDatabaseOptions): DatabaseSync {
  const database = new DatabaseSync(file, sqlite)
  try {
    setUp(database)
    return database
  } catch (error) {
    database.close()
    throw error instanceof RefusedDatabase ? refusal(subject, error.message) : error
  }
}

/** Thrown by `setUp` of a database that must not be used: what its name names. */
export class RefusedDatabase extends Error {}

/** There processes do not see each other's log: records would be lost. */
function refuseNetwork(file: string, { subject, fileSystemOfPath = fileSystemOf }: PrivateDatabaseOptions): void {
  const directory = dirname(file)
  // What is not there is refused in its own words.
  if (!existsSync(directory)) return
  const { kind, name } = fileSystemOfPath(directory)
  if (kind === 'network')
    throw refusal(subject, `names a file on a network file system (${name}): use a disk of this machine`)
}

/** Makes the file before SQLite does: SQLite would let others read it. Its side files get the mode of this one. */
function makePrivate(file: string, subject: string): void {
  try {
    accessSync(dirname(file), constants.R_OK | constants.W_OK)
    // An existing file must not be opened here: closing it would drop the locks that SQLite holds on it.
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST') return
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw refusal(subject, 'names a file in a directory that does not exist')
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw refusal(subject, 'names a file in a directory that cannot be written')
    }
    throw refusal(subject, `names a file that cannot be made (${String(code)})`)
  }
}

/** Keeps a log beside the file, so that who reads does not wait for who writes; what is committed is on the disk. */
export function keepDurableLog(database: DatabaseSync): void {
  const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = WAL').get() ?? {}
  if (mode !== 'wal') throw new RefusedDatabase('names a file where SQLite cannot keep a write-ahead log')
  database.exec('PRAGMA synchronous = FULL')
}

function resultCode(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0
  // The higher bits only refine it.
  return code & 0xff
}

function refusal(subject: string, meaning: string): StoreError {
  return new StoreError(`${subject} ${meaning}.`)
}
