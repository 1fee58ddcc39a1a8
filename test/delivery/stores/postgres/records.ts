// Records in a Postgres that one test file shares; every test has a schema of its own.
import type { Logger } from 'pino'
import type { Test } from 'tap'
import { KEPT_MS, type RecordStore } from '../../../../src/delivery/record.ts'
import { createPostgresStore, type PostgresStoreOptions } from '../../../../src/delivery/stores/postgres/store.ts'
import type { PostgresAddress } from '../../../../src/lib/service/postgres-address.ts'
import { logEvents } from '../../../../src/observability/event-log.ts'
import type { PostgresServer } from '../../../helpers/postgres-server.ts'
import { postgresAddress } from '../../../lib/addresses.ts'
import type { StoreKit } from '../store-kit.ts'
import { movableClock } from './movable-clock.ts'

export interface Told {
  readonly level: 'info' | 'warn' | 'error'
  readonly sentence: string
}

export interface OpenedStore {
  readonly store: Awaited<ReturnType<typeof createPostgresStore>>
  /** What the operator was told. */
  readonly told: Told[]
}

/** On a busy machine a healthy Postgres may seem slow: where its slowness is not the subject, it gets more time. */
const PATIENT_MS = 8000

/** Opens a store at this address, and closes it when the test ends. */
export async function openPostgresStore(
  t: Test,
  storeUrl: string,
  {
    schema,
    failover,
    ...options
  }: Partial<PostgresStoreOptions> & Partial<Pick<PostgresAddress, 'schema' | 'failover'>> = {}
): Promise<OpenedStore> {
  const told: Told[] = []
  // pino takes fields before the sentence, or the sentence alone.
  const tell =
    (level: Told['level']) =>
    (...said: readonly unknown[]) =>
      void told.push({ level, sentence: String(said.at(-1)) })
  // A silent one makes no child for the lines that are always written.
  const log = { level: 'silent', info: tell('info'), warn: tell('warn'), error: tell('error') }
  const store = await createPostgresStore({
    address: { ...postgresAddress(storeUrl, schema), ...(failover && { failover }) },
    monotonic: () => performance.now(),
    emit: logEvents(log as unknown as Logger),
    commandTimeoutMs: PATIENT_MS,
    ...options
  })
  t.teardown(() => store.close())
  return { store, told }
}

export async function makePostgresKit(t: Test, postgres: PostgresServer): Promise<StoreKit> {
  const { pass, jump: _, ...time } = await movableClock(t, postgres)
  const open = async (): Promise<RecordStore> => (await openPostgresStore(t, postgres.url, time)).store
  return { open, pass, kept: KEPT_MS }
}
