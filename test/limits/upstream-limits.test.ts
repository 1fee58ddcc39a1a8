import fc from 'fast-check'
import t from 'tap'
import { UpstreamLimits } from '../../src/limits/upstream-limits.ts'
import { seedOf } from '../helpers/seed.ts'

function create() {
  let nowMs = 1000
  const limits = new UpstreamLimits({ monotonic: () => nowMs, userLimit: 30 })
  const refuse = (uid: string, headers: Record<string, string | string[]> = {}, retryAfterMs?: number) =>
    limits.note({ uid, isRefused: true, headers, retryAfterMs })
  const answer = (headers: Record<string, string | string[]>, resetsInMs?: number) =>
    limits.note({ uid: 'ann', isRefused: false, headers, resetsInMs })
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { limits, refuse, answer, pass }
}

const USER_SPENT = { 'x-rate-limit': '30', 'x-rate-limit-remaining': '0' }
const APP_SPENT = { 'x-rate-limit': '20000', 'x-rate-limit-remaining': '0' }

t.test('the 429 of one user blocks that user until the time it names', async t => {
  for (const headers of [USER_SPENT, {}, { 'x-rate-limit': '20000', 'x-rate-limit-remaining': '19000' }]) {
    const { limits, refuse, pass } = create()
    refuse('ann', headers, 20_000)
    t.same(limits.blockOf('ann'), { policy: 'user', forMs: 20_000 })
    t.equal(limits.blockOf('bob'), undefined)
    t.equal(limits.blockOf(undefined), undefined)
    pass(20_000)
    t.equal(limits.blockOf('ann'), undefined)
  }
  const { limits, refuse } = create()
  refuse('ann')
  t.match(limits.blockOf('ann'), { forMs: 15_000 }, 'where none is named')
})

t.test('nothing left, in either spelling, or three users within five seconds are the app', async t => {
  for (const headers of [
    APP_SPENT,
    { 'x-ratelimit-limit': '500', 'x-ratelimit-remaining': '0' },
    { 'x-ratelimit-remaining': '0' }
  ]) {
    const { limits, refuse, pass } = create()
    refuse('ann', headers, 7000)
    t.same(limits.blockOf('bob'), { policy: 'app', forMs: 7000 })
    pass(7000)
    t.equal(limits.blockOf('bob'), undefined)
  }
  const { limits, refuse, pass } = create()
  refuse('ann', USER_SPENT, 9000)
  refuse('ann', USER_SPENT, 9000)
  refuse('bob', USER_SPENT, 9000)
  t.equal(limits.blockOf('eve'), undefined, 'two users')
  pass(5001)
  refuse('cid', USER_SPENT, 9000)
  t.equal(limits.blockOf('eve'), undefined, 'a third one, later')
  refuse('dan', USER_SPENT, 9000)
  refuse('fay', USER_SPENT, 8000)
  t.same(limits.blockOf('eve'), { policy: 'app', forMs: 8000 })
})

t.test('what CometChat says is left is all there is', async t => {
  const { limits, answer, pass } = create()
  answer({ 'x-rate-limit': '20000', 'x-rate-limit-remaining': '2' }, 30_000)
  limits.noteCall()
  t.equal(limits.blockOf('ann'), undefined)
  limits.noteCall()
  t.same(limits.blockOf('ann'), { policy: 'app', forMs: 30_000 })
  answer({ 'x-rate-limit-remaining': '19999' })
  t.equal(limits.blockOf('ann'), undefined, 'until it says otherwise')
  answer({ 'x-ratelimit-limit': '500', 'x-ratelimit-remaining': '0' })
  t.match(limits.blockOf('ann'), { policy: 'app' })
  pass(1000)
  t.equal(limits.blockOf('ann'), undefined, 'without a time it is not believed for long')
  answer({ 'x-rate-limit': '30', 'x-rate-limit-remaining': '0' })
  t.equal(limits.blockOf('ann'), undefined, 'the rest of a user is not that of the app')
})

t.test('headers that cannot be believed block nobody, and no time blocks for ever', async t => {
  const wild = fc.oneof(
    fc.constantFrom(
      '-1',
      '1e3',
      '',
      ' ',
      '0x10',
      '9007199254740992',
      'Sat, 28 Nov 2026 10:00:00 GMT',
      '5, 5',
      'NaN',
      '٣',
      '0.0'
    ),
    fc.array(fc.constantFrom('0', '5'), { minLength: 2, maxLength: 3 })
  )
  const names = ['x-rate-limit', 'x-rate-limit-remaining', 'x-ratelimit-limit', 'x-ratelimit-remaining']
  fc.assert(
    fc.property(fc.subarray(names), fc.infiniteStream(wild), (some, values) => {
      const { limits, answer } = create()
      answer(Object.fromEntries(some.map(name => [name, values.next().value])), 0)
      limits.noteCall()
      return limits.blockOf('ann') === undefined
    }),
    { seed: seedOf(t) }
  )
  const { limits, refuse, answer, pass } = create()
  refuse('ann', APP_SPENT, Number.MAX_SAFE_INTEGER)
  answer(APP_SPENT, Number.MAX_SAFE_INTEGER)
  t.match(limits.blockOf('ann'), { forMs: 300_000 })
  pass(300_000)
  t.equal(limits.blockOf('ann'), undefined)
})

t.test('a flood of refused users takes no more than its memory', async t => {
  const { limits, refuse, pass } = create()
  for (let count = 0; count < 30_000; count++) {
    refuse(`user-${count}`, USER_SPENT, 60_000)
    pass(6000)
  }
  t.equal(limits.blockOf('user-0'), undefined)
  t.match(limits.blockOf('user-29999'), { policy: 'user' })
})
