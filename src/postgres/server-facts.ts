import type { Failover } from '../lib/service/failover.ts'
import { StoreError } from '../lib/service/store-error.ts'
import type { Ask, Row } from './connection.ts'
import { HURRIED, LEAST_STATEMENT_TIMEOUT_MS, NotNow } from './trouble.ts'

/** What a server tells of itself that matters for records. */
export interface ServerFacts {
  /** Another one after a failover, or where a backup was restored; a restart changes nothing. Empty where it does not matter. */
  readonly run: string
  /** Where its log is on the disk, as a number; what is behind it later has lost some. */
  readonly flushedTo: string
  /** Of the settings, what every transition is checked for. */
  readonly standbys: string
  /** Its own name, as standbys have one. */
  readonly name: string
  /** False where a power cut may lose what was committed. */
  readonly isDurable: boolean
}

const OLDEST_VERSION = 13

/** Timeline and system: 8 hexadecimal digits, and the number that initdb has given. SQL, for every user. */
const RUN = `substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`

/** SQL that is true while the server is the one that was greeted, with the settings that it had. */
export function isSameServer(failover: Failover, runParameter: string, standbysParameter: string): string {
  const settings = `current_setting('synchronous_commit') <> 'off' AND NOT pg_is_in_recovery()`
  const standbys = `${settings} AND current_setting('synchronous_standby_names') = ${standbysParameter}::text`
  // Both parameters have to be there.
  if (failover === 'lossless') return `${standbys} AND ${runParameter}::text IS NOT NULL`
  return `${standbys} AND left(${runParameter}::text, 8) = CASE WHEN pg_is_in_recovery() THEN '' ELSE ${RUN} END`
}

/** Throws a StoreError where records must not be kept there, and another error where they cannot be at the moment. */
export async function readServerFacts(ask: Ask, failover: Failover): Promise<ServerFacts> {
  const [row = {}] = await ask(`
    SELECT current_setting('server_version_num') AS version, pg_is_in_recovery() AS standby,
      current_setting('transaction_read_only') AS read_only, current_setting('synchronous_commit') AS durability,
      current_setting('fsync') AS fsync, current_setting('synchronous_standby_names') AS standbys,
      current_setting('cluster_name') AS name, (SELECT setting FROM pg_settings WHERE name = 'statement_timeout') AS timeout`)
  judgeFacts(row)
  const text = (name: string): string => String(row[name] ?? '')
  const facts = { standbys: text('standbys'), name: text('name'), isDurable: text('fsync') === 'on' }
  if (failover === 'lossless') return { ...facts, run: '', flushedTo: '0/0' }
  const [where = {}] = await ask(`
    SELECT ${RUN} || '/' || (SELECT system_identifier FROM pg_control_system()) AS run, pg_current_wal_flush_lsn() AS flushed`)
  return { ...facts, run: String(where['run']), flushedTo: String(where['flushed']) }
}

/** The rows of `readServerFacts`. Exported because no server of every kind is at hand. */
export function judgeFacts({ version, standby, read_only: readOnly, durability, timeout }: Row): void {
  const major = Math.floor(Number(version) / 10_000)
  if (major < OLDEST_VERSION) {
    throw new StoreError(`STORE_URL names a Postgres of version ${major}: ${OLDEST_VERSION} or newer is needed.`)
  }
  if (standby === true) throw new NotNow('STANDBY')
  if (durability === 'off') {
    throw new StoreError(
      'STORE_URL names a Postgres that says "committed" before it is (synchronous_commit=off): set it to on, for the server or for this user.'
    )
  }
  const timeoutMs = Number(timeout)
  if (timeoutMs > 0 && timeoutMs < LEAST_STATEMENT_TIMEOUT_MS) throw new StoreError(HURRIED)
  if (readOnly === 'on') {
    throw new StoreError(
      'STORE_URL names a Postgres that takes no writes (default_transaction_read_only): name a server or a user that does.'
    )
  }
}
