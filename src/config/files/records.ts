import { join, resolve } from 'node:path'
import { NOT_A_REDIS_ADDRESS, parseStoreAddress, type StoreAddress } from '../../lib/service/store-address.ts'
import type { EnvReader } from '../env-reader.ts'

const DEFAULT_DIRECTORY = './data'
const PATH = /^[^\0]+$/

/** Where records are kept, and the secret that names them. */
export interface RecordsConfig {
  readonly store: StoreAddress
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
  if (text === undefined) return { store: { kind: 'file', path: directory.records }, directory }
  const address = parseStoreAddress(text)
  if (!address) {
    const isMeantAsRedis = /^rediss?:/.test(text)
    reader.refuse(`STORE_URL ${isMeantAsRedis ? NOT_A_REDIS_ADDRESS : 'must be memory:, file:PATH or redis(s)://.'}`)
  }
  return { store: address ?? { kind: 'memory' }, directory: undefined }
}
