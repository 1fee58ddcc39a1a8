// The directory that holds records and their secret where STORE_URL does not say where they are.
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync
} from 'node:fs'
import { dirname } from 'node:path'
import type { DataDirectory } from '../config/files/records.ts'
import type { Config } from '../config/load-config.ts'
import { Secret } from '../lib/secret.ts'
import { type FileSystem, fileSystemOf } from '../lib/service/file-system.ts'
import { StoreError } from '../lib/service/store-error.ts'

const SECRET_BYTES = 48
const SHORTEST_SECRET = 32
const ELSEWHERE =
  'or say with STORE_URL where records are kept: redis:// or postgres:// for several instances, memory: to forget them'

/**
 * Makes the directory and the secret of records where they are missing, and returns the configuration with the secret.
 * `notes` is for the log of a start. Throws a StoreError that names both ways out.
 */
export function prepareDataDirectory(
  config: Config,
  fileSystemOfPath: (path: string) => FileSystem = fileSystemOf
): { readonly config: Config; readonly notes: readonly string[] } {
  const { directory, secret: given } = config.delivery
  if (!directory) return { config, notes: [] }
  const { kind, name } = prepare(directory, fileSystemOfPath)
  const secret = secretOf(directory, given)
  const notes = [
    `records are in ${directory.path}: only this machine sees them; several instances need STORE_URL=redis://… or postgres://…`
  ]
  const warning = warningOf(kind, name)
  const warnings = warning === undefined ? config.warnings : [...config.warnings, warning]
  return { config: { ...config, warnings, delivery: { ...config.delivery, secret } }, notes }
}

function prepare({ path }: DataDirectory, fileSystemOfPath: (path: string) => FileSystem): FileSystem {
  try {
    makeDirectory(path)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    const found = fileSystemOfPath(path)
    if (found.kind !== 'network') return found
    throw new StoreError(
      `DATA_DIR (${path}) is on a network file system (${found.name}), where SQLite cannot keep a write-ahead log: name a directory on a disk of this machine, ${ELSEWHERE}.`
    )
  } catch (error) {
    throw unusable(path, error)
  }
}

/** One level: a longer path that is missing is a mistake, and Node tries for ever to make one below /proc. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error
  }
}

function warningOf(kind: FileSystem['kind'], name: string): string | undefined {
  if (kind === 'forgetful') return `DATA_DIR is on ${name}: records do not survive the container; mount a volume there`
  if (kind === 'unknown') return `DATA_DIR is on ${name}: records are safe there only if it is a disk of this machine`
  return undefined
}

/** The secret of these records; a new one only where there are none. */
function secretOf(directory: DataDirectory, given: Secret | undefined): Secret {
  const kept = readSecret(directory)
  if (given) {
    if (!kept || kept.equals(given) || !existsSync(directory.records)) return given
    throw new StoreError(
      `STORE_SECRET is not the secret of the records in DATA_DIR (${directory.secret}): with another one replies could be posted twice. Take one of the two away.`
    )
  }
  if (kept) return kept
  if (existsSync(directory.records)) {
    // Whoever makes records makes the secret first: one that came up meanwhile is there now.
    const late = readSecret(directory)
    if (late) return late
    throw new StoreError(
      `DATA_DIR (${directory.path}) holds records whose secret is gone (${directory.secret}): with a new one replies could be posted twice. Restore it, set STORE_SECRET, or take replies.db* away when no reply is younger than two days.`
    )
  }
  return makeSecret(directory)
}

function readSecret({ secret: path }: DataDirectory): Secret | undefined {
  const text = contentOf(path)
  if (text === undefined) return undefined
  if (Buffer.byteLength(text) >= SHORTEST_SECRET) return new Secret(text)
  throw new StoreError(
    `${path} in DATA_DIR holds no secret of at least ${SHORTEST_SECRET} bytes: restore it, or set STORE_SECRET.`
  )
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw unusable(path, error)
  }
}

/** Written aside and linked: there is never half a secret, and of processes that start together one wins. */
function makeSecret(directory: DataDirectory): Secret {
  const { secret: path } = directory
  const aside = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  try {
    writeDurably(aside, `${randomBytes(SECRET_BYTES).toString('base64url')}\n`)
    linkSync(aside, path)
    sync(dirname(path))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unusable(directory.path, error)
  } finally {
    rmSync(aside, { force: true })
  }
  const secret = readSecret(directory)
  if (secret) return secret
  throw unusable(directory.path, undefined)
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function sync(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function unusable(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const code = codeOf(error)
  return new StoreError(
    `DATA_DIR (${path}) cannot be written (${code}): let this user write there, set DATA_DIR to another directory, ${ELSEWHERE}.`
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
