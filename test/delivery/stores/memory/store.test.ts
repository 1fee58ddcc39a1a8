import t from 'tap'
import { KEPT_MS } from '../../../../src/delivery/record.ts'
import { createMemoryStore } from '../../../../src/delivery/stores/memory/store.ts'
import { testStore } from '../conformance.ts'
import { DONE, LEASE_MS, newClaim, type StoreKit } from '../store-kit.ts'

async function makeKit(): Promise<StoreKit> {
  let nowMs = 0
  const store = createMemoryStore({ monotonic: () => nowMs })
  return {
    open: async () => store,
    pass: async ms => {
      nowMs += ms
    },
    kept: KEPT_MS
  }
}

t.test('memory: does what every store does', t => {
  testStore(t, makeKit)
  t.end()
})

t.test('at the bound the oldest outcome goes first', async t => {
  const store = createMemoryStore({ monotonic: () => 0, maxRecords: 3 })
  const claims = [newClaim(), newClaim(), newClaim()]
  for (const claim of claims) {
    await store.acquire(claim)
    await store.complete(claim.key, claim.owner, DONE)
  }

  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
  const [first, second] = claims.map(claim => ({ ...claim, owner: 'B' }))
  t.equal(store.size, 3)
  t.same(second && (await store.acquire(second)), DONE)
  t.same(first && (await store.acquire(first)), { kind: 'acquired' }, 'and only the oldest')
})

t.test('what may have been sent never goes: at the bound a new claim is rejected instead', async t => {
  const store = createMemoryStore({ monotonic: () => 0, maxRecords: 2 })
  const sent = [newClaim(), newClaim()]
  for (const { key, owner, ...claim } of sent) {
    await store.acquire({ key, owner, ...claim })
    await store.markSent(key, owner)
  }

  await t.rejects(async () => store.acquire(newClaim()), { message: 'the store is full' })
  t.equal(store.isReady(), false)
  for (const claim of sent) t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
})

t.test('the bound in bytes holds too', async t => {
  const body = JSON.stringify({ data: { id: '101', text: 'x'.repeat(10_000) } })
  const store = createMemoryStore({ monotonic: () => 0, maxBytes: 100_000 })

  for (let i = 0; i < 50; i++) {
    const claim = newClaim()
    await store.acquire(claim)
    await store.complete(claim.key, claim.owner, { kind: 'done', messageId: '101', body })
  }

  t.ok(store.size < 6, `${store.size} outcomes of 20 kB are kept`)
  t.equal(store.isReady(), true)
})

t.test('with every byte taken by what may have been sent, the store is not ready', async t => {
  const store = createMemoryStore({ monotonic: () => 0, maxBytes: 4000 })
  const claims = Array.from({ length: 20 }, () => newClaim())

  const seen = await Promise.allSettled(claims.map(claim => store.acquire(claim)))

  t.equal(seen.filter(({ status }) => status === 'fulfilled').length, 10)
  t.equal(store.isReady(), false)
})

t.test('abandoned attempts make room', async t => {
  let nowMs = 0
  const store = createMemoryStore({ monotonic: () => nowMs, maxRecords: 2 })
  await store.acquire(newClaim())
  await store.acquire(newClaim())

  nowMs += 2 * LEASE_MS

  t.same(await store.acquire(newClaim()), { kind: 'acquired' })
})

t.test('what has expired goes a few at a time, and an answer that is asked for goes at once', async t => {
  let nowMs = 0
  const store = createMemoryStore({ monotonic: () => nowMs })
  const claims = Array.from({ length: 100 }, () => newClaim())
  for (const claim of claims) {
    await store.acquire(claim)
    await store.complete(claim.key, claim.owner, DONE)
  }
  nowMs += KEPT_MS.done

  await store.acquire(newClaim())
  t.ok(store.size > 50 && store.size < 100, `${store.size} are left`)
  const last = claims.at(-1) ?? newClaim()
  t.same(await store.acquire({ ...last, owner: 'B' }), { kind: 'acquired' })
  for (let i = 0; i < 20; i++) await store.acquire(newClaim())
  t.equal(store.size, 22, 'and only what is new is left')
})

for (const [title, fill] of [
  ['a reply costs as much', settle],
  ['a refused reply costs as much', send]
] as const) {
  t.test(`${title} with 70,000 records at the bound as with 100`, async t => {
    const [few, many] = await Promise.all([100, 70_000].map(maxRecords => filled(maxRecords, fill)))
    const ofFew: number[] = []
    const ofMany: number[] = []
    for (let round = 0; round < 10; round++) {
      if (few) ofFew.push(await millisecondsOf(few))
      if (many) ofMany.push(await millisecondsOf(many))
    }

    const ratio = Math.min(...ofMany) / Math.min(...ofFew)
    // Memory that is not in a cache is slower; a walk through the records would cost several hundred times as much.
    t.ok(ratio < 30, `${ratio.toFixed(1)} times as much`)
  })
}

type Store = ReturnType<typeof createMemoryStore>

async function settle(store: Store): Promise<void> {
  const claim = newClaim()
  await store.acquire(claim)
  await store.complete(claim.key, claim.owner, DONE)
}

async function send(store: Store): Promise<void> {
  await store.acquire(newClaim(), 'sent')
}

async function filled(maxRecords: number, fill: (store: Store) => Promise<void>): Promise<Store> {
  const store = createMemoryStore({ monotonic: () => 0, maxRecords })
  // Past the bound, so that as many have gone as have stayed.
  for (let i = 0; i < 1.5 * maxRecords; i++) await fill(store).catch(() => undefined)
  return store
}

async function millisecondsOf(store: Store): Promise<number> {
  const startedAtMs = performance.now()
  for (let i = 0; i < 500; i++) await settle(store).catch(() => undefined)
  return performance.now() - startedAtMs
}

t.test('it says for how long it has forgotten no outcome before its time', async t => {
  let nowMs = 1000
  const store = createMemoryStore({ monotonic: () => nowMs, maxRecords: 2 })
  const finish = async (): Promise<void> => {
    const claim = newClaim()
    await store.acquire(claim)
    await store.complete(claim.key, claim.owner, DONE)
  }
  nowMs += 5000
  t.equal(store.rememberedForMs?.(), 5000)
  await finish()
  await finish()
  t.equal(store.rememberedForMs?.(), 5000)
  await finish()
  nowMs += 700
  t.equal(store.rememberedForMs?.(), 700, 'the oldest of three had to go')
  nowMs += KEPT_MS.done
  await finish()
  t.equal(store.rememberedForMs?.(), KEPT_MS.done + 700, 'its time was over')
})
