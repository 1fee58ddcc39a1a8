// Every kind of session store, each with a way to open what it kept once more.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { readLiveFolder } from './live-folder.ts'
import { newDatabase } from './postgres-database.ts'
import { needsPostgres } from './postgres-server.ts'
import { needsRedis, redisFor } from './redis-server.ts'

export interface StorePlace {
  readonly storeUrl: string
  /** Everything that lies there, as text. */
  dump(): Promise<string>
  /** Stops answering, without going away; undefined where that cannot happen. */
  readonly pause?: () => void
  readonly resume?: () => void
}

export interface StoreKind {
  readonly name: string
  readonly needs: object
  readonly survives: boolean
  place(t: Test): Promise<StorePlace>
}

export const STORE_KINDS: readonly StoreKind[] = [
  {
    name: 'memory:',
    needs: {},
    survives: false,
    place: async () => ({ storeUrl: 'memory:', dump: async () => '' })
  },
  { name: 'file:', needs: {}, survives: true, place: placeForFile },
  { name: 'redis:', needs: needsRedis(), survives: true, place: placeForRedis },
  { name: 'postgres:', needs: needsPostgres(), survives: true, place: placeForPostgres }
]

async function placeForFile(t: Test): Promise<StorePlace> {
  const folder = mkdtempSync(join(tmpdir(), 'sessions-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const dump = async () =>
    readLiveFolder(folder)
      .map(({ text }) => text)
      .join('\n')
  return { storeUrl: `file:${join(folder, 'records.db')}`, dump }
}

async function placeForRedis(t: Test): Promise<StorePlace> {
  const redis = await redisFor(t, { 'maxmemory-policy': 'noeviction' })
  async function textOf(key: string): Promise<unknown> {
    const type = await redis.command('TYPE', key)
    if (type === 'zset') return redis.command('ZRANGE', key, 0, -1)
    if (type === 'hash') return redis.command('HGETALL', key)
    return redis.command('GET', key)
  }
  const dump = async (): Promise<string> => {
    const keys = (await redis.command('KEYS', '*')) as string[]
    const values = await Promise.all(keys.map(async key => `${key} ${JSON.stringify(await textOf(key))}`))
    return values.join('\n')
  }
  return { storeUrl: redis.url, dump, pause: redis.pause, resume: redis.resume }
}

async function placeForPostgres(): Promise<StorePlace> {
  const { url, query, pause, resume } = await newDatabase()
  const dump = async (): Promise<string> => {
    const tables = ['sessions', 'single_uses', 'records', 'store']
    const rows = await Promise.all(tables.map(table => query(`SELECT * FROM thread_reply_bff.${table}`)))
    return JSON.stringify(rows)
  }
  return { storeUrl: url, dump, pause, resume }
}
