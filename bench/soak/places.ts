// Where the records of a soak are, and what can be seen of them from beside the service.
import { join } from 'node:path'
import { Client } from 'pg'
import { type PostgresServer, withoutPostgres } from '../../test/helpers/postgres-server.ts'
import { startRedis, withoutRedis } from '../../test/helpers/redis-server.ts'
import { startLastingPostgres } from '../store-urls.ts'
import type { World } from '../world.ts'
import type { TableSize } from './figures.ts'

export const STORES = ['memory', 'file', 'redis', 'postgres'] as const
export type StoreName = (typeof STORES)[number]

export interface Place {
  readonly url: string
  /** What is made harder there, in words. */
  readonly hardship?: string
  sizes(): Promise<readonly TableSize[]>
}

const SCHEMA = 'thread_reply_bff'
/** Rows that are looked at to know how long one is. */
const SAMPLE = 2000

/** Throws where it takes a program that is not installed. */
export async function placeOn(store: StoreName, { stack, directory }: World): Promise<Place> {
  const sizes = async (): Promise<readonly TableSize[]> => []
  if (store === 'memory') return { url: 'memory:', sizes }
  if (store === 'file') return { url: `file:${join(directory, 'records.db')}`, sizes }
  const missing = store === 'redis' ? withoutRedis() : withoutPostgres()
  if (missing !== undefined) throw new Error(`It takes a server: ${missing}.`)
  if (store === 'redis') {
    const redis = await startRedis()
    stack.defer(() => redis.stop())
    return { url: redis.url, sizes }
  }
  const postgres = await startLastingPostgres()
  stack.defer(() => postgres.stop())
  await holdSnapshot(stack, postgres)
  return { url: postgres.url, hardship: 'a snapshot is held', sizes: () => sizesIn(postgres) }
}

/** As a long `pg_dump` does: no version of a row that anybody has replaced since can be swept. */
async function holdSnapshot(stack: AsyncDisposableStack, { url }: PostgresServer): Promise<void> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  stack.defer(() => client.end().catch(() => undefined))
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await client.query('SELECT 1')
}

const TABLES = { records: ['records'], quotas: ['quotas_0', 'quotas_1', 'quotas_2'] }

/** What lives is counted by Postgres, and how long a row is by some of them: to read all of them would disturb. */
async function sizesIn({ query }: PostgresServer): Promise<readonly TableSize[]> {
  const sizes = Object.entries(TABLES).map(async ([table, names]) => {
    const parts = await Promise.all(names.map(name => sizeOf(query, `${SCHEMA}.${name}`)))
    const total = (of: (part: (typeof parts)[number]) => number): number =>
      parts.reduce((sum, part) => sum + of(part), 0)
    return { table, bytes: total(({ bytes }) => bytes), liveBytes: total(({ liveBytes }) => liveBytes) }
  })
  return Promise.all(sizes)
}

async function sizeOf(query: PostgresServer['query'], name: string): Promise<Omit<TableSize, 'table'>> {
  const [row = {}] = await query(`
    SELECT pg_table_size('${name}')::float8 AS bytes, pg_stat_get_live_tuples('${name}'::regclass)::float8 AS live,
      (SELECT avg(pg_column_size(r.*) + 4) FROM (SELECT * FROM ${name} LIMIT ${SAMPLE}) r)::float8 AS each`)
  return { bytes: Number(row['bytes']), liveBytes: Number(row['live']) * Number(row['each']) }
}
