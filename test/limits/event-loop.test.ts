import fc from 'fast-check'
import t from 'tap'
import { EventLoopLimit, shedShare, type Work, watchEventLoop } from '../../src/limits/event-loop.ts'
import { seedOf } from '../helpers/seed.ts'

const seed = seedOf(t)
const WORK: readonly Work[] = ['read', 'new-message', 'lookup']

function createLimit({ isEnforced = true } = {}) {
  const state = { delayMs: 0, nowMs: 0, random: 0, refusals: 0, samples: 0 }
  const limit = new EventLoopLimit({
    delayMs: () => {
      state.samples++
      return state.delayMs
    },
    monotonic: () => state.nowMs,
    random: () => state.random,
    isEnforced,
    onRefusal: () => void state.refusals++
  })
  return { state, limit }
}

t.test('the share grows with the delay: first reads, then new messages, last what looks up a reply', async () => {
  const delay = fc.double({ min: 0, max: 2 ** 53, noNaN: true })
  fc.assert(
    fc.property(delay, delay, (one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)]
      const grows = WORK.every(work => shedShare(work, less) <= shedShare(work, more))
      const [reads, messages, lookups] = WORK.map(work => shedShare(work, one)) as [number, number, number]
      return grows && reads >= messages && messages >= lookups && lookups >= 0 && reads <= 0.95
    }),
    { seed }
  )
})

t.test('nothing is refused while the event loop is in time', async t => {
  for (const work of WORK) t.equal(shedShare(work, 99), 0, work)
  t.same([shedShare('read', 101) > 0, shedShare('new-message', 199), shedShare('lookup', 399)], [true, 0, 0])
  t.same([shedShare('new-message', 500), shedShare('lookup', 1000)], [0.5, 0.5])
})

t.test('a refusal is not sent, names its limit and says when to come back', async t => {
  const { state, limit } = createLimit()
  state.delayMs = 500
  t.match(limit.refusalOf('new-message'), {
    code: 'overloaded',
    delivery: 'not-sent',
    options: { reason: 'event-loop', violatedPolicies: ['event-loop'], retryAfterMs: 1000 }
  })
  state.random = 0.5
  t.equal(limit.refusalOf('new-message'), undefined, 'the other half')
  t.match(limit.refusalOf('read'), { code: 'overloaded' }, 'reads are refused at more than half')
  t.equal(state.refusals, 2)
})

t.test('the delay is looked at once a second', async t => {
  const { state, limit } = createLimit()
  state.delayMs = 10_000
  for (let count = 0; count < 100; count++) limit.refusalOf('read')
  t.equal(state.samples, 1)
  state.delayMs = 0
  state.nowMs = 999
  t.ok(limit.refusalOf('read'))
  state.nowMs = 1000
  t.notOk(limit.refusalOf('read'))
})

t.test('where limits only observe, it is counted and let through', async t => {
  const { state, limit } = createLimit({ isEnforced: false })
  state.delayMs = 10_000
  t.equal(limit.refusalOf('lookup'), undefined)
  t.equal(state.refusals, 1)
})

t.test('an event loop that is always late is seen to be, one that pauses once is not', async t => {
  const watch = watchEventLoop()
  t.teardown(watch.close)
  const block = (ms: number): void => {
    for (const endMs = performance.now() + ms; performance.now() < endMs; );
  }
  const turn = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
  await turn(100)
  watch.delayMs()
  for (let count = 0; count < 6; count++) {
    block(150)
    await turn(0)
  }
  t.ok(watch.delayMs() > 80, 'always late')
})
