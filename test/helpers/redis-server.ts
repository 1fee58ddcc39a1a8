// A Redis of one's own: on a free port, in a directory that goes with it, and it can be made to fail.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { freePort, freePorts } from './free-port.ts'

/** As in redis.conf: `{ 'maxmemory-policy': 'allkeys-lru' }`. Every write is kept as it comes unless they say otherwise. */
export type RedisSettings = Readonly<Record<string, string>>

export type RedisProgram = 'redis-server' | 'valkey-server'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Runs one command on a connection of its own. */
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>
  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void
  resume(): void
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it on the same port, with other settings if need be; what it kept on disk is there, and nothing else. */
  restart(changes?: RedisSettings): Promise<void>
  /** Copies what it keeps on its disk; what is returned puts that back in the place of what is there then. */
  copyData(): () => void
  /** Ends it and removes what it kept. */
  stop(): Promise<void>
}

/** Why there is no Redis for a test; undefined when there is one, and where everything has to be proved. */
export function withoutRedis(): string | undefined {
  const isMissing = spawnSync('redis-server', ['--version']).error !== undefined
  return isMissing && !process.env['CI'] ? 'redis-server is not installed (apt-get install redis-server)' : undefined
}

/** For `t.test`: skips it where there is no Redis. */
export function needsRedis(): { skip?: string } {
  const skip = withoutRedis()
  return skip === undefined ? {} : { skip }
}

/** Debian has Valkey from 13 on, and for 12 in its backports: elsewhere its tests are skipped, also where all has to be proved. */
export function needsValkey(): { skip?: string } {
  const isMissing = spawnSync('valkey-server', ['--version']).error !== undefined
  return isMissing ? { skip: 'valkey-server is not installed' } : {}
}

/** Where a node of a cluster listens for the others. */
export const BUS_ABOVE = 10_000

/** Starts a Redis that ends with the test. */
export async function redisFor(t: Test, settings: RedisSettings = {}, program?: RedisProgram): Promise<RedisServer> {
  const redis = await startRedis(settings, program)
  t.teardown(() => redis.stop())
  return redis
}

export async function startRedis(
  settings: RedisSettings = {},
  program: RedisProgram = 'redis-server'
): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-'))
  const port = await (settings['cluster-enabled'] === 'yes' ? freePorts(BUS_ABOVE) : freePort())
  const ours = { port: `${port}`, bind: '127.0.0.1', dir: directory, 'repl-diskless-sync-delay': '0' }
  const all = { ...ours, save: '', appendonly: 'yes', appendfsync: 'always', ...settings }
  const argsOf = (settings: RedisSettings): string[] =>
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...value.split(' ')])
  let child = await launch(program, argsOf(all))

  let copies = 0
  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    command: (name, ...rest) => runCommand(port, settings['requirepass'], [name, ...rest]),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill,
    async restart(changes = {}) {
      await kill()
      child = await launch(program, argsOf({ ...all, ...changes }))
    },
    copyData() {
      const copy = `${directory}-copy-${copies++}`
      cpSync(directory, copy, { recursive: true })
      return () => {
        rmSync(directory, { recursive: true })
        renameSync(copy, directory)
      }
    },
    async stop() {
      await kill()
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

async function launch(program: RedisProgram, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => reject(new Error(`${program} ended with ${code}`)))
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.includes('Ready to accept connections')) resolve()
    })
  })
  return child
}

async function runCommand(port: number, password: string | undefined, command: readonly (string | number)[]) {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null, password })
  client.on('error', () => undefined)
  const [name, ...args] = command
  try {
    await client.connect()
    return await client.call(String(name), ...args)
  } finally {
    client.disconnect()
  }
}
