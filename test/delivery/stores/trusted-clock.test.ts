import t from 'tap'
import { ExpiryWatermark, TrustedClock } from '../../../src/delivery/stores/trusted-clock.ts'
import { createFakeClock, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../fake-clock.ts'

const LEASE_MS = 15 * SECOND_MS

function watch() {
  const clock = createFakeClock()
  const time = new TrustedClock(clock.monotonic, clock.now())
  return { clock, time, look: () => time.observe(clock.now()) }
}

t.test('time is believed as far as it was watched, less the lease that may have begun before', async t => {
  const { clock, time } = watch()

  t.equal(time.trustedElapsedMs(DAY_MS, LEASE_MS), -LEASE_MS)
  clock.pass(MINUTE_MS)
  t.equal(time.trustedElapsedMs(DAY_MS, LEASE_MS), MINUTE_MS - LEASE_MS)
  t.equal(time.trustedElapsedMs(SECOND_MS, LEASE_MS), SECOND_MS, 'never more than the clock itself says')
})

t.test('a jump ahead begins the watch anew', async t => {
  const { clock, time, look } = watch()
  clock.pass(HOUR_MS)
  look()
  clock.jump(HOUR_MS)
  look()

  t.equal(time.trustedElapsedMs(HOUR_MS, LEASE_MS), -LEASE_MS)
  clock.pass(MINUTE_MS)
  look()
  t.equal(time.trustedElapsedMs(HOUR_MS, LEASE_MS), MINUTE_MS - LEASE_MS)
})

t.test('a jump back begins the watch anew, too', async t => {
  const { clock, time, look } = watch()
  clock.pass(HOUR_MS)
  clock.jump(-DAY_MS)

  t.ok(Math.abs(look() + DAY_MS) < SECOND_MS)
  t.equal(time.trustedElapsedMs(MINUTE_MS, LEASE_MS), -LEASE_MS)
  clock.pass(MINUTE_MS)
  t.equal(look(), 0)
  t.equal(time.trustedElapsedMs(MINUTE_MS, LEASE_MS), MINUTE_MS - LEASE_MS)

  clock.jump(DAY_MS)
  t.ok(Math.abs(look() - DAY_MS) < SECOND_MS)
  t.equal(time.trustedElapsedMs(MINUTE_MS, LEASE_MS), -LEASE_MS)
})

t.test('how long it has been steady is told from its last jump, ahead or back', async t => {
  const { clock, time, look } = watch()
  t.equal(time.steadyForMs(), Number.POSITIVE_INFINITY)
  for (const jumpMs of [HOUR_MS, -DAY_MS]) {
    clock.pass(HOUR_MS)
    clock.jump(jumpMs)
    look()
    t.equal(time.steadyForMs(), 0)
    clock.pass(MINUTE_MS)
    t.equal(time.steadyForMs(), MINUTE_MS)
  }
})

t.test('what a clock drifts is no jump, and many small jumps are one', async t => {
  const { clock, time, look } = watch()
  const seen = new Set<number>()
  for (let beat = 0; beat < 5 * 3600; beat++) {
    clock.pass(2 * SECOND_MS)
    clock.jump(beat % 2 === 0 ? 1 : 0)
    seen.add(look())
  }
  t.same([...seen], [0], '9 s in 10 hours')
  t.equal(time.trustedElapsedMs(MINUTE_MS, LEASE_MS), MINUTE_MS)

  for (const isJump of [false, false, true]) {
    clock.jump(SECOND_MS)
    t.equal(look() > 0, isJump)
  }
  t.equal(time.trustedElapsedMs(MINUTE_MS, LEASE_MS), -LEASE_MS)
})

t.test('an answer that comes late is no jump, and hides none that is longer than it was late', async t => {
  const { clock, time } = watch()
  clock.pass(HOUR_MS)
  const askedAtMs = clock.monotonic()
  const wallMs = clock.now()
  clock.pass(MINUTE_MS)

  t.equal(time.observe(wallMs, askedAtMs), 0, 'the process was stopped for a minute before it read the answer')
  t.equal(time.observe(clock.now()), 0)
  t.equal(time.trustedElapsedMs(MINUTE_MS, LEASE_MS), MINUTE_MS)
  t.equal(time.observe(clock.now() + 10 * MINUTE_MS, clock.monotonic() - MINUTE_MS) > 0, true)
})

t.test('the watermark follows the clock', async t => {
  const clock = createFakeClock()
  const watermark = new ExpiryWatermark(clock.monotonic, clock.now())

  clock.pass(DAY_MS)
  watermark.moveTo(clock.now())

  t.equal(watermark.atMs, clock.now())
})

t.test('a clock that is wrong for an hour costs a record an hour, however wrong it is', async t => {
  const clock = createFakeClock()
  const startedAtMs = clock.now()
  const watermark = new ExpiryWatermark(clock.monotonic, startedAtMs)

  clock.jump(365 * DAY_MS)
  watermark.moveTo(clock.now())
  t.equal(watermark.atMs, startedAtMs)
  clock.pass(HOUR_MS)
  watermark.moveTo(clock.now())
  t.equal(watermark.atMs, startedAtMs + 2 * HOUR_MS)

  clock.jump(-365 * DAY_MS)
  watermark.moveTo(clock.now())
  t.equal(watermark.atMs, startedAtMs + HOUR_MS, 'and nothing once it is right again')
})

t.test('after a time when nobody watched the watermark catches up', async t => {
  const clock = createFakeClock()
  const watermark = new ExpiryWatermark(clock.monotonic, clock.now() - DAY_MS)

  clock.pass(DAY_MS)
  watermark.moveTo(clock.now())

  t.equal(watermark.atMs, clock.now())
  watermark.raiseTo(clock.now() - DAY_MS)
  t.equal(watermark.atMs, clock.now(), 'another process that is behind does not hold it back')
})
