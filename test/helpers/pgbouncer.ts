// A PgBouncer in transaction mode before a Postgres of the test's own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { asServerUser, type PostgresServer, privateDirectory, withoutPostgres } from './postgres-server.ts'

export interface PgBouncer {
  readonly url: string
  /** SIGKILL, and a new one on the same port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** For `t.test`: skips it where there is no PgBouncer, or no Postgres. */
export function needsPgBouncer(): { skip?: string } {
  const missing = withoutPostgres()
  if (missing !== undefined) return { skip: missing }
  const isMissing = spawnSync('pgbouncer', ['--version']).error !== undefined
  return isMissing && !process.env['CI'] ? { skip: 'pgbouncer is not installed (apt-get install pgbouncer)' } : {}
}

/** Two connections to Postgres for all that come. */
export async function pgBouncerFor(t: Test, postgres: PostgresServer): Promise<PgBouncer> {
  const pgbouncer = await startPgBouncer(postgres)
  t.teardown(() => pgbouncer.stop())
  return pgbouncer
}

export async function startPgBouncer({ port: target }: Pick<PostgresServer, 'port'>): Promise<PgBouncer> {
  const port = await freePort()
  const file = join(privateDirectory(), 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]
postgres = host=127.0.0.1 port=${target} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_round_robin = 1
server_login_retry = 1
`,
    { mode: 0o644 }
  )
  let child = await launch(file, port)
  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    stop,
    async restart() {
      await stop()
      child = await launch(file, port)
    }
  }
}

async function launch(file: string, port: number): Promise<ChildProcess> {
  const [command, args] = asServerUser('pgbouncer', ['-q', file])
  const child = spawn(command, args, { stdio: 'ignore' })
  for (let attempt = 0; attempt < 250; attempt++) {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}`)
    if (await answers(port)) return child
    await sleep(20)
  }
  throw new Error('pgbouncer does not start')
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
