import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'

/** A row of `records`; the outcome is not read yet. */
export interface StoredRecord {
  readonly fingerprint: string
  readonly owner: string
  readonly state: unknown
  readonly leaseEndsAtMs: number
  readonly expiresAtMs: number
  readonly outcome: unknown
  readonly isLeaseEnded: boolean
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
      INSERT INTO records (key, fingerprint, owner, state, lease_ends_at_ms, expires_at_ms, outcome)
      VALUES (?, ?, ?, ?, ?, ?, ${LEASE.open}) ON CONFLICT DO NOTHING`),
    replace: database.prepare(`
      INSERT OR REPLACE INTO records (key, fingerprint, owner, state, lease_ends_at_ms, expires_at_ms, outcome)
      VALUES (?, ?, ?, ?, ?, ?, ${LEASE.open})`),
    markSent: database.prepare(`
      UPDATE records SET state = 'sent', expires_at_ms = ?
      WHERE key = ? AND owner = ? AND state IN ('pending', 'sent') AND lease_ends_at_ms > ?`),
    doubt: database.prepare(`
      UPDATE records SET lease_ends_at_ms = min(lease_ends_at_ms, ?), outcome = ${LEASE.over}
      WHERE key = ? AND owner = ? AND state = 'sent'`),
    endLease: database.prepare(`
      UPDATE records SET lease_ends_at_ms = ?, outcome = ${LEASE.over} WHERE key = ? AND state = 'sent'`),
    reclaim: database.prepare(`
      UPDATE records
      SET fingerprint = ?, owner = ?, state = 'pending', lease_ends_at_ms = ?, expires_at_ms = ?, outcome = ${LEASE.open}
      WHERE key = ? AND owner = ? AND state = 'sent' AND lease_ends_at_ms <= ?`),
    finish: database.prepare(`
      UPDATE records SET state = ?, outcome = ?, expires_at_ms = ?
      WHERE key = ? AND owner = coalesce(?, owner) AND state IN ('pending', 'sent')`),
    release: database.prepare("DELETE FROM records WHERE key = ? AND owner = ? AND state IN ('pending', 'sent')"),

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
  const areTexts = typeof fingerprint === 'string' && typeof owner === 'string'
  const areDates = typeof leaseEndsAtMs === 'number' && typeof expiresAtMs === 'number'
  if (!areTexts || !areDates) throw new Error('the stored record is unreadable')
  const isLeaseEnded = state === 'sent' && outcome === 'over'
  return { fingerprint, owner, state, leaseEndsAtMs, expiresAtMs, outcome, isLeaseEnded }
}
