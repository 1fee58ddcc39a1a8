// A master with a replica, and sentinels that watch them and let one take the other's place.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { type RedisServer, type RedisSettings, startRedis } from './redis-server.ts'
import { until } from './until.ts'

export interface Sentinel {
  readonly port: number
  command(...command: readonly (string | number)[]): Promise<unknown>
  stop(): Promise<void>
}

export interface WatchedRedis {
  readonly url: string
  readonly master: RedisServer
  readonly replica: RedisServer
  readonly sentinels: readonly Sentinel[]
  stop(): Promise<void>
}

export interface SentinelOptions {
  readonly sentinels?: number
  readonly settings?: RedisSettings
  /** Before the hosts in the URL, and what follows the master there. */
  readonly credentials?: string
  readonly options?: string
  /** Lines of sentinel.conf beyond those that are needed. */
  readonly sentinelLines?: readonly string[]
  /** Of the master, as the sentinels are told it. */
  readonly host?: string
  /** For what the helper itself says to sentinels. */
  readonly sentinelPassword?: string
}

export const MASTER = 'replies'
/** So that sentinels find each other and a failover ends within about two seconds. */
const HASTE =
  'info-period 200 ping-period 100 ask-period 100 publish-period 100 min-link-reconnect-period 200 election-timeout 1000'

export async function sentinelFor(t: Test, options: SentinelOptions = {}): Promise<WatchedRedis> {
  const watched = await startWatched(options)
  t.teardown(() => watched.stop())
  return watched
}

export async function startWatched(options: SentinelOptions = {}): Promise<WatchedRedis> {
  const { sentinels: count = 3, settings, credentials = '' } = options
  const password = settings?.['requirepass']
  const common = { ...settings, ...(password !== undefined && { masterauth: password }) }
  const master = await startRedis(common)
  const replica = await startRedis({ ...common, replicaof: `127.0.0.1 ${master.port}` })
  await until(async () => String(await master.command('INFO', 'replication')).includes('state=online'))
  const sentinels = await Promise.all(
    Array.from({ length: count }, () => startSentinel(master.port, { ...options, sentinels: count }))
  )
  await until(async () => {
    const known = await Promise.all(sentinels.map(one => one.command('SENTINEL', 'MASTER', MASTER)))
    return known.every(answer => {
      const fields = (answer as string[]).map(String)
      const value = (name: string): number => Number(fields[fields.indexOf(name) + 1])
      return value('num-slaves') === 1 && value('num-other-sentinels') === count - 1
    })
  })
  // Four of these periods after it began to lead, a replica that others still take for one is made one again.
  await Promise.all(sentinels.map(one => one.command('SENTINEL', 'DEBUG', 'publish-period', 1000)))
  return {
    url: urlOf(sentinels, credentials, options.options),
    master,
    replica,
    sentinels,
    async stop() {
      await Promise.all([...sentinels, master, replica].map(one => one.stop()))
    }
  }
}

export function urlOf(sentinels: readonly Pick<Sentinel, 'port'>[], credentials = '', options = ''): string {
  return `redis+sentinel://${credentials}${sentinels.map(({ port }) => `127.0.0.1:${port}`).join()}/${MASTER}${options}`
}

/** One that watches a master. */
export async function startSentinel(masterPort: number, options: SentinelOptions = {}): Promise<Sentinel> {
  const { sentinels: count = 1, settings, sentinelLines = [], sentinelPassword, host = '127.0.0.1' } = options
  const directory = mkdtempSync(join(tmpdir(), 'sentinel-'))
  const port = await freePort()
  const password = settings?.['requirepass']
  const file = join(directory, 'sentinel.conf')
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    'sentinel resolve-hostnames yes',
    `sentinel monitor ${MASTER} ${host} ${masterPort} ${Math.floor(count / 2) + 1}`,
    `sentinel down-after-milliseconds ${MASTER} 500`,
    `sentinel failover-timeout ${MASTER} 3000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${MASTER} ${password}`]),
    ...sentinelLines
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = spawn('redis-sentinel', [file], { stdio: ['ignore', 'pipe', 'ignore'] })
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => reject(new Error(`redis-sentinel ended with ${code}`)))
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.includes('+monitor master')) resolve()
    })
  })
  const command = async (...[name = '', ...args]: readonly (string | number)[]): Promise<unknown> => {
    const client = new Redis({
      host: '127.0.0.1',
      port,
      protocol: 2,
      retryStrategy: () => null,
      password: sentinelPassword
    })
    client.on('error', () => undefined)
    try {
      return await client.call(String(name), ...args)
    } finally {
      client.disconnect()
    }
  }
  await command('SENTINEL', 'DEBUG', ...HASTE.split(' '))
  return {
    port,
    command,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'close')
      }
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
