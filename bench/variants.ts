// What is compared: the same service with each store, a process for each, without and with a key.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis, withoutRedis } from '../test/helpers/redis-server.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET } from '../test/helpers/tokens.ts'
import { type Child, startChild } from './child.ts'

export const STORES = ['no records', 'memory', 'file', 'redis'] as const
export type StoreName = (typeof STORES)[number]

export interface Variant {
  readonly store: StoreName
  readonly keyed: boolean
  readonly service: Child
}

export interface Parts {
  readonly upstream: Child
  readonly variants: readonly Variant[]
  /** Why Redis is not among them. */
  readonly missing: string | undefined
}

export function nameOf({ store, keyed }: Pick<Variant, 'store' | 'keyed'>): string {
  return `${store}, ${keyed ? 'with' : 'without'} a key`
}

/** Starts everything; it ends, and its files go, with the stack. */
export async function startParts(stack: AsyncDisposableStack, stopping: AbortSignal): Promise<Parts> {
  const key = randomBytes(20).toString('hex')
  const env = { COMETCHAT_API_KEY: key }
  const upstream = await startChild(stack, { name: 'The upstream', file: 'upstream.ts', env })
  const directory = mkdtempSync(join(tmpdir(), 'delivery-cost-'))
  stack.defer(() => rmSync(directory, { recursive: true, force: true }))
  const missing = withoutRedis()
  const redisUrl = missing === undefined ? await startRedisIn(stack) : undefined
  stopping.throwIfAborted()

  const urls = {
    'no records': 'memory:',
    memory: 'memory:',
    file: `file:${join(directory, 'records.db')}`,
    redis: redisUrl
  }
  const start = async (store: StoreName): Promise<Variant[]> => {
    const service = await startChild(stack, {
      name: `The service with ${store}`,
      file: 'service.ts',
      args: store === 'no records' ? ['--no-records'] : [],
      env: { ...serviceEnv(), ...env, COMETCHAT_BASE_URL: upstream.url, STORE_URL: urls[store] ?? '' }
    })
    return [false, true].map(keyed => ({ store, keyed, service }))
  }
  const stores = STORES.filter(store => urls[store] !== undefined)
  const variants = (await Promise.all(stores.map(start))).flat()
  return { upstream, variants, missing }
}

async function startRedisIn(stack: AsyncDisposableStack): Promise<string> {
  const redis = await startRedis()
  stack.defer(() => redis.stop())
  return redis.url
}

function serviceEnv(): Record<string, string> {
  return {
    PORT: '0',
    AUTH_JWT_ISSUER: ISSUER,
    AUTH_JWT_AUDIENCE: AUDIENCE,
    AUTH_JWT_SECRET: SHARED_SECRET,
    STORE_SECRET: randomBytes(32).toString('hex')
  }
}
