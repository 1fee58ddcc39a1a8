import { join } from 'node:path'
import { type PostgresServer, startPostgres, withoutPostgres } from '../test/helpers/postgres-server.ts'
import { startCluster } from '../test/helpers/redis-cluster.ts'
import { startRedis, withoutRedis } from '../test/helpers/redis-server.ts'
import type { World } from './world.ts'

export type StoreUrl = readonly [name: string, url: string]

/** A STORE_URL of each kind; of servers only where they are installed. `use` names the file. */
export async function storeUrls({ stack, directory }: World, use: string): Promise<StoreUrl[]> {
  const urls: StoreUrl[] = [
    ['memory', 'memory:'],
    ['file', `file:${join(directory, `${use}.db`)}`]
  ]
  const redis = await startUnless(stack, withoutRedis(), startRedis)
  if (redis) urls.push(['redis', redis.url])
  const postgres = await startUnless(stack, withoutPostgres(), startLastingPostgres)
  if (postgres) urls.push(['postgres', postgres.url])
  return urls
}

/** The same of three masters that share the records. */
export async function clusterUrls({ stack }: World): Promise<StoreUrl[]> {
  const cluster = await startUnless(stack, withoutRedis(), startCluster)
  return cluster ? [['redis cluster', cluster.url]] : []
}

/** As a server has it that is not a test's. */
export function startLastingPostgres(): Promise<PostgresServer> {
  return startPostgres({ fsync: 'on', shared_buffers: '128MB' })
}

/** Whether what is measured shares its processors with a server. */
export function hasServer(store: string): boolean {
  return store === 'redis' || store === 'postgres'
}

async function startUnless<Server extends { stop(): Promise<void> }>(
  stack: AsyncDisposableStack,
  missing: string | undefined,
  start: () => Promise<Server>
): Promise<Server | undefined> {
  if (missing !== undefined) {
    process.stderr.write(`Without a server: ${missing}.\n`)
    return undefined
  }
  const server = await start()
  stack.defer(() => server.stop())
  return server
}
