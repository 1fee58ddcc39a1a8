import { GroupCommit } from '../../../sqlite/group-commit.ts'
import { keepDurableLog, openPrivateDatabase } from '../../../sqlite/open.ts'
import { SameFile } from '../../../sqlite/same-file.ts'
import { waitBriefly } from '../../../sqlite/waiting.ts'
import { ownersUnavailable, type UidOwner, type UidOwners } from './uid-owners.ts'

/** While the file is opened, beside other processes that open it. */
const BUSY_TIMEOUT_MS = 300

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS uid_owner (
    uid TEXT PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`

/** Owners in a file of their own, which the processes of one machine may share. Throws a StoreError. */
export function createFileUidOwners(path: string): UidOwners {
  const database = openPrivateDatabase({
    path,
    subject: 'STORE_URL, with .uids at its end for the owners of UIDs,',
    sqlite: { timeout: BUSY_TIMEOUT_MS },
    setUp(database) {
      // An owner who has spoken must be the owner after a power cut, too.
      keepDurableLog(database)
      database.exec(SCHEMA)
      waitBriefly(database)
    }
  })
  const file = new SameFile(path)
  const commits = new GroupCommit({ database, onFailure: () => undefined, check: file.require })
  const select = database.prepare('SELECT issuer, subject FROM uid_owner WHERE uid = ?')
  const insert = database.prepare('INSERT INTO uid_owner VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const replace = database.prepare(
    'UPDATE uid_owner SET issuer = ?, subject = ? WHERE uid = ? AND issuer = ? AND subject = ?'
  )

  function ownerOf(uid: string): UidOwner | undefined {
    const row = select.get(uid)
    return row && { issuer: String(row['issuer']), subject: String(row['subject']) }
  }

  return {
    async own(uid, user, former) {
      try {
        // Reading waits for no other process; most users who are new to this process have been here before.
        const owner = former ? undefined : ownerOf(uid)
        if (owner) return owner
        return await commits.run(() => {
          if (former) replace.run(user.issuer, user.subject, uid, former.issuer, former.subject)
          insert.run(uid, user.issuer, user.subject)
          return ownerOf(uid) ?? user
        })
      } catch {
        throw ownersUnavailable('uid-owners')
      }
    },
    isReady: () => database.isOpen && file.isThere(),
    async close() {
      if (!database.isOpen) return
      commits.flush()
      database.close()
    }
  }
}
