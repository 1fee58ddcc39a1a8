// What a charge costs and gives back, with a store whose clock is in our hands.
import t from 'tap'
import { AppError } from '../../src/errors.ts'
import type { QuotaOptions } from '../../src/limits/quota/options.ts'
import type { QuotaStore } from '../../src/limits/quota-store.ts'
import { ALICE, callFor, createQuota, SENT, type Sender } from './quota-kit.ts'

function create(options: Partial<QuotaOptions> = {}, wrap?: (store: QuotaStore) => QuotaStore) {
  const { world, quota, ...made } = createQuota(options, wrap)
  const charge = (units = 1, sender: Sender = ALICE) => quota.charge(sender, { units, tag: world.refusals.length })
  return { world, quota, charge, ...made }
}

/** A store that answers a turn later, as Redis and a file do. */
const later = (store: QuotaStore): QuotaStore => ({
  isShared: true,
  charge: async (...args) => store.charge(...args),
  giveBack: async (...args) => store.giveBack(...args),
  moveCharge: async (...args) => store.moveCharge(...args),
  reserve: async order => store.reserve(order),
  close: () => undefined
})

for (const [kind, wrap] of [
  ['at once', (store: QuotaStore) => store],
  ['a turn later', later]
] as const) {
  t.test(`${kind}: what is not sent is given back, what may have been is not`, async t => {
    const { charge, left } = create({}, wrap)
    const ends = [
      [SENT, 29],
      [{ delivery: 'not-sent', isFresh: true }, 29],
      [{ delivery: 'unknown', isFresh: true }, 28],
      [{ delivery: 'sent', isFresh: false }, 28],
      [{ delivery: 'unknown', isFresh: false }, 28]
    ] as const
    for (const [end, expected] of ends) {
      const one = charge()
      await one.admitted
      one.end(end)
      await new Promise(setImmediate)
      t.equal(left(), expected, JSON.stringify(end))
    }
  })

  t.test(`${kind}: a message that one limit refuses costs nothing of the others`, async t => {
    const { world, quota, charge } = create({ userLimit: 2, serviceLimit: 50 }, wrap)
    const acting = { uid: 'alice', service: 'robot' }
    const refusalOf = async (one: ReturnType<typeof charge>) =>
      one.refusal ??
      (await one.admitted?.then(
        () => undefined,
        error => error
      ))
    for (let count = 0; count < 2; count++) t.equal(await refusalOf(charge(1, acting)), undefined)
    for (let count = 0; count < 100; count++) {
      const refusal = await refusalOf(charge(1, acting))
      if (!(refusal instanceof AppError) || refusal.options.violatedPolicies?.join() !== 'user') t.fail(String(refusal))
    }
    t.same(new Set(world.refusals), new Set(['user']))
    let others = 0
    for (; others < 60; others++) if (await refusalOf(charge(1, { uid: `u${others}`, service: 'robot' }))) break
    t.equal(others, 48, 'of the fifty of the service two are used')
    t.ok((quota.app?.used ?? 0) <= 60)
  })
}

t.test('a message that takes longer than expected counts from its answer', async t => {
  const { world, charge } = create({ userLimit: 1 })
  const slow = charge()
  world.nowMs += 9000
  slow.end(SENT)
  world.nowMs += 52_000
  t.match(charge().refusal, { code: 'rate-limited' }, 'a minute after its charge')
  // The one that was refused has given its place up by then.
  world.nowMs += 20_000
  t.equal(charge().refusal, undefined, 'a minute after its answer')
})

t.test('without its store nothing is admitted, unless limits are only observed', async t => {
  const away = (store: QuotaStore): QuotaStore => ({ ...later(store), charge: () => Promise.reject(new Error('away')) })
  await t.rejects(create({}, away).charge().admitted ?? Promise.resolve(), { code: 'store-unavailable' })
  await t.resolves(create({ isEnforced: false }, away).charge().admitted ?? Promise.resolve())
})

t.test('what CometChat refused refuses here, with the time that it named and its policy', async t => {
  const { upstream, charge, quota, left } = create()
  upstream.note({ uid: 'alice', isRefused: true, headers: {}, retryAfterMs: 7000 })
  t.match(charge().refusal, { options: { retryAfterMs: 7000, violatedPolicies: ['user'], reason: 'cometchat' } })
  t.equal(left(), 0)
  t.equal(charge(1, { uid: 'bob' }).refusal, undefined)
  const own = new AppError('rate-limited', 'CometChat takes no more.', { retryAfterMs: 6500, reason: 'cometchat' })
  t.match(quota.namingPolicy(own, 'alice'), { options: { retryAfterMs: 7000, violatedPolicies: ['user'] } })
  await t.rejects(quota.admitCall(callFor('alice')), { code: 'rate-limited' })
  await t.resolves(quota.admitCall(callFor('bob')))
})

t.test('of the calls that are no messages one user has a share of the app, and the others the rest', async t => {
  const { quota, left } = create({ appLimit: 100, serviceLimit: 10 })
  for (let count = 0; count < 10; count++) await quota.admitCall(callFor('alice'))
  await t.rejects(quota.admitCall(callFor('alice')), { code: 'rate-limited', options: { violatedPolicies: ['user'] } })
  quota.giveBackCall(callFor('alice'))
  await t.resolves(quota.admitCall(callFor('alice')), 'what was not written did not count')
  for (const other of ['bob', 'carol', undefined]) await t.resolves(quota.admitCall(callFor(other)))
  t.equal(left(), 30, 'messages are counted apart')
  // The app itself gave nothing for what the share refused.
  for (let count = 0; count < 87; count++) await quota.admitCall(callFor(undefined))
  await t.rejects(quota.admitCall(callFor(undefined)), { code: 'rate-limited', options: { violatedPolicies: ['app'] } })
})

t.test(
  'a call that CometChat takes for one of the app comes out of the share of the user whose request it serves',
  async t => {
    const { quota, upstream } = create({ appLimit: 100, serviceLimit: 10 })
    const token = { uid: undefined, chargedTo: 'alice' }
    for (let count = 0; count < 9; count++) await quota.admitCall(token)
    await quota.admitCall(callFor('alice'))
    await t.rejects(quota.admitCall(token), { code: 'rate-limited', options: { violatedPolicies: ['user'] } })
    await t.rejects(quota.admitCall(callFor('alice')), { code: 'rate-limited' })
    quota.giveBackCall(token)
    upstream.note({ uid: 'alice', isRefused: true, headers: {}, retryAfterMs: 7000 })
    await t.resolves(quota.admitCall(token), 'it is no call of the user whom CometChat has refused')
  }
)

for (const [kind, wrap] of [
  ['at once', (store: QuotaStore) => store],
  ['a turn later', later]
] as const) {
  t.test(`${kind}: a user whose messages CometChat refuses spends a share of the app, and no more`, async t => {
    const { quota, charge, world, left } = create({ appLimit: 100, serviceLimit: 10 }, wrap)
    const refused = async (uid: string): Promise<number> => {
      let made = 0
      for (let count = 0; count < 50; count++) {
        const one = charge(1, { uid })
        await one.admitted
        if (!one.refusal) quota.noteRefusedMessage(callFor(uid))
        if (!one.refusal) made++
        one.end({ delivery: 'not-sent', isFresh: true })
        await new Promise(setImmediate)
      }
      return made
    }
    t.equal(await refused('alice'), 11, 'the share, and the one that finds it spent')
    t.match(charge().refusal, { code: 'rate-limited', options: { violatedPolicies: ['user'], retryAfterMs: 62_000 } })
    t.match(await quota.preview(ALICE, 1), { refusal: { code: 'rate-limited' } })
    t.equal(left(), 30, 'and keeps the messages')
    await t.resolves(quota.admitCall(callFor('alice')), 'and what is read is counted apart')
    t.equal(charge(1, { uid: 'bob' }).refusal, undefined)
    world.nowMs += 62_001
    t.equal(charge().refusal, undefined, 'a minute later it is as it was')
  })
}

t.test('a call that is not made costs neither its user nor the app', async t => {
  const { quota, upstream, world } = create({ appLimit: 8, serviceLimit: 4 })
  for (let count = 0; count < 7; count++) await quota.admitCall(callFor(undefined))
  world.nowMs += 30_000
  await quota.admitCall(callFor('alice'))
  for (let count = 0; count < 3; count++) {
    await t.rejects(quota.admitCall(callFor('alice')), { code: 'rate-limited', options: { violatedPolicies: ['app'] } })
  }
  world.nowMs += 32_000
  for (let count = 0; count < 3; count++)
    await t.resolves(quota.admitCall(callFor('alice')), 'the app refused, the share did not')
  world.nowMs += 62_000
  upstream.note({ uid: 'alice', isRefused: true, headers: {}, retryAfterMs: 7000 })
  for (let count = 0; count < 8; count++) await t.rejects(quota.admitCall(callFor('alice')), { code: 'rate-limited' })
  for (let count = 0; count < 8; count++)
    await t.resolves(quota.admitCall(callFor(undefined)), 'what is stopped here was never made')
})

t.test("the service's own calls are charged to the app, not to messages, and stop where it is spent", async t => {
  const { quota, charge, left } = create({ appLimit: 5 })
  for (let count = 0; count < 4; count++) await quota.admitCall(callFor('alice'))
  t.equal(left(), 30)
  t.equal(charge().refusal, undefined)
  await t.rejects(quota.admitCall(callFor('alice')), { code: 'rate-limited', options: { violatedPolicies: ['app'] } })
  t.match(charge(1, { uid: 'bob' }).refusal, { options: { violatedPolicies: ['app'] } })
  t.equal(left('bob'), 30, 'who is refused by the app keeps what is theirs')
})

t.test('a user with many messages a minute is counted in cells, and told what is left', async t => {
  const { charge, left, world } = create({ userLimit: 500 })
  for (let count = 0; count < 500; count++) charge().end(SENT)
  t.equal(left(), 0)
  t.match(charge().refusal, { options: { violatedPolicies: ['user'] } })
  world.nowMs += 63_000
  t.equal(charge().refusal, undefined)
  t.ok((left() ?? 0) >= 490)
})

t.test('a preview says what a charge would meet, and costs nothing', async t => {
  const { quota, charge, left } = create({ userLimit: 3, serviceLimit: 5, appLimit: 7 })
  const acting = { uid: 'alice', service: 'robot' }
  charge(1, acting).end(SENT)
  for (let count = 0; count < 100; count++) await quota.preview(acting, 2)
  t.match(await quota.preview(acting, 2), {
    states: [
      { policy: 'user', limit: 3, remaining: 2 },
      { policy: 'service', limit: 5, remaining: 4 },
      { policy: 'app', limit: 7, remaining: 6 }
    ],
    refusal: undefined
  })
  t.match((await quota.preview(acting, 3)).refusal, { reason: 'limit-user', options: { violatedPolicies: ['user'] } })
  t.match((await quota.preview(acting, 7)).refusal, { options: { violatedPolicies: ['user', 'service', 'app'] } })
  t.equal(charge(2, acting).refusal, undefined, 'what was left is there')
  t.equal(left(), 0)
  t.match(charge(1, acting).refusal, { reason: 'limit-user' })
})

t.test('a preview meets a store that is away, and what CometChat refuses, as a charge does', async t => {
  const away = (store: QuotaStore): QuotaStore => ({ ...later(store), charge: () => Promise.reject(new Error('away')) })
  for (const wrap of [undefined, away]) {
    const { upstream, quota, charge } = create({}, wrap)
    t.equal((await quota.preview(ALICE, 1)).refusal?.code, wrap && 'store-unavailable')
    upstream.note({ uid: 'alice', isRefused: true, headers: {}, retryAfterMs: 7000 })
    const { refusal } = await quota.preview(ALICE, 1)
    t.match(refusal, { reason: 'cometchat', options: { retryAfterMs: 7000, violatedPolicies: ['user'] } })
    t.same(refusal?.options, charge().refusal?.options)
  }
})

t.test('where limits are only observed a preview refuses nothing', async t => {
  const { upstream, quota } = create({ isEnforced: false, userLimit: 1 })
  t.equal((await quota.preview(ALICE, 2)).refusal, undefined)
  upstream.note({ uid: 'alice', isRefused: true, headers: {}, retryAfterMs: 7000 })
  t.equal((await quota.preview(ALICE, 1)).refusal, undefined)
})
