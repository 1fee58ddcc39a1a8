// A Redis is dated by its own clock, and that jumps like any other: it may cost time, and never a second reply.
import t, { type Test } from 'tap'
import type { Acquisition, RecordStore } from '../../../../src/delivery/record.ts'
import { needsRedis, redisFor } from '../../../helpers/redis-server.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../fake-clock.ts'
import { claimInEachState, DONE, LEASE_MS, newClaim } from '../store-kit.ts'
import { MOVABLE_CLOCK, moveClock, openRedisStore, stopClock } from './records.ts'

t.setTimeout(240_000)

const QUIET_MS = 2 * MINUTE_MS
/** What a test takes in real time. */
const SOON_MS = 20 * SECOND_MS

for (const [title, jumpMs] of [
  ['three days', 3 * DAY_MS],
  ['a day', DAY_MS],
  ['ten minutes', 10 * MINUTE_MS]
] as const) {
  t.test(
    `a jump ahead by ${title} is a possible loss from the claim that sees it, for everybody`,
    needsRedis(),
    async t => {
      const { redis, open, pass } = await watched(t)
      const [store, other] = [await open(), await open()]
      const claim = newClaim()
      await store.acquire(claim, 'sent')
      await store.complete(claim.key, claim.owner, DONE)
      await moveClock(redis, jumpMs)

      const seen = await store.acquire({ ...claim, owner: 'B' }, 'sent')
      t.same(seen, jumpMs < DAY_MS ? DONE : { kind: 'acquired-as-sent' })
      t.type(store.msSinceDataLoss(), 'number', 'whoever gets it looks before it sends')
      await other.acquire(newClaim())
      t.type(other.msSinceDataLoss(), 'number')
      while (!(await redis.command('HGET', 'reply:meta', 'since'))) await store.acquire(newClaim())
      const newcomer = await open()
      t.type(newcomer.msSinceDataLoss(), 'number', 'one that was not there learns it from Redis')

      const mattersForMs = Math.min(jumpMs, 2 * DAY_MS)
      await pass(mattersForMs - 2 * SOON_MS)
      t.type(store.msSinceDataLoss(), 'number')
      await pass(2 * SOON_MS)
      t.equal(store.msSinceDataLoss(), undefined, 'by then what was forgotten would have been forgotten anyway')
    }
  )
}

for (const [title, jumpMs] of [
  ['ten minutes', -10 * MINUTE_MS],
  ['a day', -DAY_MS],
  ['three days', -3 * DAY_MS]
] as const) {
  t.test(`after a jump back by ${title} nothing is in flight that is not`, needsRedis(), async t => {
    const { redis, open, pass } = await watched(t)
    const store = await open()
    await pass(60 * MINUTE_MS)
    const { ended, running, pending, refused, done } = await claimInEachState(store)
    await moveClock(redis, jumpMs)

    for (const passedMs of [0, MINUTE_MS]) {
      await pass(passedMs)
      for (const claim of [ended, running]) {
        t.ok(isAbout(await quietForMs(store, claim), passedMs - LEASE_MS), 'in doubt, and quiet as far as was watched')
      }
    }
    t.same(await store.acquire({ ...pending, owner: 'B' }), { kind: 'acquired' }, 'it was never sent')
    t.equal(await store.markSent(pending.key, pending.owner), false)
    t.same(await store.acquire({ ...refused, owner: 'B' }), { kind: 'acquired' }, 'a refusal is not told for days')
    t.same(await store.acquire({ ...done, owner: 'B' }), DONE)
    t.equal(store.msSinceDataLoss(), undefined, 'nothing was forgotten')

    await pass(LEASE_MS + QUIET_MS)
    t.equal(await store.takeOver(ended.key, 'A', { ...ended, owner: 'B' }), true)
    t.equal(await store.markSent(ended.key, 'B'), true)
    t.same(await store.acquire({ ...ended, owner: 'C' }), { kind: 'in-flight' }, 'the lease of now is a lease')
  })
}

t.test('a loss that a clock ahead has dated is not remembered for longer than one matters', needsRedis(), async t => {
  const { redis, open, pass } = await watched(t)
  const store = await open()
  await moveClock(redis, 3 * DAY_MS)
  await store.acquire(newClaim())
  t.type(store.msSinceDataLoss(), 'number')
  await moveClock(redis, -3 * DAY_MS)
  const newcomer = await open()
  t.ok((newcomer.msSinceDataLoss() ?? Number.NaN) < SOON_MS)
  await pass(2 * DAY_MS)
  t.equal(newcomer.msSinceDataLoss(), undefined)
})

t.test('what a Redis answers late is no jump', needsRedis(), async t => {
  const redis = await redisFor(t)
  let passedMs = 0
  const monotonic = (): number => performance.now() + passedMs
  const { store } = await openRedisStore(t, redis.url, { monotonic })
  const asked = store.acquire(newClaim())
  // As after SIGSTOP: the answer was there long before it is read.
  passedMs = 10 * MINUTE_MS
  await asked

  t.equal(store.msSinceDataLoss(), undefined)
})

async function quietForMs(store: RecordStore, claim: Acquisition): Promise<number> {
  const seen = await store.acquire({ ...claim, owner: 'B' })
  return seen.kind === 'in-doubt' ? seen.quietForMs : Number.NaN
}

function isAbout(ms: number, wantedMs: number): boolean {
  return ms >= wantedMs && ms < wantedMs + SOON_MS
}

/** A Redis whose clock is in our hands, and instances whose monotonic clock is, too. */
async function watched(t: Test) {
  const redis = await redisFor(t)
  await stopClock(redis)
  let passedMs = 0
  return {
    redis,
    open: async () => (await openRedisStore(t, redis.url, { ...MOVABLE_CLOCK, monotonic: () => passedMs })).store,
    async pass(ms: number) {
      passedMs += ms
      await moveClock(redis, ms)
    }
  }
}
