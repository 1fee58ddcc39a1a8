// One statement per kind of transition, for all records of a batch: each takes arrays with a value for each of them, in
// the order of their keys. Time is that of the server, so clients need not agree on it. What lets a reply be sent
// holds only for the server that was greeted: $1 is the epoch that the table `store` had then, $2 the run of the
// server and this table, $3 its synchronous standbys.
import type { Failover } from '../../../lib/service/failover.ts'
import { isSameServer } from '../../../postgres/server-facts.ts'
import { LEASE_TOLERANCE_MS, MAX_LEASE_MS } from '../../record.ts'

export interface StatementOptions {
  /** As SQL has it. */
  readonly schema: string
  readonly failover: Failover
  /** SQL of a timestamp; for tests, which cannot move the clock of a Postgres. */
  readonly clock?: string | undefined
}

/** What is said of each record: name and type. */
type Columns = readonly (readonly [name: string, type: 'text' | 'float8'])[]

export type Transition =
  | 'acquire'
  | 'peek'
  | 'endLease'
  | 'markSent'
  | 'markInDoubt'
  | 'takeOver'
  | 'complete'
  | 'release'
  | 'abandon'
  | 'noteSearch'

export interface Statement {
  readonly text: string
  /** Of the values, after those of the greeting. */
  readonly columns: readonly string[]
  readonly restsOnGreeting: boolean
}

export type Statements = Readonly<Record<Transition, Statement>> & { readonly walk: string; readonly now: string }

interface Change {
  readonly columns: Columns
  /** Of `r`, the record, by `asked`; deletes it unless given. */
  readonly set?: string
  readonly where: string
  /** It lets a reply be sent. */
  readonly restsOnGreeting?: true
  /** Also a yes: it was done before. */
  readonly orElse?: string
}

const IS_OPEN = `r.state IN ('pending', 'sent')`

export function statementsOf({ schema, failover, clock = 'clock_timestamp()' }: StatementOptions): Statements {
  const records = `${schema}.records`
  /** What is on the disk once this is committed: a server that ends before that has lost it. */
  const written = (changed: string): string =>
    failover === 'lossless'
      ? `'0/0' AS written_to`
      : `CASE WHEN pg_is_in_recovery() THEN '0/0'::pg_lsn WHEN EXISTS (SELECT FROM ${changed})
         THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END AS written_to`
  const greeted = `greeted AS MATERIALIZED (
    SELECT FROM ${schema}.store
    WHERE epoch = $1::text AND split_part($2::text, '/', 3) IN ('', tableoid::text) AND ${isSameServer(failover, '$2', '$3')})`
  const isGreeted = 'EXISTS (SELECT FROM greeted)'
  const now = `floor(extract(epoch FROM ${clock}) * 1000)::float8 AS now_ms`
  const after = (ms: string): string => `${clock} + ${ms} * interval '1 millisecond'`
  const isFarAhead = `r.lease_ends_at > ${after(`${MAX_LEASE_MS + LEASE_TOLERANCE_MS}`)}`

  /** The rows are locked in the order of their keys first: so no two batches wait for each other. */
  function statement({ columns, set, where, restsOnGreeting, orElse = 'false' }: Change): Statement {
    const change = set === undefined ? `DELETE FROM ${records} r USING` : `UPDATE ${records} r SET ${set} FROM`
    const text = `
      WITH ${restsOnGreeting ? `${greeted},` : ''} ${asked(columns, restsOnGreeting ? 4 : 1)},
      locked AS MATERIALIZED (
        SELECT r.key FROM ${records} r JOIN asked USING (key) ${restsOnGreeting ? `WHERE ${isGreeted}` : ''}
        ORDER BY r.key FOR UPDATE OF r),
      did AS (
        ${change} asked JOIN locked USING (key) WHERE r.key = asked.key AND ${where} RETURNING r.key)
      SELECT did.key IS NOT NULL OR ${orElse} AS did, ${restsOnGreeting ? `${isGreeted} AS is_greeted, ${written('did')}` : 'true AS is_greeted'}, ${now}
      FROM asked LEFT JOIN did USING (key) ORDER BY asked.key`
    return { text, columns: columns.map(([name]) => name), restsOnGreeting: restsOnGreeting === true }
  }

  const acquireColumns: Columns = [
    ['key', 'text'],
    ['fingerprint', 'text'],
    ['owner', 'text'],
    ['state', 'text'],
    ['lease_ms', 'float8'],
    ['kept_ms', 'float8'],
    ['search', 'text']
  ]
  const isRunning = `r.lease_ends_at > ${clock} AND r.lease_ends_at <= excluded.lease_ends_at + ${LEASE_TOLERANCE_MS} * interval '1 millisecond'`
  const found = `r.fingerprint, r.owner, r.state, r.lease_ended, r.outcome, r.search,
      floor(extract(epoch FROM r.lease_ends_at) * 1000)::float8 AS lease_ends_at_ms,
      floor(extract(epoch FROM r.expires_at) * 1000)::float8 AS expires_at_ms`
  const acquire = `
    WITH ${greeted}, ${asked(acquireColumns, 4)},
    kept AS (
      INSERT INTO ${records} AS r (key, fingerprint, owner, state, lease_ends_at, lease_ended, expires_at, search)
      SELECT key, fingerprint, owner, state, ${after('lease_ms')}, false, ${after('kept_ms')}, search
      FROM asked WHERE ${isGreeted} ORDER BY key
      ON CONFLICT (key) DO UPDATE SET
        fingerprint = excluded.fingerprint, owner = excluded.owner, state = excluded.state,
        lease_ends_at = excluded.lease_ends_at, lease_ended = false, expires_at = excluded.expires_at, outcome = NULL,
        search = CASE WHEN r.state = 'pending' AND r.expires_at > ${clock} THEN coalesce(r.search, excluded.search)
          ELSE excluded.search END
      WHERE r.expires_at <= ${clock}
        -- Dated before the clock jumped back; asked again, CometChat says the same or something newer.
        OR (r.state = 'refused' AND ${isFarAhead})
        OR (r.state = 'pending' AND CASE WHEN r.owner = excluded.owner THEN excluded.state = 'sent'
          ELSE r.fingerprint = excluded.fingerprint AND NOT (${isRunning}) END)
      RETURNING key, search)
    SELECT ${isGreeted} AS is_greeted, ${written('kept')}, ${now}, kept.key IS NOT NULL AS kept, kept.search AS kept_search, ${found}
    FROM asked LEFT JOIN kept USING (key) LEFT JOIN ${records} r ON r.key = asked.key AND kept.key IS NULL
    ORDER BY asked.key`
  const peek = `
    WITH ${greeted}, ${asked([['key', 'text']], 4)}
    SELECT ${isGreeted} AS is_greeted, ${now}, ${found} FROM asked LEFT JOIN ${records} r ON r.key = asked.key
    ORDER BY asked.key`

  return {
    acquire: { text: acquire, columns: acquireColumns.map(([name]) => name), restsOnGreeting: true },
    peek: { text: peek, columns: ['key'], restsOnGreeting: true },
    endLease: statement({
      columns: [['key', 'text']],
      set: `lease_ends_at = ${clock}, lease_ended = true`,
      where: `r.state = 'sent' AND (${isFarAhead} OR (r.lease_ended AND r.lease_ends_at > ${clock}))`
    }),
    markSent: statement({
      columns: [
        ['key', 'text'],
        ['owner', 'text'],
        ['kept_ms', 'float8']
      ],
      set: `state = 'sent', expires_at = ${after('asked.kept_ms')}`,
      where: `r.owner = asked.owner AND ${IS_OPEN} AND r.lease_ends_at > ${clock}`,
      restsOnGreeting: true
    }),
    markInDoubt: statement({
      columns: [
        ['key', 'text'],
        ['owner', 'text']
      ],
      set: `lease_ends_at = least(r.lease_ends_at, ${clock}), lease_ended = true`,
      where: `r.owner = asked.owner AND r.state = 'sent'`
    }),
    takeOver: statement({
      columns: [
        ['key', 'text'],
        ['previous', 'text'],
        ['fingerprint', 'text'],
        ['owner', 'text'],
        ['lease_ms', 'float8'],
        ['kept_ms', 'float8']
      ],
      set: `fingerprint = asked.fingerprint, owner = asked.owner, state = 'pending',
        lease_ends_at = ${after('asked.lease_ms')}, lease_ended = false, expires_at = ${after('asked.kept_ms')}`,
      where: `r.owner = asked.previous AND r.state = 'sent' AND r.lease_ends_at <= ${clock}`,
      orElse: `EXISTS (SELECT FROM ${records} r WHERE r.key = asked.key AND r.owner = asked.owner AND r.state = 'pending')`,
      restsOnGreeting: true
    }),
    complete: statement({
      columns: [
        ['key', 'text'],
        ['owner', 'text'],
        ['state', 'text'],
        ['outcome', 'text'],
        ['kept_ms', 'float8']
      ],
      set: `state = asked.state, outcome = asked.outcome, search = NULL,
        expires_at = ${after('asked.kept_ms')}`,
      where: `r.owner = coalesce(asked.owner, r.owner) AND ${IS_OPEN}`
    }),
    release: statement({
      columns: [
        ['key', 'text'],
        ['owner', 'text']
      ],
      where: `r.owner = asked.owner AND ${IS_OPEN}`
    }),
    abandon: statement({
      columns: [
        ['key', 'text'],
        ['owner', 'text'],
        ['search', 'text'],
        ['kept_ms', 'float8']
      ],
      set: `state = 'pending', lease_ends_at = ${clock}, lease_ended = false, search = asked.search,
        expires_at = ${after('asked.kept_ms')}`,
      where: `r.owner = asked.owner AND ${IS_OPEN}`
    }),
    noteSearch: statement({
      columns: [
        ['key', 'text'],
        ['former', 'text'],
        ['search', 'text']
      ],
      set: `search = asked.search`,
      where: `r.search IS NOT DISTINCT FROM asked.former AND ${IS_OPEN}`
    }),
    // $1 is where the last page ended, $2 how long this one is. An index on a column that every transition changes
    // would cost each of them more.
    walk: `
      WITH page AS MATERIALIZED (
        SELECT key, expires_at FROM ${records} WHERE key > $1::text COLLATE "C" ORDER BY key LIMIT $2::int),
      expired AS MATERIALIZED (
        SELECT r.key FROM ${records} r JOIN page USING (key) WHERE r.expires_at <= ${clock} FOR UPDATE OF r SKIP LOCKED),
      gone AS (DELETE FROM ${records} r USING expired WHERE r.key = expired.key RETURNING 1)
      SELECT (SELECT max(key) FROM page) AS last, (SELECT count(*) FROM page)::int AS seen, (SELECT count(*) FROM gone)::int AS gone`,
    now: `SELECT ${now}`
  }
}

/** The arrays as a table. */
function asked(columns: Columns, firstParameter: number): string {
  const arrays = columns.map(([, type], index) => `$${firstParameter + index}::${type}[]`)
  const names = columns.map(([name]) => name)
  const collated = names.map(name => (name === 'key' ? 'key COLLATE "C" AS key' : name))
  return `asked AS MATERIALIZED (SELECT ${collated.join(', ')} FROM unnest(${arrays.join(', ')}) AS asked (${names.join(', ')}))`
}
