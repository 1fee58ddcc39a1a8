import { join } from 'node:path'
import { createFileStore } from '../../src/delivery/stores/sqlite/store.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { LoadPlan } from '../load.ts'
import { number, type Section } from '../report.ts'
import { bestQuarterOf, type Lane, medianOf, runRounds, type Settings } from '../rounds.ts'
import { bodyOf, startService, type World } from '../world.ts'

export interface GrowthOptions {
  readonly connections: readonly number[]
  readonly bodyBytes: readonly number[]
  readonly users: readonly number[]
  readonly records: readonly number[]
}

const SECRET = 'a-shared-secret-for-the-bench-of-48-characters-x'
const WRITTEN_AT_ONCE = 500

/** Whether cost grows with the work, and no faster. */
export async function measureGrowth(world: World, settings: Settings, options: GrowthOptions): Promise<Section> {
  const service = await startService(world, { name: 'this service' })
  const lanes: Lane[] = []
  const add = (name: string, base: Lane, plan: Partial<LoadPlan>): number =>
    lanes.push({ ...base, name, plan: { ...base.plan, ...plan } })

  for (const connections of options.connections) add(`${count(connections)} at once`, service, { connections })
  for (const bytes of options.bodyBytes) add(`${count(bytes)} bytes a reply`, service, { body: bodyOf(bytes) })
  const shared = await startService(world, { name: 'this service with HS256', env: sharedSecret(world) })
  const { url: issuer } = world.issuer
  for (const users of options.users) {
    add(`${count(users)} users`, shared, { users: { count: users, issuer, secret: SECRET } })
  }
  for (const records of options.records) {
    const path = join(world.directory, `records-${records}.db`)
    settings.onProgress(`writing ${records} records`)
    await fill(path, records, settings.stopping)
    const kept = await startService(world, { name: 'this service with a file', env: { STORE_URL: `file:${path}` } })
    add(`${count(records)} records in a file`, kept, { keyed: true })
  }
  const measured = await runRounds(lanes, { ...world, settings })
  return {
    name: 'growth',
    title: 'Cost grows with the work',
    note: 'Otherwise as above: 64 connections, 200 bytes, 1,000 users, memory. Users carry HS256 tokens in turn: of more users than tokens are remembered, each one is verified anew. Records are of keyed replies.',
    head: ['', 'CPU µs', 'replies/s', 'p50 µs', 'p99 µs'],
    rows: measured.map(({ lane, figures }) => [
      lane.name,
      number(bestQuarterOf(figures.map(figure => figure.cpuMicroseconds))),
      number(medianOf(figures.map(({ requests, seconds }) => requests / seconds))),
      number(medianOf(figures.map(({ p50 }) => p50))),
      number(medianOf(figures.map(({ p99 }) => p99)))
    ]),
    figures: measured.map(({ lane, figures }) => ({ name: lane.name, figures }))
  }
}

function count(number: number): string {
  return number.toLocaleString('en-US')
}

function sharedSecret({ issuer }: World): Record<string, string> {
  return { AUTH_JWT_ISSUER: issuer.url, AUTH_JWT_SECRET: SECRET, AUTH_JWT_JWKS_URL: '' }
}

/** Records as a day of use leaves them behind. */
async function fill(path: string, records: number, stopping: AbortSignal): Promise<void> {
  const store = createFileStore({ path, clock: systemClock })
  const body = JSON.stringify({ data: { id: '1', text: 'x'.repeat(1000) } })
  const keep = async (index: number): Promise<void> => {
    const key = `bench-${index}`
    await store.acquire({ key, fingerprint: '', owner: key, leaseMs: 1000 }, 'pending')
    await store.complete(key, key, { kind: 'done', messageId: '1', body })
  }
  for (let from = 0; from < records; from += WRITTEN_AT_ONCE) {
    stopping.throwIfAborted()
    await Promise.all(
      Array.from({ length: Math.min(WRITTEN_AT_ONCE, records - from) }, (_, index) => keep(from + index))
    )
  }
  await store.close()
}
