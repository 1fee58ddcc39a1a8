import t from 'tap'
import { Horizon, WatchedTime } from '../../../src/delivery/stores/trusted-clock.ts'
import { createFakeClock, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../fake-clock.ts'

const LEASE_MS = 15 * SECOND_MS

function watch() {
  const clock = createFakeClock()
  const time = new WatchedTime(clock.monotonic, clock.now())
  return { clock, time, look: () => time.observe(clock.now()) }
}

t.test('time is believed as far as it was watched, less the lease that may have begun before', async t => {
  const { clock, time } = watch()

  t.equal(time.believedMs(DAY_MS, LEASE_MS), -LEASE_MS)
  clock.pass(MINUTE_MS)
  t.equal(time.believedMs(DAY_MS, LEASE_MS), MINUTE_MS - LEASE_MS)
  t.equal(time.believedMs(SECOND_MS, LEASE_MS), SECOND_MS, 'never more than the clock itself says')
})

t.test('a jump ahead begins the watch anew', async t => {
  const { clock, time, look } = watch()
  clock.pass(HOUR_MS)
  look()
  clock.jump(HOUR_MS)
  look()

  t.equal(time.believedMs(HOUR_MS, LEASE_MS), -LEASE_MS)
  clock.pass(MINUTE_MS)
  look()
  t.equal(time.believedMs(HOUR_MS, LEASE_MS), MINUTE_MS - LEASE_MS)
})

t.test('a jump back costs nothing that was watched, and the way ahead again is a jump', async t => {
  const { clock, time, look } = watch()
  clock.pass(HOUR_MS)
  clock.jump(-DAY_MS)
  look()
  t.equal(time.believedMs(MINUTE_MS, LEASE_MS), MINUTE_MS)

  clock.jump(DAY_MS)
  look()
  t.equal(time.believedMs(MINUTE_MS, LEASE_MS), -LEASE_MS)
})

t.test('what a clock drifts is no jump, and many small jumps are one', async t => {
  const { clock, time, look } = watch()
  clock.pass(HOUR_MS)
  clock.jump(SECOND_MS)
  look()
  t.equal(time.believedMs(MINUTE_MS, LEASE_MS), MINUTE_MS)

  clock.jump(SECOND_MS)
  look()
  clock.jump(SECOND_MS)
  look()
  t.equal(time.believedMs(MINUTE_MS, LEASE_MS), -LEASE_MS)
})

t.test('the horizon follows the clock', async t => {
  const clock = createFakeClock()
  const horizon = new Horizon(clock.monotonic, clock.now())

  clock.pass(DAY_MS)
  horizon.moveTo(clock.now())

  t.equal(horizon.atMs, clock.now())
})

t.test('a clock that is wrong for an hour costs a record an hour, however wrong it is', async t => {
  const clock = createFakeClock()
  const startedAtMs = clock.now()
  const horizon = new Horizon(clock.monotonic, startedAtMs)

  clock.jump(365 * DAY_MS)
  horizon.moveTo(clock.now())
  t.equal(horizon.atMs, startedAtMs)
  clock.pass(HOUR_MS)
  horizon.moveTo(clock.now())
  t.equal(horizon.atMs, startedAtMs + 2 * HOUR_MS)

  clock.jump(-365 * DAY_MS)
  horizon.moveTo(clock.now())
  t.equal(horizon.atMs, startedAtMs + HOUR_MS, 'and nothing once it is right again')
})

t.test('after a time when nobody watched the horizon catches up', async t => {
  const clock = createFakeClock()
  const horizon = new Horizon(clock.monotonic, clock.now() - DAY_MS)

  clock.pass(DAY_MS)
  horizon.moveTo(clock.now())

  t.equal(horizon.atMs, clock.now())
  horizon.raiseTo(clock.now() - DAY_MS)
  t.equal(horizon.atMs, clock.now(), 'another process that is behind does not hold it back')
})
