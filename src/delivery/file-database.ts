import { accessSync, closeSync, constants, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from './store-error.ts'

/** "Repl": a database that says so was made by this service. */
const APPLICATION_ID = 0x5265706c
const SCHEMA_VERSION = 1
/** A transition of another process takes a millisecond; whoever waits longer than this blocks this process for it. */
const BUSY_TIMEOUT_MS = 500
/** Processes that start together on a new file disturb each other while it is made. */
const OPENING_ATTEMPTS = 10

const SCHEMA = `
  CREATE TABLE records (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    owner TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'done', 'refused')),
    lease_ends_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    outcome TEXT
  ) STRICT;
  CREATE INDEX records_by_expiry ON records (expires_at_ms);
  CREATE TABLE horizon (at_ms INTEGER NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** SQLite's result codes, by what they mean for whoever set STORE_URL. */
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
 * Opens the database of delivery records, and makes it where there is none.
 * Throws a StoreError that says what to change about STORE_URL.
 */
export function openDatabase(path: string, nowMs: number, maxPages?: number): DatabaseSync {
  // Resolved, because SQLite gives a meaning of its own to names such as `:memory:`.
  const file = resolve(path)
  makePrivate(file)
  for (let attempt = 1; ; attempt++) {
    try {
      return open(file, nowMs, maxPages)
    } catch (error) {
      if (error instanceof StoreError) throw error
      const code = resultCode(error)
      if (code !== 5 || attempt === OPENING_ATTEMPTS)
        throw refusal(MEANINGS[code] ?? `cannot be opened (SQLite ${code})`)
    }
  }
}

/** Makes the file before SQLite does, because it holds what users wrote: nobody else may read it. */
function makePrivate(file: string): void {
  try {
    accessSync(dirname(file), constants.R_OK | constants.W_OK)
    // An existing file must not be opened here: closing it would drop the locks that SQLite holds on it.
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST') return
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refusal('names a file in a directory that does not exist')
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw refusal('names a file in a directory that cannot be written')
    }
    throw refusal(`names a file that cannot be made (${String(code)})`)
  }
}

function open(file: string, nowMs: number, maxPages: number | undefined): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    refuseForeign(database)
    const mode = ask(database, 'PRAGMA journal_mode = WAL')
    if (mode !== 'wal') throw refusal('names a file where SQLite cannot keep a write-ahead log')
    // A record must be on the disk, not only in the memory of the machine, before a byte leaves for CometChat.
    database.exec('PRAGMA synchronous = FULL')
    if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`)
    makeSchema(database, nowMs)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function refuseForeign(database: DatabaseSync): void {
  // One transaction, so that what another process makes of the file at this moment is seen whole or not at all.
  database.exec('BEGIN')
  const applicationId = ask(database, 'PRAGMA application_id')
  const version = Number(ask(database, 'PRAGMA user_version'))
  const isEmpty = ask(database, 'SELECT count(*) FROM sqlite_schema') === 0
  database.exec('COMMIT')
  if (isEmpty && applicationId === 0 && version === 0) return
  if (applicationId !== APPLICATION_ID) throw refusal('names the database of another program')
  if (version > SCHEMA_VERSION) throw refusal('names a database that a newer version of this service has made')
}

function makeSchema(database: DatabaseSync, nowMs: number): void {
  database.exec('BEGIN IMMEDIATE')
  // Asked again under the lock: another process may have been quicker.
  if (ask(database, 'PRAGMA user_version') === 0) {
    database.exec(SCHEMA)
    database.prepare('INSERT INTO horizon VALUES (?)').run(Math.floor(nowMs))
  }
  database.exec('COMMIT')
}

function ask(database: DatabaseSync, query: string): unknown {
  return Object.values(database.prepare(query).get() ?? {})[0]
}

function resultCode(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0
  // The higher bits only refine it.
  return code & 0xff
}

function refusal(meaning: string): StoreError {
  return new StoreError(`STORE_URL ${meaning}.`)
}
