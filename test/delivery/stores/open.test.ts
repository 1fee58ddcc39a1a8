import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { openStore } from '../../../src/delivery/stores/open.ts'
import type { Emit, ServiceEvent } from '../../../src/observability/events.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { storeAddress } from '../../lib/addresses.ts'
import { createFakeClock } from '../fake-clock.ts'
import { createRecordFile } from './sqlite/record-file.ts'
import { newClaim } from './store-kit.ts'

async function open(t: Test, storeUrl: string) {
  const told: ServiceEvent[] = []
  const emit: Emit = event => void told.push(event)
  const store = await openStore({ address: storeAddress(storeUrl), clock: createFakeClock(), emit })
  t.teardown(() => store.close())
  return { store, told }
}

t.test('memory: is opened with a warning of what it does not survive', async t => {
  const { store, told } = await open(t, 'memory:')

  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  t.same(told, [{ name: 'store-limit', limit: 'memory' }])
})

t.test('file:PATH is opened at that path', async t => {
  const { path } = createRecordFile(t)
  const { store, told } = await open(t, `file:${path}`)

  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  t.ok(existsSync(path))
  t.same(told, [])
})

t.test('redis:// is opened at that address', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { store } = await open(t, redis.url)
  const claim = newClaim()

  t.same(await store.acquire(claim), { kind: 'acquired' })
  t.equal(await redis.command('EXISTS', `reply:${claim.key}`), 1)
})

t.test('what cannot be opened is a StoreError', async t => {
  await t.rejects(open(t, 'file:/missing/directory/records.db'), { name: 'StoreError', message: /^STORE_URL / })
})
