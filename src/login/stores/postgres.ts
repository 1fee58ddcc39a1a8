import type { Row } from '../../postgres/connection.ts'
import type { SharedPostgres } from '../../postgres/shared.ts'
import { isSessionRecord, type SessionRecord, type SessionStore } from './session-store.ts'

/** Clocks of instances differ a little; whether a session is over is judged by its own times, not by this. */
const GRACE_MS = 60_000
/** What is over goes when something new comes, so many at a time. */
const SWEPT_AT_ONCE = 100

/** Sessions that all instances share, beside the records and on their connections. Times are those of the instances. */
export function createPostgresSessionStore(postgres: SharedPostgres): SessionStore {
  const { schema } = postgres
  const [sessions, uses] = [`${schema}.sessions`, `${schema}.single_uses`]
  /** Of a table whose `$1` is the name that is written in the same statement, and `$2` a time that is over. */
  const sweep = (table: string): string => `
    swept AS (DELETE FROM ${table} WHERE name IN (
      SELECT name FROM ${table} WHERE ends_at_ms <= $2::float8 AND name <> $1::text ORDER BY ends_at_ms
      LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED))`

  return {
    async put(name, { sealed, indexKeys, idleEndsAtMs, endsAtMs }, nowMs) {
      await postgres.ask(
        `WITH ${sweep(sessions)}
         INSERT INTO ${sessions} (name, sealed, index_keys, idle_ends_at_ms, ends_at_ms) VALUES ($1, $3, $4, $5, $6)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, index_keys = excluded.index_keys,
           idle_ends_at_ms = excluded.idle_ends_at_ms, ends_at_ms = excluded.ends_at_ms`,
        [name, nowMs - GRACE_MS, sealed, indexKeys, idleEndsAtMs, endsAtMs]
      )
    },
    async get(name) {
      const [row] = await postgres.ask(`SELECT * FROM ${sessions} WHERE name = $1`, [name])
      return row && recordFrom(row)
    },
    async touch(name, { idleEndsAtMs }) {
      await postgres.ask(`UPDATE ${sessions} SET idle_ends_at_ms = $2 WHERE name = $1`, [name, idleEndsAtMs])
    },
    async delete(name) {
      await postgres.ask(`DELETE FROM ${sessions} WHERE name = $1`, [name])
    },
    async deleteIndexed(indexKey) {
      const gone = await postgres.ask(`DELETE FROM ${sessions} WHERE index_keys @> ARRAY[$1::text] RETURNING name`, [
        indexKey
      ])
      return gone.map(({ name }) => String(name))
    },
    async consumeOnce(name, untilMs, nowMs) {
      const used = await postgres.ask(
        `WITH ${sweep(uses)}
         INSERT INTO ${uses} AS u (name, ends_at_ms) VALUES ($1, $3)
         ON CONFLICT (name) DO UPDATE SET ends_at_ms = excluded.ends_at_ms WHERE u.ends_at_ms <= $2 RETURNING 1`,
        [name, nowMs, untilMs]
      )
      return used.length === 1
    },
    async forgetConsumed(name) {
      await postgres.ask(`DELETE FROM ${uses} WHERE name = $1`, [name])
    },
    isReady: () => postgres.isReady(),
    close: async () => undefined
  }
}

function recordFrom(row: Row): SessionRecord | undefined {
  const { sealed, index_keys: indexKeys, idle_ends_at_ms: idleEndsAtMs, ends_at_ms: endsAtMs } = row
  const record = { sealed, indexKeys, idleEndsAtMs, endsAtMs }
  return isSessionRecord(record) ? record : undefined
}
