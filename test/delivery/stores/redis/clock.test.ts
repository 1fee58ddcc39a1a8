// A Redis is dated by its own clock, and that jumps like any other: it may cost time, and never a second reply.
import t, { type Test } from 'tap'
import type { Claim, RecordStore } from '../../../../src/delivery/record.ts'
import { needsRedis, redisFor } from '../../../helpers/redis-server.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../fake-clock.ts'
import { DONE, LEASE_MS, newClaim, REFUSED } from '../store-kit.ts'
import { MOVABLE_CLOCK, moveClock, openRedisStore } from './records.ts'

t.setTimeout(120_000)

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
      await store.claim(claim, 'sent')
      await store.finish(claim.key, claim.owner, DONE)
      await moveClock(redis, jumpMs)

      const seen = await store.claim({ ...claim, owner: 'B' }, 'sent')
      t.same(seen, jumpMs < DAY_MS ? DONE : { kind: 'claimed-as-sent' })
      t.type(store.forgetfulForMs(), 'number', 'whoever gets it looks before it sends')
      await other.claim(newClaim())
      t.type(other.forgetfulForMs(), 'number')
      while (!(await redis.command('HGET', 'reply:meta', 'since'))) await store.claim(newClaim())
      const newcomer = await open()
      t.type(newcomer.forgetfulForMs(), 'number', 'one that was not there learns it from Redis')

      const mattersForMs = Math.min(jumpMs, 2 * DAY_MS)
      await pass(mattersForMs - 2 * SOON_MS)
      t.type(store.forgetfulForMs(), 'number')
      await pass(2 * SOON_MS)
      t.equal(store.forgetfulForMs(), undefined, 'by then what was forgotten would have been forgotten anyway')
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
    const [ended, running, pending, refused, done] = [newClaim(), newClaim(), newClaim(), newClaim(), newClaim()]
    await store.claim(ended, 'sent')
    await store.doubt(ended.key, ended.owner)
    await store.claim(running, 'sent')
    await store.claim(pending)
    for (const [claim, outcome] of [
      [refused, REFUSED],
      [done, DONE]
    ] as const) {
      await store.claim(claim)
      await store.finish(claim.key, claim.owner, outcome)
    }
    await moveClock(redis, jumpMs)

    for (const passedMs of [0, MINUTE_MS]) {
      await pass(passedMs)
      for (const claim of [ended, running]) {
        t.ok(isAbout(await quietForMs(store, claim), passedMs - LEASE_MS), 'in doubt, and quiet as far as was watched')
      }
    }
    t.same(await store.claim({ ...pending, owner: 'B' }), { kind: 'claimed' }, 'it was never sent')
    t.equal(await store.markSent(pending.key, pending.owner), false)
    t.same(await store.claim({ ...refused, owner: 'B' }), { kind: 'claimed' }, 'a refusal is not told for days')
    t.same(await store.claim({ ...done, owner: 'B' }), DONE)
    t.equal(store.forgetfulForMs(), undefined, 'nothing was forgotten')

    await pass(LEASE_MS + QUIET_MS)
    t.equal(await store.reclaim(ended.key, 'A', { ...ended, owner: 'B' }), true)
    t.equal(await store.markSent(ended.key, 'B'), true)
    t.same(await store.claim({ ...ended, owner: 'C' }), { kind: 'in-flight' }, 'the lease of now is a lease')
  })
}

t.test('a loss that a clock ahead has dated is not remembered for longer than one matters', needsRedis(), async t => {
  const { redis, open, pass } = await watched(t)
  const store = await open()
  await moveClock(redis, 3 * DAY_MS)
  await store.claim(newClaim())
  t.type(store.forgetfulForMs(), 'number')
  await moveClock(redis, -3 * DAY_MS)
  const newcomer = await open()
  t.ok((newcomer.forgetfulForMs() ?? Number.NaN) < SOON_MS)
  await pass(2 * DAY_MS)
  t.equal(newcomer.forgetfulForMs(), undefined)
})

t.test('what a Redis answers late is no jump', needsRedis(), async t => {
  const redis = await redisFor(t)
  let passedMs = 0
  const monotonic = (): number => performance.now() + passedMs
  const { store } = await openRedisStore(t, redis.url, { monotonic })
  const asked = store.claim(newClaim())
  // As after SIGSTOP: the answer was there long before it is read.
  passedMs = 10 * MINUTE_MS
  await asked

  t.equal(store.forgetfulForMs(), undefined)
})

async function quietForMs(store: RecordStore, claim: Claim): Promise<number> {
  const seen = await store.claim({ ...claim, owner: 'B' })
  return seen.kind === 'doubtful' ? seen.quietForMs : Number.NaN
}

function isAbout(ms: number, wantedMs: number): boolean {
  return ms >= wantedMs && ms < wantedMs + SOON_MS
}

/** A Redis whose clock is in our hands, and instances whose monotonic clock is, too. */
async function watched(t: Test) {
  const redis = await redisFor(t)
  let passedMs = 0
  return {
    redis,
    open: async () =>
      (await openRedisStore(t, redis.url, { ...MOVABLE_CLOCK, monotonic: () => performance.now() + passedMs })).store,
    async pass(ms: number) {
      passedMs += ms
      await moveClock(redis, ms)
    }
  }
}
