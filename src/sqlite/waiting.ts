// How long SQLite waits for a lock; loads no SQLite, which not every Node has.
import type { DatabaseSync } from 'node:sqlite'

/** Waits as when a file is opened: processes that start together make what is missing. */
export function whileStarting(database: DatabaseSync, work: () => void): void {
  database.exec('PRAGMA busy_timeout = 500')
  work()
  waitBriefly(database)
}

/**
 * From here on a file that another process has locked is waited for outside of SQLite, whose waiting holds this thread up:
 * longer than a commit of another process takes, and no longer (GroupCommit).
 */
export function waitBriefly(database: DatabaseSync): void {
  database.exec('PRAGMA busy_timeout = 10')
}
