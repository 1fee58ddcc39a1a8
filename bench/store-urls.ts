import { join } from 'node:path'
import { startRedis, withoutRedis } from '../test/helpers/redis-server.ts'
import type { World } from './world.ts'

export type StoreUrl = readonly [name: string, url: string]

/** A STORE_URL of each kind; of Redis only where it is installed. `use` names the file. */
export async function storeUrls({ stack, directory }: World, use: string): Promise<StoreUrl[]> {
  const urls: StoreUrl[] = [
    ['memory', 'memory:'],
    ['file', `file:${join(directory, `${use}.db`)}`]
  ]
  const missing = withoutRedis()
  if (missing !== undefined) {
    process.stderr.write(`Without Redis: ${missing}.\n`)
    return urls
  }
  const redis = await startRedis()
  stack.defer(() => redis.stop())
  return [...urls, ['redis', redis.url]]
}
