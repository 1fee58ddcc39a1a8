import fc from 'fast-check'
import t from 'tap'
import {
  charge,
  emptyLog,
  giveBack,
  isOver,
  moveCharge,
  type SlidingLog,
  WINDOW_MS
} from '../../src/limits/sliding-log.ts'
import { seedOf } from '../helpers/seed.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 10, 28)
const LIMIT = 30

const one = (log: SlidingLog, atMs: number, random = 0, units = 1, limit = LIMIT) =>
  charge(log, atMs, { units, limit, random, latenessMs: 0, tag: 0 })

/** The most events in any 60 s with both of their ends. */
function mostInMinute(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.max(0, ...sorted.map((from, index) => sorted.slice(index).filter(at => at <= from + MINUTE_MS).length))
}

t.test('the limit is admitted at once, and the next one when the first is a window old', async t => {
  const log = emptyLog()
  for (let count = 0; count < LIMIT; count++)
    t.match(one(log, START_MS + count), { isAdmitted: true, remaining: LIMIT - 1 - count })
  t.match(one(log, START_MS + 100), { isAdmitted: false, remaining: 0, nextInMs: WINDOW_MS - 100 })
  const fresh = emptyLog()
  for (let count = 0; count < LIMIT; count++) one(fresh, START_MS)
  t.match(one(fresh, START_MS + WINDOW_MS - 1), { isAdmitted: false })
  t.match(one(fresh, START_MS + 2 * WINDOW_MS), { isAdmitted: true })
})

t.test('in no 60 s more than the limit is admitted, whatever comes when, and a flood uses it', async t => {
  const gaps = fc.array(fc.oneof(fc.nat(50), fc.nat(3000), fc.nat(90_000)), { minLength: 50, maxLength: 400 })
  const limits = fc.integer({ min: 1, max: 40 })
  fc.assert(
    fc.property(gaps, limits, fc.double({ min: 0, max: 0.999, noNaN: true }), (waits, limit, random) => {
      const log = emptyLog()
      const admitted: number[] = []
      let nowMs = START_MS
      for (const wait of waits) {
        nowMs += wait
        // CometChat counts it at some time up to then.
        const latenessMs = Math.floor(random * 900)
        if (charge(log, nowMs, { units: 1, limit, random, latenessMs, tag: wait }).isAdmitted) {
          admitted.push(nowMs + (admitted.length % 2) * latenessMs)
        }
      }
      return mostInMinute(admitted) <= limit
    }),
    { seed: seedOf(t), numRuns: 300 }
  )
  const log = emptyLog()
  const admitted: number[] = []
  // Twenty times the limit, in the rhythm of a user who does not listen.
  for (let nowMs = START_MS; nowMs < START_MS + 10 * MINUTE_MS; nowMs += 100) {
    const answer = charge(log, nowMs, { units: 1, limit: LIMIT, random: 0.5, latenessMs: 20, tag: nowMs })
    if (answer.isAdmitted) admitted.push(nowMs)
  }
  for (let from = START_MS; from <= START_MS + 9 * MINUTE_MS; from += 50) {
    const count = admitted.filter(at => at >= from && at < from + MINUTE_MS).length
    if (count < 29 || count > LIMIT) t.fail(`${count} in the minute from ${from - START_MS} ms`)
  }
  t.ok(admitted.length >= 10 * 29)
})

t.test('who comes back when told is admitted, however many wait', async t => {
  const arrivals = fc.array(fc.nat(4000), { minLength: 31, maxLength: 140 })
  fc.assert(
    fc.property(
      arrivals,
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      fc.infiniteStream(fc.nat(900)),
      (gaps, jitter, late) => {
        const log = emptyLog()
        let nowMs = START_MS
        const events = gaps.map(gap => {
          nowMs += gap % 300
          return { atMs: nowMs, isReturn: false }
        })
        const admitted: number[] = []
        for (let next = events.shift(); next; next = events.shift()) {
          const { atMs, isReturn } = next
          const answer = one(log, atMs, jitter.next().value)
          if (answer.isAdmitted) admitted.push(atMs)
          else if (isReturn) return false
          else events.push({ atMs: atMs + answer.retryAfterMs + late.next().value, isReturn: true })
          events.sort((a, b) => a.atMs - b.atMs)
        }
        return admitted.length === gaps.length && mostInMinute(admitted) <= LIMIT
      }
    ),
    { seed: seedOf(t), numRuns: 100 }
  )
})

/** Callers who obey and send the next message so long after the last one was sent: what becomes of their returns. */
function sendOnAndOn(callers: number, pauseMs: number) {
  const log = emptyLog()
  const all = Array.from({ length: callers }, (_, index) => ({ atMs: START_MS + index, isReturn: false, tag: index }))
  const counts = { returns: 0, refusedAgain: 0, sent: 0 }
  for (let step = 0; step < 3000; step++) {
    const caller = all.reduce((first, one) => (one.atMs < first.atMs ? one : first))
    const { atMs, isReturn, tag } = caller
    const answer = charge(log, atMs, { units: 1, limit: LIMIT, random: (step * 0.618) % 1, latenessMs: 0, tag })
    counts.returns += Number(isReturn)
    counts.sent += Number(answer.isAdmitted)
    counts.refusedAgain += Number(isReturn && !answer.isAdmitted)
    caller.isReturn = !answer.isAdmitted
    if (answer.isAdmitted) caller.tag += callers
    // An answer and a new request take their time.
    caller.atMs += (answer.isAdmitted ? pauseMs : answer.retryAfterMs) + 5 + (step % 40)
  }
  return counts
}

t.test('of callers who send on and on, and obey, 99 % are admitted when they come back', async t => {
  for (const callers of [3, 40, 100]) {
    for (const pauseMs of [0, 2000]) {
      const { returns, refusedAgain, sent } = sendOnAndOn(callers, pauseMs)
      t.ok(refusedAgain <= returns / 100, `${callers} callers: ${refusedAgain} of ${returns} returns, ${sent} sent`)
    }
  }
})

t.test('a caller who does not wait for a turn does not take that of another', async t => {
  const log = emptyLog()
  for (let count = 0; count < LIMIT; count++) one(log, START_MS)
  const refused = one(log, START_MS + 10)
  t.notOk(refused.isAdmitted)
  const backMs = START_MS + 10 + ('retryAfterMs' in refused ? refused.retryAfterMs : 0)
  for (let count = 0; count < LIMIT; count++) one(log, START_MS + 20)
  t.match(one(log, backMs - 300), { isAdmitted: false }, 'a unit is free, and promised')
  t.match(one(log, backMs), { isAdmitted: true })
})

t.test('a place in the line is not kept for ever', async t => {
  const log = emptyLog()
  for (let count = 0; count < LIMIT; count++) one(log, START_MS)
  for (let count = 0; count < 3 * LIMIT; count++) one(log, START_MS + 1)
  t.match(one(log, START_MS + 5 * WINDOW_MS), { isAdmitted: true, remaining: LIMIT - 1 })
  t.ok(isOver(log, START_MS + 8 * WINDOW_MS))
})

t.test('several units are charged together or not at all', async t => {
  const log = emptyLog()
  t.match(one(log, START_MS, 0, 26), { isAdmitted: true, remaining: 4 })
  const refused = one(log, START_MS + 1000, 0, 5)
  t.match(refused, { isAdmitted: false, retryAfterMs: 60_000, remaining: 0 })
  t.match(one(log, START_MS + 61_000, 0, 5), { isAdmitted: true })
})

t.test('what was not sent is given back, and what took its time counts from its end', async t => {
  const log = emptyLog()
  for (let count = 0; count < LIMIT; count++) one(log, START_MS + count)
  t.ok(giveBack(log, START_MS + 7, 1))
  t.notOk(giveBack(log, START_MS + 7, 1), 'once')
  t.match(one(log, START_MS + 100), { isAdmitted: true, remaining: 0 })
  moveCharge(log, START_MS, START_MS + 9000, 1)
  t.match(one(log, START_MS + WINDOW_MS + 1, 0), { isAdmitted: true })
  t.equal(log.charged.filter(at => at === START_MS + 9000).length, 1)
})

t.test(
  'a clock that jumps back a day blocks for a minute, and one that jumps ahead lets one limit more through',
  async t => {
    fc.assert(
      fc.property(
        fc.constantFrom(-DAY_MS, DAY_MS, -MINUTE_MS, 3 * MINUTE_MS, -1000, Number.MAX_SAFE_INTEGER / 2, -START_MS),
        fc.nat(LIMIT * 3),
        (jump, refused) => {
          const log = emptyLog()
          for (let count = 0; count < LIMIT + refused; count++) one(log, START_MS + count)
          const afterMs = START_MS + 200 + jump
          let admitted = 0
          for (let nowMs = afterMs; nowMs < afterMs + MINUTE_MS; nowMs += 500)
            if (one(log, nowMs).isAdmitted) admitted++
          const later = one(log, afterMs + 6 * WINDOW_MS)
          return admitted <= LIMIT && (jump > -2000 || admitted === 0) && later.isAdmitted
        }
      ),
      { seed: seedOf(t) }
    )
  }
)

t.test('a wait is told in whole seconds, at least as long as needed, with a little added', async t => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(59_000), (random, later) => {
      const log = emptyLog()
      for (let count = 0; count < LIMIT; count++) one(log, START_MS)
      const answer = one(log, START_MS + later, random)
      if (answer.isAdmitted) return false
      const { retryAfterMs } = answer
      return retryAfterMs % 1000 === 0 && retryAfterMs >= WINDOW_MS - later && retryAfterMs <= WINDOW_MS - later + 2050
    }),
    { seed: seedOf(t) }
  )
})
