// Leases, quiet periods and retention, as every store must keep them.
import type { Test } from 'tap'
import type { Acquisition, RecordStore } from '../../../src/delivery/record.ts'
import { DONE, HOUR_MS, LEASE_MS, type MakeKit, newClaim, SEEN, STATES } from './store-kit.ts'

export function testTime(t: Test, makeKit: MakeKit): void {
  testLeases(t, makeKit)
  testRetention(t, makeKit)
}

function testLeases(t: Test, makeKit: MakeKit): void {
  t.test('a lease that is over fences its owner out, whoever has the record by then', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()
    const claim = newClaim()
    await store.acquire(claim)
    await kit.pass(LEASE_MS)

    t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'acquired' }, 'what was never sent is taken over')
    t.equal(await store.markSent(claim.key, 'A'), false)
    await store.release(claim.key, 'A')
    await store.complete(claim.key, 'A', DONE)
    t.equal(await store.markSent(claim.key, 'B'), true, 'the new owner is not disturbed')
  })

  t.test('a lease runs to its end and not longer', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()
    await kit.pass(HOUR_MS)
    const claim = newClaim()
    await STATES.sent(store, claim, kit)

    await kit.pass(LEASE_MS - 1000)
    t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
    await kit.pass(1000)
    t.match(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-doubt', owner: 'A' })
  })

  t.test('a record that is acquired as SENT is leased and kept as one that was marked', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()
    await kit.pass(HOUR_MS)
    const claim = newClaim()
    await store.acquire(claim, 'sent')

    await kit.pass(LEASE_MS - 1000)
    t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
    await kit.pass(1000)
    t.equal(await store.markSent(claim.key, 'A'), false, 'its owner is too late to send')
    t.match(await store.acquire(claim, 'sent'), { kind: 'in-doubt', owner: 'A' }, 'and does not get it anew')
    await kit.pass(kit.kept.sent - LEASE_MS - 5000)
    t.match(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-doubt', owner: 'A' })
    await kit.pass(5000)
    t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'acquired' })
  })

  t.test('the quiet period counts from the last possible write', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()
    await kit.pass(HOUR_MS)
    const crashed = newClaim()
    const doubted = newClaim()
    await STATES.sent(store, crashed, kit)
    await STATES['in-doubt'](store, doubted, kit)

    await kit.pass(LEASE_MS + 60_000)
    await store.markInDoubt(doubted.key, 'A')
    t.ok(isAbout(await quietFor(store, crashed), 60_000), 'the end of the lease of an owner that crashed')
    t.ok(isAbout(await quietFor(store, doubted), LEASE_MS + 60_000), 'the moment an owner gave up')
  })
}

async function quietFor(store: RecordStore, claim: Acquisition): Promise<number> {
  const seen = await store.acquire({ ...claim, owner: 'B' })
  return seen.kind === 'in-doubt' ? seen.quietForMs : Number.NaN
}

/** Redis keeps its own, real time. */
function isAbout(ms: number, wantedMs: number): boolean {
  return ms >= wantedMs && ms < wantedMs + 2000
}

function testRetention(t: Test, makeKit: MakeKit): void {
  for (const [state, keptFor] of [
    ['in-doubt', 'sent'],
    ['done', 'done'],
    ['refused', 'refused']
  ] as const) {
    t.test(`a record that is ${state} is kept for its whole time and no longer`, async t => {
      const kit = await makeKit(t)
      const store = await kit.open()
      await kit.pass(HOUR_MS)
      const claim = newClaim()
      await STATES[state](store, claim, kit)

      await kit.pass(kit.kept[keptFor] - 5000)
      t.match(await store.acquire({ ...claim, owner: 'B' }), { kind: SEEN[state].kind })
      await kit.pass(5000)
      t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'acquired' })
    })
  }

  t.test('an attempt that was abandoned before sending is forgotten, its body too', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()
    const claim = newClaim()
    await store.acquire(claim)

    await kit.pass(2 * LEASE_MS)
    t.same(await store.acquire(newClaim({ key: claim.key, fingerprint: 'b'.repeat(64) })), { kind: 'acquired' })
  })
}
