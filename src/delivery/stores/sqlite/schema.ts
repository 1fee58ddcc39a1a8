import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { keepDurableLog, openPrivateDatabase, RefusedDatabase } from '../../../sqlite/open.ts'
import { waitBriefly } from '../../../sqlite/waiting.ts'

/** "Repl": a database that says so was made by this service. */
const APPLICATION_ID = 0x5265706c
/** 2: what is remembered of a search. */
const SCHEMA_VERSION = 2
/** While the file is opened, beside other processes that open it. */
const BUSY_TIMEOUT_MS = 500

const SCHEMA = `
  CREATE TABLE records (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    owner TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'done', 'refused')),
    lease_ends_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    outcome TEXT,
    search TEXT
  ) STRICT;
  CREATE INDEX records_by_expiry ON records (expires_at_ms);
  CREATE TABLE horizon (at_ms INTEGER NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/**
 * Opens the database of delivery records, and makes it where there is none.
 * Throws a StoreError that says what to change about STORE_URL.
 */
export function openDatabase(path: string, nowMs: number, maxPages?: number): DatabaseSync {
  return openPrivateDatabase({
    path,
    subject: 'STORE_URL',
    sqlite: { timeout: BUSY_TIMEOUT_MS },
    setUp(database) {
      refuseForeign(database)
      // A record must be on the disk, not only in the memory of the machine, before a byte leaves for CometChat.
      keepDurableLog(database)
      if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`)
      makeSchema(database, nowMs)
      waitBriefly(database)
    }
  })
}

function refuseForeign(database: DatabaseSync): void {
  // One transaction, so that what another process makes of the file at this moment is seen whole or not at all.
  database.exec('BEGIN')
  const applicationId = ask(database, 'PRAGMA application_id')
  const version = Number(ask(database, 'PRAGMA user_version'))
  const isEmpty = ask(database, 'SELECT count(*) FROM sqlite_schema') === 0
  database.exec('COMMIT')
  if (isEmpty && applicationId === 0 && version === 0) return
  if (applicationId !== APPLICATION_ID) throw new RefusedDatabase('names the database of another program')
  if (version > SCHEMA_VERSION) {
    throw new RefusedDatabase('names a database that a newer version of this service has made')
  }
}

function makeSchema(database: DatabaseSync, nowMs: number): void {
  database.exec('BEGIN IMMEDIATE')
  // Asked again under the lock: another process may have been quicker.
  const version = ask(database, 'PRAGMA user_version')
  if (version === 0) {
    database.exec(SCHEMA)
    database.prepare('INSERT INTO horizon VALUES (?)').run(Math.floor(nowMs))
  }
  if (version === 1) database.exec(`ALTER TABLE records ADD COLUMN search TEXT; PRAGMA user_version = 2`)
  // A clock that has jumped back dates what is kept from now on: a jump ahead from here must not forget it.
  database.prepare('UPDATE horizon SET at_ms = ? WHERE at_ms > ?').run(Math.floor(nowMs), Math.floor(nowMs))
  database.exec('COMMIT')
}

function ask(database: DatabaseSync, query: string): unknown {
  return Object.values(database.prepare(query).get() ?? {})[0]
}

/** A row of `records`; the outcome is not read yet. */
export interface StoredRecord {
  readonly fingerprint: string
  readonly owner: string
  readonly state: unknown
  readonly leaseEndsAtMs: number
  readonly expiresAtMs: number
  readonly outcome: unknown
  readonly isLeaseEnded: boolean
  readonly search: string | undefined
}

/**
 * Stands in `outcome` before there is one: whether the owner still has its lease. Both are of one length, so that a full
 * disk refuses no owner that gives its lease up.
 */
const LEASE = { open: "'open'", over: "'over'" } as const

/** Every statement that the file store runs, prepared once. */
export function prepareStatements(database: DatabaseSync) {
  return {
    get: database.prepare('SELECT * FROM records WHERE key = ?'),
    isPending: database.prepare("SELECT 1 FROM records WHERE key = ? AND owner = ? AND state = 'pending'"),
    add: database.prepare(`
      INSERT INTO records (key, fingerprint, owner, state, lease_ends_at_ms, expires_at_ms, outcome, search)
      VALUES (?, ?, ?, ?, ?, ?, ${LEASE.open}, ?) ON CONFLICT DO NOTHING`),
    replace: database.prepare(`
      INSERT OR REPLACE INTO records (key, fingerprint, owner, state, lease_ends_at_ms, expires_at_ms, outcome, search)
      VALUES (?, ?, ?, ?, ?, ?, ${LEASE.open}, ?)`),
    markSent: database.prepare(`
      UPDATE records SET state = 'sent', expires_at_ms = ?
      WHERE key = ? AND owner = ? AND state IN ('pending', 'sent') AND lease_ends_at_ms > ?`),
    markInDoubt: database.prepare(`
      UPDATE records SET lease_ends_at_ms = min(lease_ends_at_ms, ?), outcome = ${LEASE.over}
      WHERE key = ? AND owner = ? AND state = 'sent'`),
    endLease: database.prepare(`
      UPDATE records SET lease_ends_at_ms = ?, outcome = ${LEASE.over} WHERE key = ? AND state = 'sent'`),
    takeOver: database.prepare(`
      UPDATE records
      SET fingerprint = ?, owner = ?, state = 'pending', lease_ends_at_ms = ?, expires_at_ms = ?, outcome = ${LEASE.open}
      WHERE key = ? AND owner = ? AND state = 'sent' AND lease_ends_at_ms <= ?`),
    complete: database.prepare(`
      UPDATE records SET state = ?, outcome = ?, expires_at_ms = ?, search = NULL
      WHERE key = ? AND owner = coalesce(?, owner) AND state IN ('pending', 'sent')`),
    release: database.prepare("DELETE FROM records WHERE key = ? AND owner = ? AND state IN ('pending', 'sent')"),
    abandon: database.prepare(`
      UPDATE records SET state = 'pending', lease_ends_at_ms = ?, expires_at_ms = ?, search = ?
      WHERE key = ? AND owner = ? AND state IN ('pending', 'sent')`),
    noteSearch: database.prepare(`
      UPDATE records SET search = ? WHERE key = ? AND search IS ? AND state IN ('pending', 'sent')`),

    horizon: database.prepare('SELECT at_ms FROM horizon'),
    moveHorizon: database.prepare('UPDATE horizon SET at_ms = ?'),
    sweep: database.prepare(`
      DELETE FROM records WHERE rowid IN
      (SELECT rowid FROM records WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?)`)
  }
}

/** Throws when the row is not one that this service wrote: a file can be damaged in ways that SQLite does not see. */
export function readRow(row: Readonly<Record<string, SQLOutputValue>> = {}): StoredRecord {
  const { fingerprint, owner, state, lease_ends_at_ms: leaseEndsAtMs, expires_at_ms: expiresAtMs, outcome } = row
  const search = typeof row['search'] === 'string' ? row['search'] : undefined
  const areTexts = typeof fingerprint === 'string' && typeof owner === 'string'
  const areDates = typeof leaseEndsAtMs === 'number' && typeof expiresAtMs === 'number'
  if (!areTexts || !areDates) throw new Error('the stored record is unreadable')
  const isLeaseEnded = state === 'sent' && outcome === 'over'
  return { fingerprint, owner, state, leaseEndsAtMs, expiresAtMs, outcome, isLeaseEnded, search }
}
