// What a charge does beside admitting: who observes is not refused, and nothing is given back or moved twice.
import t from 'tap'
import type { QuotaOptions } from '../../src/limits/quota/options.ts'
import { Standings } from '../../src/limits/quota/standings.ts'
import type { QuotaStore, ReserveOrder } from '../../src/limits/quota-store.ts'
import { ALICE, callFor, createQuota, SENT, type Sender } from './quota-kit.ts'

const NOT_SENT = { delivery: 'not-sent', isFresh: true } as const

/** A quota over a store that notes what it is told, and does some of it in another way. */
function create(options: Partial<QuotaOptions> = {}, otherwise: Partial<QuotaStore> = {}) {
  const orders: ReserveOrder[] = []
  const moves: number[] = []
  const { world, left, ...made } = createQuota(options, memory => ({
    isShared: false,
    charge: (...args) => memory.charge(...args),
    giveBack: (...args) => memory.giveBack(...args),
    moveCharge: (uid, atMs, units) => {
      moves.push(atMs)
      return memory.moveCharge(uid, atMs, units)
    },
    reserve: order => {
      orders.push(order)
      return memory.reserve(order)
    },
    close: () => undefined,
    ...otherwise
  }))
  let tag = 0
  const charge = (sender: Sender = ALICE) => made.quota.charge(sender, { units: 1, tag: tag++ })
  return { world: Object.assign(world, { orders, moves }), ...made, charge, left: () => left() }
}

t.test('where limits are only observed each refusal is counted, and nothing is refused', async t => {
  const { world, quota, upstream, charge } = create({ isEnforced: false, userLimit: 1, appLimit: 3 })
  const ends = [charge(), charge(), charge()]
  t.same(
    ends.map(({ refusal, admitted }) => [refusal, admitted]),
    Array(3).fill([undefined, undefined])
  )
  t.same(world.refusals, ['user', 'user'])
  world.nowMs += 5000
  for (const one of ends) one.end(SENT)
  t.equal(world.moves.length, 1, 'what the log did not take has no place there')
  await quota.admitCall(callFor('alice'))
  upstream.note({ uid: 'alice', isRefused: true, headers: {}, retryAfterMs: 7000 })
  await quota.admitCall(callFor('alice'))
  t.equal(charge().refusal, undefined)
  t.same(world.refusals.slice(2, 4), ['app', 'user'])
})

t.test('a charge ends once', async t => {
  const { charge, left } = create()
  const one = charge()
  one.end(SENT)
  one.end(NOT_SENT)
  t.equal(left(), 29)
})

t.test('one that was refused says nothing of how long answers take', async t => {
  const { world, quota, charge } = create({ userLimit: 1 })
  charge().end(SENT)
  const refused = charge()
  t.match(refused.refusal, { code: 'rate-limited' })
  const { ms } = quota.lateness
  world.nowMs += 1000
  refused.end({ delivery: 'unknown', isFresh: true })
  t.equal(quota.lateness.ms, ms)
})

t.test('a message is dated anew only where its answer took longer than expected', async t => {
  const { world, quota, charge } = create()
  const quick = charge()
  world.nowMs += quota.lateness.ms
  quick.end(SENT)
  t.same(world.moves, [])
  const slow = charge()
  world.nowMs += quota.lateness.ms + 1
  slow.end(SENT)
  t.equal(world.moves.length, 1)
})

t.test('what a budget refused is not given back to it', async t => {
  const { world, quota, charge } = create({ serviceLimit: 2 })
  const acting = (index: number) => ({ uid: `u${index}`, service: 'robot' })
  for (let index = 0; index < 2; index++) charge(acting(index)).end(SENT)
  for (let index = 2; index < 50; index++) charge(acting(index)).end(NOT_SENT)
  t.match(charge(acting(50)).refusal, { options: { violatedPolicies: ['service'] } })
  t.equal(quota.app?.used, 2)
  world.nowMs += 63_000
  t.equal(charge(acting(51)).refusal, undefined)
  const returned = world.orders.flatMap(order => order.returned)
  t.same(
    returned.filter(cell => !cell.every(Number.isFinite)),
    []
  )
})

t.test('a store that goes away costs a unit and nothing else', async t => {
  const away = (): Promise<never> => Promise.reject(new Error('away'))
  const { charge } = create({}, { giveBack: away, moveCharge: away })
  charge().end(NOT_SENT)
  await new Promise(setImmediate)

  const { quota, charge: chargeAway } = create({}, { charge: away })
  const one = chargeAway()
  await new Promise(setImmediate)
  t.match(await one.admitted?.catch(error => error), { code: 'store-unavailable' }, 'whenever it is waited for')
  one.end(NOT_SENT)
  t.equal(quota.app?.used, 0, 'the app has its unit back')
})

t.test('where a user stands is known as long as it holds, and of a bounded number of users', async t => {
  const { world, charge, left } = create()
  charge().end(SENT)
  t.equal(left(), 29)
  world.nowMs += 63_000
  t.equal(left(), 30)

  const standings = new Standings(() => 0)
  for (let index = 0; index <= 10_000; index++) standings.note(`u${index}`, { remaining: 1, nextInMs: 1000 }, 0)
  t.equal(standings.of('u0'), undefined)
  t.match(standings.of('u10000'), { remaining: 1 })
})
