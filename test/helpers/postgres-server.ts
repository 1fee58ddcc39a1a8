// A Postgres of one's own: on a free port, in a directory that goes with it, as another user than root, and it can be
// made to fail.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { childrenOf } from './processes.ts'
import { until } from './until.ts'

/** As in postgresql.conf: `{ synchronous_commit: 'off' }`. Nothing waits for the disk unless they say otherwise. */
export type PostgresSettings = Readonly<Record<string, string>>

/** What lies beside its data, by name: `server.crt` and `server.key` switch TLS on. */
export type PostgresFiles = Readonly<Record<string, string>>

/** Of a test, or of whatever else ends what it started. */
export interface Ends {
  teardown(end: () => unknown): void
}

export type PostgresRow = Readonly<Record<string, unknown>>

export interface PostgresServer {
  /** Of its superuser, who needs no password. */
  readonly url: string
  readonly port: number
  readonly directory: string
  /** Runs SQL on a connection of its own. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly PostgresRow[]>
  /** Makes a user with a password, who may do nothing yet; the URL of that user. */
  addUser(name: string, attributes?: string): Promise<string>
  /** SIGSTOP for all of its processes: connections stay, nothing is answered. */
  pause(): void
  resume(): void
  /** SIGKILL for the process that the others follow. */
  kill(): Promise<void>
  /** Starts it on the same port; what it kept on disk is there. */
  restart(): Promise<void>
  /** A server that follows this one, and has received what it had when this returns. */
  follow(t: Ends, settings?: PostgresSettings): Promise<PostgresServer>
  promote(): Promise<void>
  /** Of one that was killed, keeps what is on its disk by now; what it returns puts that back. */
  copyData(): () => void
  /** SQL that makes what it holds anew, as pg_dump writes it. */
  dump(): string
  /** Ends it and removes what it kept. */
  stop(): Promise<void>
}

const IS_ROOT = process.getuid?.() === 0
/** `sun_path` of Linux; the name of the socket comes behind the directory. */
const SOCKET_PATH_MAX = 107
/** Postgres refuses to run as root. */
const USER = 'postgres'
/** Its superuser needs no password; everybody else does. */
const HBA = `local all all trust
host all,replication ${USER} 127.0.0.1/32 trust
host all all all scram-sha-256
`

/** Where Debian has them, the newest first; elsewhere they are on the PATH. */
function programs(): string | undefined {
  const found = globSync('/usr/lib/postgresql/*/bin/initdb').sort().at(-1)
  if (found) return found.replace(/initdb$/, '')
  return spawnSync('initdb', ['--version']).error === undefined ? '' : undefined
}

/** Why there is no Postgres for a test; undefined when there is one, and where everything has to be proved. */
export function withoutPostgres(): string | undefined {
  const isMissing = programs() === undefined
  return isMissing && !process.env['CI'] ? 'postgres is not installed (apt-get install postgresql)' : undefined
}

/** For `t.test`: skips it where there is no Postgres. */
export function needsPostgres(): { skip?: string } {
  const skip = withoutPostgres()
  return skip === undefined ? {} : { skip }
}

/** Starts a Postgres that ends with the test. */
export async function postgresFor(
  t: Test,
  settings: PostgresSettings = {},
  files: PostgresFiles = {}
): Promise<PostgresServer> {
  const postgres = await startPostgres(settings, files)
  t.teardown(() => postgres.stop())
  return postgres
}

/** A directory that the user of the server may use. */
export function privateDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, 'postgres-'))
  if (IS_ROOT) spawnSync('chown', [USER, directory])
  chmodSync(directory, 0o700)
  return directory
}

/** The command as the user of the server. */
export function asServerUser(command: string, args: readonly string[]): [string, string[]] {
  if (!IS_ROOT) return [command, [...args]]
  return ['setpriv', [`--reuid=${USER}`, `--regid=${USER}`, '--init-groups', command, ...args]]
}

export async function startPostgres(
  settings: PostgresSettings = {},
  files: PostgresFiles = {}
): Promise<PostgresServer> {
  const directory = privateDirectory()
  template ??= findTemplate()
  const data = join(directory, 'data')
  spawnSync('cp', ['-a', await template, data])
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(data, name), text, { mode: 0o600 })
    if (IS_ROOT) spawnSync('chown', [USER, join(data, name)])
  }
  return startIn(directory, { ...('server.crt' in files && { ssl: 'on' }), ...settings })
}

/** What initdb makes, once for all servers: it takes longer than everything else. */
let template: Promise<string> | undefined

/** A run of all tests has a directory that its processes share; the first that needs the template makes it there. */
async function findTemplate(): Promise<string> {
  const shared = process.env['TESTS_DIRECTORY']
  if (shared === undefined) {
    const directory = privateDirectory()
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    return makeTemplate(directory)
  }
  const finished = join(shared, 'postgres-template')
  try {
    mkdirSync(`${finished}-begun`)
    // There: the first may be a program whose temporary files are on another file system.
    renameSync(makeTemplate(privateDirectory(shared)), finished)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    await until(() => existsSync(finished))
  }
  return finished
}

function makeTemplate(directory: string): string {
  const data = join(directory, 'data')
  run('initdb', '-D', data, '-U', USER, '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C')
  // Who owns a file may be written over it, and it stays theirs.
  writeFileSync(join(data, 'pg_hba.conf'), HBA)
  return data
}

async function startIn(directory: string, settings: PostgresSettings): Promise<PostgresServer> {
  const data = join(directory, 'data')
  const port = await freePort()
  const sockets = directory.length < SOCKET_PATH_MAX - 20 ? directory : ''
  const ours = { port: `${port}`, listen_addresses: '127.0.0.1', unix_socket_directories: sockets, fsync: 'off' }
  // Small, because several of them run beside each other.
  const small = { shared_buffers: '16MB', max_connections: '60', max_wal_senders: '4', wal_level: 'replica' }
  const quick = { wal_retrieve_retry_interval: '100ms', autovacuum: 'on', log_min_messages: 'fatal' }
  const args = Object.entries({ ...ours, ...small, ...quick, ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`
  ])
  const url = `postgres://${USER}@127.0.0.1:${port}/postgres`
  let child = await launch(data, args)

  const query: PostgresServer['query'] = (sql, values = []) => ask(url, sql, values)
  const signal = (name: NodeJS.Signals): void => {
    // The server first: while it is stopped it starts no other process.
    signalTo(child.pid, name)
    for (const pid of childrenOf(child.pid)) signalTo(pid, name)
  }
  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    signal('SIGCONT')
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  const server: PostgresServer = {
    url,
    port,
    directory,
    query,
    async addUser(name, attributes = '') {
      await query(`CREATE ROLE ${name} LOGIN PASSWORD 'secret' ${attributes}`)
      return `postgres://${name}:secret@127.0.0.1:${port}/postgres`
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill,
    async restart() {
      await kill()
      child = await launch(data, args)
    },
    async follow(t, more = {}) {
      const replica = privateDirectory()
      run('pg_basebackup', '-D', join(replica, 'data'), '-d', url, '-R', '-c', 'fast', '--no-sync')
      const follower = await startIn(replica, { ...settings, ...more })
      t.teardown(() => follower.stop())
      return follower
    },
    async promote() {
      await query('SELECT pg_promote(true, 60)')
    },
    copyData() {
      const copy = `${data}-copy`
      spawnSync('cp', ['-a', data, copy])
      return () => {
        rmSync(data, { recursive: true })
        renameSync(copy, data)
      }
    },
    // What begins with a backslash is for psql.
    dump: () => run('pg_dump', '--inserts', '--no-owner', '-d', url).replace(/^\\.*$/gm, ''),
    async stop() {
      await kill()
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return server
}

/** What it writes to standard output. */
function run(program: string, ...args: readonly string[]): string {
  const [command, rest] = asServerUser(`${programs()}${program}`, args)
  const { status, stdout, stderr } = spawnSync(command, rest, { encoding: 'utf8', cwd: tmpdir() })
  if (status !== 0) throw new Error(`${program}: ${stderr}`)
  return stdout
}

function signalTo(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}

/** Of one that was killed some processes may still be there: then it is tried again. */
async function launch(data: string, args: readonly string[]): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt++) {
    const [command, rest] = asServerUser(`${programs()}postgres`, ['-D', data, ...args])
    const child = spawn(command, rest, {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: tmpdir(),
      env: { LC_ALL: 'C', PATH: process.env['PATH'] }
    })
    const said: string[] = []
    createInterface({ input: child.stderr }).on('line', line => said.push(line))
    if (await isServing(child, data)) return child
    if (attempt === 50) throw new Error(`postgres does not start: ${said.join('\n')}`)
    await sleep(100)
  }
}

/** Its file of the lock says when it takes connections. */
async function isServing(child: ChildProcess, data: string): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const path = join(data, 'postmaster.pid')
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
    if (Number(lines[0]) === child.pid && /^(ready|standby)/.test(lines[7] ?? '')) return true
    await sleep(20)
  }
  return false
}

/** Runs SQL on a connection of its own. */
export async function ask(url: string, sql: string, values: readonly unknown[]): Promise<readonly PostgresRow[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query(sql, [...values])).rows as PostgresRow[]
  } finally {
    await client.end()
  }
}
