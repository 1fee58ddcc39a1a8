// The gate against a simulated CometChat, in virtual time: what the limits promise together.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createRandom } from '../../../emulator/random.ts'
import { seedOf } from '../../helpers/seed.ts'
import { type Behaviour, type Call, createWorld, post, READ, tally, type World } from './simulation.ts'

const seed = seedOf(t)
const DEADLINE_MS = 10_000
/** So many answers at once, each after so long; what comes besides waits inside CometChat. */
const places =
  (count: number, tookMs: number): Behaviour =>
  underWay => ({ afterMs: tookMs * Math.max(1, underWay / count) })
/** Gets slower with the square of what it is asked at once. */
const thrashing =
  (best: number, tookMs: number): Behaviour =>
  underWay => ({ afterMs: tookMs * (1 + (underWay / best) ** 2) })
const never: Behaviour = () => 'never'
const refuses: Behaviour = () => 'refuses'

const perSecond = (count: number, fromMs: number, toMs: number): number => (count * 1000) / (toMs - fromMs)
const latencies = (calls: readonly Call[]): number[] => calls.map(call => call.endMs - call.atMs).sort((a, b) => a - b)
const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? 0

/** What must be true of every call, whatever happened. */
function isTrue(t: Test, world: World): void {
  const { untrue, unfinished } = tally(world)
  t.equal(untrue, 0, 'nothing that was written is called not-sent')
  t.equal(unfinished, 0, 'every call has an outcome')
  const hasTime = world.cometchat.written.every(({ leftMs, reserveMs }) => leftMs >= reserveMs)
  t.ok(hasTime, 'nothing is written with less of its time left than the recent p99')
}

for (const [name, behaviour, peak] of [
  ['has 5 places', places(5, 50), 100],
  ['has 15 places and is slow', places(15, 300), 50],
  ['thrashes', thrashing(20, 100), 100]
] as const) {
  for (const times of [2, 5, 10]) {
    t.test(`a CometChat that ${name} answers at ${times} times its load at least 90 % of its best`, async t => {
      const world = createWorld(createRandom(seed), behaviour)
      await world.offer(peak * times, 15_000)
      await world.time.runUntil(30_000)

      const { answered, inDoubt, notSent } = tally(world, 5000, 15_000)
      t.ok(perSecond(answered, 5000, 15_000) >= 0.9 * peak, `${perSecond(answered, 5000, 15_000)} of ${peak} a second`)
      t.equal(inDoubt, 0, 'and leaves nothing in doubt')
      t.ok(p99(latencies(notSent)) <= 50, `what is refused hears of it within ${p99(latencies(notSent))} ms`)
      t.same(world.refusals.size > 0 && [...world.refusals.keys()], ['upstream-queue'])
      isTrue(t, world)
    })
  }
}

t.test(
  'a CometChat that hangs for a minute is asked little, and after its return nearly everything is served again',
  async t => {
    const load = 150
    const world = createWorld(createRandom(seed), places(16, 100))
    await world.offer(load, 10_000)
    world.cometchat.behaviour = never
    await world.offer(10 * load, 20_000)
    const wasAsked = world.cometchat.written.length
    await world.offer(10 * load, 40_000)
    const probes = world.cometchat.written.slice(wasAsked).map(({ request }) => request)
    world.cometchat.behaviour = places(16, 100)
    await world.offer(load, 10_000)
    await world.time.runUntil(100_000)

    const back = tally(world, 75_000, 80_000)
    const served = back.answered / (back.answered + back.notSent.length + back.inDoubt)
    t.ok(served >= 0.95, `${served} of what is asked five seconds after its return`)
    const inHang = tally(world, 10_000, 70_000)
    t.ok(inHang.inDoubt <= 128, `${inHang.inDoubt} were written before anybody could know`)
    t.ok(p99(latencies(inHang.notSent)) <= 50, `refused within ${p99(latencies(inHang.notSent))} ms`)
    t.ok(
      probes.every(({ method }) => method === 'GET'),
      'only reads look whether it is back'
    )
    t.ok(probes.length >= 10 && probes.length <= 45, `${probes.length} of them in 40 s`)
    isTrue(t, world)
  }
)

t.test('a CometChat that hangs while few call leaves eight in doubt, and no more', async t => {
  const world = createWorld(createRandom(seed), places(64, 50))
  await world.offer(2, 10_000)
  world.cometchat.behaviour = never
  await world.offer(2, 120_000)
  await world.time.runUntil(150_000)
  const { inDoubt } = tally(world)
  // Two a second, until the first deadlines pass and eight of them have.
  t.ok(inDoubt >= 8 && inDoubt <= 2 * (DEADLINE_MS / 1000) + 16, `${inDoubt}`)
  isTrue(t, world)
})

t.test(
  'a CometChat without connections is looked for by one read at a time, and its callers hear of it at once',
  async t => {
    const world = createWorld(createRandom(seed), refuses)
    await world.offer(50, 10_000)
    const refused = tally(world, 1000, 10_000).notSent
    t.equal(p99(latencies(refused)), 0)
    for (const { outcome } of refused) t.match(outcome, { cause: 'unreachable', limit: { policy: 'upstream-breaker' } })
    world.cometchat.behaviour = places(64, 50)
    const backAtMs = world.time.monotonic()
    await world.offer(50, 5000)
    await world.time.runUntil(30_000)
    const first = world.calls.find(({ atMs, outcome }) => atMs >= backAtMs && outcome?.kind === 'answer')
    t.ok((first?.endMs ?? Number.NaN) - backAtMs < 1000, 'it is found within a second')
    t.equal(tally(world, backAtMs + 1000).notSent.length, 0, 'and then nobody is refused')
    isTrue(t, world)
  }
)

t.test('who calls first after an outage waits for the read that finds its end, and is served', async t => {
  const world = createWorld(createRandom(seed), refuses)
  for (let count = 0; count < 8; count++) world.call(post(), DEADLINE_MS)
  await world.time.runUntil(60_000)
  world.cometchat.behaviour = places(64, 50)
  const [first, second] = [world.call(post(), DEADLINE_MS), world.call(post(), DEADLINE_MS)]
  await world.time.runUntil(70_000)
  t.match(first.outcome, { kind: 'answer' })
  t.equal(first.endMs - first.atMs, 100, 'one read, one post')
  t.match(second.outcome, { kind: 'failure', sent: false, cause: 'unreachable' })
  t.same(world.cometchat.written[0]?.request, READ)
})

t.test('a CometChat that fails most of what it is sent is sent less, and after that everything again', async t => {
  let count = 0
  const failing: Behaviour = () => ({ afterMs: 50, status: ++count % 10 === 0 ? 200 : 503 })
  const world = createWorld(createRandom(seed), failing)
  await world.offer(200, 20_000)
  const { notSent, inDoubt } = tally(world, 10_000, 20_000)
  t.ok(notSent.length > inDoubt, `${notSent.length} not sent, ${inDoubt} in doubt`)
  t.ok(world.refusals.has('upstream-throttle'))
  world.cometchat.behaviour = places(64, 50)
  await world.offer(200, 20_000)
  await world.time.runUntil(60_000)
  t.equal(tally(world, 35_000, 40_000).notSent.length, 0)
  isTrue(t, world)
})

t.test('a burst that fits into the time of its callers is served whole', async t => {
  const world = createWorld(createRandom(seed), places(128, 200))
  const calls = Array.from({ length: 1500 }, () => world.call(post(), DEADLINE_MS))
  await world.time.runUntil(30_000)
  t.equal(calls.filter(({ outcome }) => outcome?.kind === 'answer').length, calls.length)
  t.equal(world.refusals.size, 0)
})

t.test('who has too little time is not written to, whatever the line is', async t => {
  const world = createWorld(createRandom(seed), places(64, 800))
  await world.offer(20, 5000)
  const hasty = world.call(post(), 500)
  await world.time.runUntil(20_000)
  t.match(hasty.outcome, { kind: 'failure', cause: 'overloaded', sent: false, limit: { policy: 'upstream-time' } })
  isTrue(t, world)
})

t.test('where answers take nearly as long as callers wait, they are written to all the same', async t => {
  const world = createWorld(createRandom(seed), places(64, 900), { maxReserveMs: 500 })
  await world.offer(20, 20_000, 950)
  await world.time.runUntil(30_000)
  t.equal(tally(world).notSent.length, 0)
})

t.test('who leaves while they wait are not written to', async t => {
  const world = createWorld(createRandom(seed), places(16, 1000))
  for (let count = 0; count < 16; count++) world.call(post(), DEADLINE_MS)
  let isThere = true
  const gone = world.gate.exchange(post(), { timeoutMs: DEADLINE_MS, shouldSend: () => isThere })
  await world.time.runUntil(50)
  isThere = false
  await world.time.runUntil(200)
  t.match(await gone, { cause: 'client-closed', sent: false })
  t.equal(world.cometchat.written.length, 16)
})

t.test('where limits only observe, everything is written and what would be refused is counted', async t => {
  const world = createWorld(createRandom(seed), places(5, 50), { mode: 'observe' })
  await world.offer(1000, 3000)
  await world.time.runUntil(60_000)
  t.equal(tally(world).notSent.length, 0)
  t.equal(world.cometchat.written.length, world.calls.length)
  t.ok((world.refusals.get('upstream-queue') ?? 0) > 100)

  const off = createWorld(createRandom(seed), places(5, 50), { mode: 'off' })
  await off.offer(1000, 3000)
  await off.time.runUntil(60_000)
  t.equal(off.cometchat.written.length, off.calls.length)
  t.equal(off.refusals.size, 0)
})

t.test('whatever CometChat does, every call ends, and what is called not sent was not written', async () => {
  const behaviours = [
    places(4, 20),
    places(64, 300),
    thrashing(20, 50),
    never,
    refuses,
    () => ({ afterMs: 30, status: 503 })
  ]
  const phase = fc.record({
    behaviour: fc.constantFrom(...behaviours),
    perSecond: fc.integer({ min: 1, max: 400 }),
    forMs: fc.integer({ min: 100, max: 4000 }),
    deadlineMs: fc.constantFrom(300, 1000, 3000)
  })
  await fc.assert(
    fc.asyncProperty(fc.array(phase, { minLength: 1, maxLength: 6 }), fc.integer(), async (phases, ownSeed) => {
      const world = createWorld(createRandom(ownSeed), never)
      for (const { behaviour, perSecond, forMs, deadlineMs } of phases) {
        world.cometchat.behaviour = behaviour
        await world.offer(perSecond, forMs, deadlineMs)
      }
      await world.time.runUntil(world.time.monotonic() + 5000)
      const { untrue, unfinished } = tally(world)
      const { inFlight, waiting } = world.gate.state()
      const hadTime = world.cometchat.written.every(({ leftMs, reserveMs }) => leftMs >= reserveMs)
      return untrue === 0 && unfinished === 0 && inFlight === 0 && waiting === 0 && hadTime
    }),
    { seed, numRuns: 25 }
  )
})

t.test('what a call would be refused with is told before it is made, and an outage lets the probe through', async t => {
  const world = createWorld(createRandom(seed), never, { bounds: { floor: 8, ceiling: 8, initial: 8 } })
  const { gate, time } = world
  t.equal(gate.refusalAhead(DEADLINE_MS), undefined)
  for (let count = 0; count < 8; count++) world.call(post(), DEADLINE_MS)
  await time.runUntil(9000)
  t.match(gate.refusalAhead(DEADLINE_MS), { sent: false, limit: { policy: 'upstream-queue' } }, 'nothing moves')
  await time.runUntil(10_001)
  t.match(gate.refusalAhead(DEADLINE_MS), { sent: false, limit: { policy: 'upstream-breaker' } })
  await time.runUntil(11_000)
  t.equal(gate.refusalAhead(DEADLINE_MS), undefined, 'somebody has to look')
  world.call(post(), DEADLINE_MS)
  await time.runUntil(11_100)
  t.match(gate.refusalAhead(DEADLINE_MS), { limit: { policy: 'upstream-breaker' } }, 'one at a time')
})

t.test('whoever has pages read that are too large makes CometChat look well to everybody else', async t => {
  const world = createWorld(createRandom(seed), places(64, 50))
  for (const errorCode of ['ANSWER_TOO_LARGE', 'NO_ROOM_FOR_ANSWER']) {
    const outcome = { kind: 'failure', cause: 'unreadable', sent: true, errorCode } as const
    for (let count = 0; count < 500; count++) world.gate.onOutcome(outcome, 50)
  }
  await world.offer(50, 5000)
  await world.time.runUntil(20_000)
  t.same(tally(world, 0, 5000).notSent, [])
})
