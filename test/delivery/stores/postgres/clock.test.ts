// A Postgres is dated by its own clock, and that jumps like any other: it may cost time, and never a second reply.
import t from 'tap'
import type { Acquisition, RecordStore } from '../../../../src/delivery/record.ts'
import { needsPostgres, startPostgres, withoutPostgres } from '../../../helpers/postgres-server.ts'
import { until } from '../../../helpers/until.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../fake-clock.ts'
import { claimInEachState, DONE, LEASE_MS, newClaim, REFUSED } from '../store-kit.ts'
import { movableClock } from './movable-clock.ts'
import { openPostgresStore } from './records.ts'

t.setTimeout(240_000)

const QUIET_MS = 2 * MINUTE_MS
const needs = needsPostgres()
const shared = withoutPostgres() === undefined ? await startPostgres() : undefined
if (shared) t.teardown(() => shared.stop())

for (const [title, jumpMs] of [
  ['three days', 3 * DAY_MS],
  ['ten minutes', 10 * MINUTE_MS]
] as const) {
  t.test(`a jump ahead by ${title} is a possible loss from the claim that sees it, for everybody`, needs, async t => {
    if (!shared) return
    const { jump, pass, ...time } = await movableClock(t, shared)
    const open = async () => (await openPostgresStore(t, shared.url, time)).store
    const [store, other] = [await open(), await open()]
    const claim = newClaim()
    await store.acquire(claim, 'sent')
    await store.complete(claim.key, claim.owner, DONE)
    await jump(jumpMs)

    const seen = await store.acquire({ ...claim, owner: 'B' }, 'sent')
    t.same(seen, jumpMs < DAY_MS ? DONE : { kind: 'acquired-as-sent' })
    t.type(store.msSinceDataLoss(), 'number', 'whoever gets it looks before it sends')
    await other.acquire(newClaim())
    t.type(other.msSinceDataLoss(), 'number')
    await until(async () => (await open()).msSinceDataLoss() !== undefined)

    const mattersForMs = Math.min(jumpMs, 2 * DAY_MS)
    await pass(mattersForMs - MINUTE_MS)
    t.type(store.msSinceDataLoss(), 'number')
    await pass(MINUTE_MS)
    t.equal(store.msSinceDataLoss(), undefined, 'by then what was forgotten would have been forgotten anyway')
  })
}

for (const [title, jumpMs] of [
  ['a few seconds', -5 * SECOND_MS],
  ['ten minutes', -10 * MINUTE_MS],
  ['three days', -3 * DAY_MS]
] as const) {
  t.test(`after a jump back by ${title} nothing is in flight that is not`, needs, async t => {
    if (!shared) return
    const { jump, pass, ...time } = await movableClock(t, shared)
    const { store } = await openPostgresStore(t, shared.url, time)
    await pass(HOUR_MS)
    const { ended, running, pending, refused, done } = await claimInEachState(store)
    await jump(jumpMs)

    t.equal(await quietForMs(store, ended), -LEASE_MS, 'ended stays ended, and is quiet as far as was watched')
    const isFar = jumpMs < -MINUTE_MS
    if (isFar) t.equal(await quietForMs(store, running), -LEASE_MS, 'no lease ends so late')
    await pass(MINUTE_MS)
    t.equal(await quietForMs(store, ended), MINUTE_MS - LEASE_MS)
    if (isFar) t.equal(await quietForMs(store, running), MINUTE_MS - LEASE_MS, 'and it ended when that was seen')
    t.same(await store.acquire({ ...pending, owner: 'B' }), { kind: 'acquired' }, 'it was never sent')
    t.equal(await store.markSent(pending.key, pending.owner), false)
    const isTold = await store.acquire({ ...refused, owner: 'B' })
    t.same(isTold, isFar ? { kind: 'acquired' } : REFUSED, 'a refusal is not told for days')
    t.same(await store.acquire({ ...done, owner: 'B' }), DONE)
    t.equal(store.msSinceDataLoss(), undefined, 'nothing was forgotten')

    await pass(LEASE_MS + QUIET_MS)
    t.equal(await store.takeOver(ended.key, 'A', { ...ended, owner: 'B' }), true)
    t.equal(await store.markSent(ended.key, 'B'), true)
    t.same(await store.acquire({ ...ended, owner: 'C' }), { kind: 'in-flight' }, 'the lease of now is a lease')
  })
}

t.test('a lease of an instance with a longer deadline is in doubt, not free, and is waited for', needs, async t => {
  if (!shared) return
  const { jump: _, pass, ...time } = await movableClock(t, shared)
  const { store } = await openPostgresStore(t, shared.url, time)
  await pass(HOUR_MS)
  const claim = newClaim({ leaseMs: MINUTE_MS })
  await store.acquire(claim, 'sent')
  await pass(SECOND_MS)

  t.equal(await quietForMs(store, { ...claim, leaseMs: LEASE_MS }), SECOND_MS - MINUTE_MS)
  t.equal(await store.takeOver(claim.key, 'A', { ...claim, owner: 'B' }), false)
})

async function quietForMs(store: RecordStore, claim: Acquisition): Promise<number> {
  const seen = await store.acquire({ ...claim, owner: 'B' })
  return seen.kind === 'in-doubt' ? seen.quietForMs : Number.NaN
}
