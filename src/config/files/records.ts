import { join, resolve } from 'node:path'
import { FAILOVERS, type FailoverPromise } from '../../lib/service/failover.ts'
import { DEFAULT_SCHEMA, type PostgresAddress } from '../../lib/service/postgres-address.ts'
import { readStoreAddress, type StoreAddress } from '../../lib/service/store-address.ts'
import type { EnvReader } from '../env-reader.ts'

const DEFAULT_DIRECTORY = './data'
const PATH = /^[^\0]+$/
/** An identifier that needs no quotes and is none of Postgres's own. */
const SCHEMA = /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/
const SCHEMA_SHAPE = 'a name of small letters, digits and underscores that does not begin with pg_'
const MAX_REPLICAS = 16
/** What only some kinds of stores have, and the addresses of these. */
const OF_SOME: readonly (readonly [name: string, kinds: readonly StoreAddress['kind'][], addresses: string])[] = [
  ['STORE_SCHEMA', ['postgres'], 'postgres://'],
  ['STORE_FAILOVER', ['postgres', 'redis'], 'redis(s):// or postgres://'],
  ['STORE_WAIT_REPLICAS', ['redis'], 'redis(s)://']
]

/** Where records are kept, and the secret that names them. */
export interface RecordsConfig {
  readonly store: StoreAddress
  /** Of a Redis. */
  readonly promise: FailoverPromise
  /** Without STORE_URL: where the records are, and their secret, unless it is given. */
  readonly directory: DataDirectory | undefined
}

/** Absolute paths. */
export interface DataDirectory {
  readonly path: string
  readonly records: string
  /** Made at the first start, where STORE_SECRET is not given. */
  readonly secret: string
}

/** The text is a secret like any other, because the address of a Redis can hold its password. */
export function readStore(reader: EnvReader): RecordsConfig {
  const path = resolve(reader.text('DATA_DIR', PATH, 'the path of a directory') ?? DEFAULT_DIRECTORY)
  const directory = { path, records: join(path, 'replies.db'), secret: join(path, 'store-secret') }
  const text = reader.secretText('STORE_URL')?.text
  const address = text === undefined ? { kind: 'file' as const, path: directory.records } : readStoreAddress(text)
  const store = usable(reader, address)
  return { store, promise: promiseOf(reader, store), directory: text === undefined ? directory : undefined }
}

function usable(reader: EnvReader, address: StoreAddress | string): StoreAddress {
  if (typeof address === 'string') {
    reader.refuse(`STORE_URL ${address}`)
    return { kind: 'memory' }
  }
  for (const [name, kinds, addresses] of OF_SOME) {
    if (!kinds.includes(address.kind) && reader.has(name)) {
      reader.refuse(`${name} must be set with a STORE_URL of ${addresses} only.`)
    }
  }
  return address.kind === 'postgres' ? inPostgres(reader, address) : address
}

function inPostgres(reader: EnvReader, address: PostgresAddress): PostgresAddress {
  const schema = reader.text('STORE_SCHEMA', SCHEMA, SCHEMA_SHAPE) ?? DEFAULT_SCHEMA
  return { ...address, schema, failover: reader.choice('STORE_FAILOVER', 'detect', FAILOVERS) }
}

function promiseOf(reader: EnvReader, { kind }: StoreAddress): FailoverPromise {
  if (kind !== 'redis') return { failover: 'detect', waitReplicas: 0 }
  return {
    failover: reader.choice('STORE_FAILOVER', 'detect', FAILOVERS),
    waitReplicas: reader.integer('STORE_WAIT_REPLICAS', 0, [0, MAX_REPLICAS])
  }
}
