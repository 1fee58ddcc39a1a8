import { GroupCommit } from '../../sqlite/group-commit.ts'
import { keepDurableLog, openPrivateDatabase } from '../../sqlite/open.ts'
import { SameFile } from '../../sqlite/same-file.ts'
import { waitBriefly } from '../../sqlite/waiting.ts'
import type { SessionStore } from './session-store.ts'

/** While the file is opened, beside other processes that open it. */
const BUSY_TIMEOUT_MS = 300

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS session (
    name TEXT PRIMARY KEY, sealed TEXT NOT NULL, idle_ends_at INTEGER NOT NULL, ends_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS session_owner (
    owner TEXT NOT NULL, name TEXT NOT NULL REFERENCES session ON DELETE CASCADE, PRIMARY KEY (owner, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS claim (name TEXT PRIMARY KEY, ends_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS session_ends_at ON session (ends_at);
  CREATE INDEX IF NOT EXISTS session_owner_name ON session_owner (name);
  CREATE INDEX IF NOT EXISTS claim_ends_at ON claim (ends_at);
`

/** Sessions in a file of their own: they survive a restart, for one instance. Throws a StoreError. */
export function createFileSessionStore(path: string): SessionStore {
  const database = openPrivateDatabase({
    path,
    subject: 'STORE_URL, with .login at its end for sessions,',
    sqlite: { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true },
    setUp(database) {
      // A logout that was answered must not come undone when the power fails.
      keepDurableLog(database)
      database.exec(SCHEMA)
      waitBriefly(database)
    }
  })
  const file = new SameFile(path)
  const commits = new GroupCommit({ database, onFailure: () => undefined, check: file.require })
  const insert = database.prepare('INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)')
  const insertIndexKey = database.prepare('INSERT OR IGNORE INTO session_owner VALUES (?, ?)')
  const select = database.prepare('SELECT sealed, idle_ends_at, ends_at FROM session WHERE name = ?')
  const selectIndexKeys = database.prepare('SELECT owner FROM session_owner WHERE name = ?')
  const update = database.prepare('UPDATE session SET idle_ends_at = ? WHERE name = ?')
  const remove = database.prepare('DELETE FROM session WHERE name = ?')
  const removeIndexed = database.prepare(
    'DELETE FROM session WHERE name IN (SELECT name FROM session_owner WHERE owner = ?) RETURNING name'
  )
  const removeEnded = database.prepare('DELETE FROM session WHERE ends_at <= ?')
  const claim = database.prepare('INSERT OR IGNORE INTO claim VALUES (?, ?)')
  const removeClaim = database.prepare('DELETE FROM claim WHERE name = ?')
  const removeEndedClaims = database.prepare('DELETE FROM claim WHERE ends_at <= ?')

  return {
    put: (name, { sealed, indexKeys, idleEndsAtMs, endsAtMs }, nowMs) =>
      commits.run(() => {
        removeEnded.run(nowMs)
        insert.run(name, sealed, idleEndsAtMs, endsAtMs)
        for (const indexKey of indexKeys) insertIndexKey.run(indexKey, name)
      }),
    async get(name) {
      const row = select.get(name)
      if (!row) return undefined
      return {
        sealed: String(row['sealed']),
        indexKeys: selectIndexKeys.all(name).map(({ owner }) => String(owner)),
        idleEndsAtMs: Number(row['idle_ends_at']),
        endsAtMs: Number(row['ends_at'])
      }
    },
    touch: (name, { idleEndsAtMs }) => commits.run(() => void update.run(idleEndsAtMs, name)),
    delete: name => commits.run(() => void remove.run(name)),
    deleteIndexed: indexKey => commits.run(() => removeIndexed.all(indexKey).map(({ name }) => String(name))),
    consumeOnce: (name, untilMs, nowMs) =>
      commits.run(() => {
        removeEndedClaims.run(nowMs)
        return Number(claim.run(name, untilMs).changes) === 1
      }),
    forgetConsumed: name => commits.run(() => void removeClaim.run(name)),
    isReady: () => database.isOpen && file.isThere(),
    async close() {
      if (!database.isOpen) return
      commits.flush()
      database.close()
    }
  }
}
