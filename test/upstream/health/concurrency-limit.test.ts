import fc from 'fast-check'
import t from 'tap'
import { ConcurrencyLimit } from '../../../src/upstream/health/concurrency-limit.ts'
import { seedOf } from '../../helpers/seed.ts'

const seed = seedOf(t)
const BOUNDS = { floor: 8, ceiling: 128, initial: 16 }

/** A limit that is used to the full, with answers that take so long. */
function driven(bounds = BOUNDS) {
  const limit = new ConcurrencyLimit(bounds)
  let nowMs = 0
  const round = (tookMs: (inFlight: number) => number, rounds = 1): void => {
    for (let done = 0; done < rounds; done++) {
      const inFlight = Math.floor(limit.value)
      const took = tookMs(inFlight)
      nowMs += took
      for (let answer = 0; answer < inFlight; answer++) limit.answered(took, inFlight, nowMs)
    }
  }
  return { limit, round, nowMs: () => nowMs }
}

t.test('it doubles in a round up to its ceiling while nothing fails', async t => {
  const { limit, round } = driven()
  const values = [1, 2, 3, 4].map(() => {
    round(() => 20)
    return limit.value
  })
  t.same(values, [32, 64, 128, 128])
})

t.test('it does not grow while half of it is not used', async t => {
  const limit = new ConcurrencyLimit(BOUNDS)
  for (let count = 0; count < 1000; count++) limit.answered(20, 7, count)
  t.equal(limit.value, 16)
  limit.answered(20, 8, 1000)
  t.equal(limit.value, 17)
})

t.test('a failure takes a fifth of it, once a round; then it grows by one a round', async t => {
  const { limit, round, nowMs } = driven()
  round(() => 20, 2)
  const beganAtMs = nowMs()
  for (let count = 0; count < 64; count++) limit.failed(beganAtMs, beganAtMs + 5)
  t.equal(limit.value, 64 * 0.8)
  round(() => 20)
  t.ok(limit.value > 52 && limit.value < 53, `${limit.value}`)
  limit.failed(nowMs(), nowMs() + 5)
  t.ok(limit.value < 43, 'the next round counts anew')
})

t.test('after an outage it comes back to where it was in a few rounds', async t => {
  const { limit, round, nowMs } = driven()
  round(() => 20, 2)
  limit.failed(nowMs(), nowMs() + 1)
  limit.collapse(nowMs() + 1)
  t.equal(limit.value, 8)
  round(() => 20, 3)
  t.equal(limit.value, 64)
  round(() => 20)
  t.ok(limit.value < 66, 'and grows by one from there')
})

t.test('a CometChat that gets slower by being asked more is asked about as much as serves most', async t => {
  const { limit, round } = driven()
  const tookMs = (inFlight: number): number => 50 * (1 + (inFlight / 20) ** 2)
  round(tookMs, 400)
  const perSecond = (inFlight: number): number => (inFlight / tookMs(inFlight)) * 1000
  t.ok(perSecond(limit.value) > 0.9 * perSecond(20), `${limit.value}: ${perSecond(limit.value)} a second`)
})

t.test('what gets slower by itself is soon the new measure, and costs no concurrency for long', async t => {
  const { limit, round } = driven()
  round(() => 50, 20)
  t.equal(limit.value, 128)
  round(() => 400, 3)
  t.ok(limit.value < 128, 'at first it is held back')
  round(() => 400, 20)
  t.equal(limit.value, 128)
})

t.test('whatever happens it stays within its bounds', async () => {
  const step = fc.oneof(
    fc.record({
      what: fc.constant('answered'),
      ms: fc.double({ min: 0, max: 1e9, noNaN: true }),
      inFlight: fc.nat(200)
    }),
    fc.record({
      what: fc.constantFrom('failed', 'collapse'),
      ms: fc.double({ min: 0, max: 1e5, noNaN: true }),
      inFlight: fc.nat()
    })
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), steps => {
      const limit = new ConcurrencyLimit(BOUNDS)
      let nowMs = 0
      for (const { what, ms, inFlight } of steps) {
        nowMs += ms
        if (what === 'answered') limit.answered(ms, inFlight, nowMs)
        else if (what === 'failed') limit.failed(nowMs - ms, nowMs)
        else limit.collapse(nowMs)
        if (!(limit.value >= BOUNDS.floor && limit.value <= BOUNDS.ceiling)) return false
      }
      return true
    }),
    { seed }
  )
})
