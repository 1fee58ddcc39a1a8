import fc from 'fast-check'
import t from 'tap'
import { AnswerTimes, RecentP99 } from '../../../src/upstream/health/answer-times.ts'
import { seedOf } from '../../helpers/seed.ts'

const seed = seedOf(t)
const HOUR_MS = 3_600_000

t.test('a quantile is never too low, and at most 25 % or a third of a millisecond too high', async () => {
  const times = fc.array(fc.double({ min: 0, max: HOUR_MS, noNaN: true }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(times, fc.double({ min: 0.01, max: 1, noNaN: true }), (tooks, share) => {
      const all = new AnswerTimes()
      for (const tookMs of tooks) all.add(tookMs)
      const exactMs = tooks.toSorted((a, b) => a - b)[Math.ceil(tooks.length * share) - 1] ?? 0
      const toldMs = all.quantile(share)
      return toldMs >= exactMs && toldMs <= exactMs * 1.25 + 0.32
    }),
    { seed }
  )
})

t.test('what nobody can take, or less than nothing, is counted and breaks nothing', async t => {
  const all = new AnswerTimes()
  for (const tookMs of [-5, 0, Number.MIN_VALUE, 2 ** 53, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) all.add(tookMs)
  t.equal(all.total, 6)
  t.ok(all.quantile(0.5) < 1)
  t.ok(all.quantile(1) >= HOUR_MS)
  t.equal(new AnswerTimes().quantile(0.99), 0, 'none')
})

t.test('the p99 is that of the last five to ten seconds, and unknown for fewer than 20 answers', async t => {
  const p99 = new RecentP99()
  for (let count = 0; count < 19; count++) p99.add(100, 0)
  t.equal(p99.valueMs(0), undefined)
  p99.add(100, 0)
  t.equal(p99.valueMs(50), undefined, 'it is computed ten times a second')
  t.equal(p99.valueMs(100), 112)
  for (let count = 0; count < 20; count++) p99.add(1000, 5000)
  t.ok((p99.valueMs(5100) ?? 0) >= 1000)
  t.ok((p99.valueMs(9999) ?? 0) >= 1000)
  t.equal(p99.valueMs(10_000), 1024, 'the first ones are forgotten')
  t.equal(p99.valueMs(15_000), undefined, 'all are')
})

t.test('one answer in a hundred that is slow is the p99, one in a thousand is not', async t => {
  const filled = (slow: number): number | undefined => {
    const p99 = new RecentP99()
    for (let count = 0; count < 1000; count++) p99.add(count < slow ? 5000 : 50, 1)
    return p99.valueMs(1)
  }
  t.equal(filled(1), 56)
  t.ok((filled(11) ?? 0) >= 5000)
})
