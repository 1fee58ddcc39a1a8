import fc from 'fast-check'
import t from 'tap'
import { Budget } from '../../src/limits/budget.ts'
import { type Cell, freeInMs, reserve, returnUnits, total } from '../../src/limits/cells.ts'
import { LocalShare } from '../../src/limits/local-share.ts'
import type { BudgetSource, ReserveOrder } from '../../src/limits/quota-store.ts'
import { MemoryQuotas } from '../../src/limits/stores/memory.ts'
import { seedOf } from '../helpers/seed.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 10, 28)

/** A store with cells of its own, which answers a turn later, and can be away. */
function sharedSource(now: () => number, instances = 1) {
  const cells: Cell[] = []
  const source = {
    isShared: true as const,
    isAway: false,
    asked: 0,
    async reserve({ wanted, limit, force, returned }: ReserveOrder) {
      source.asked++
      if (source.isAway) throw new Error('away')
      returnUnits(cells, returned)
      return { ...reserve(cells, now(), { wanted, limit, force }), instances }
    },
    used: () => total(cells),
    cells: (): readonly Cell[] => cells
  }
  return source
}

function budgetOf(limit: number, source: BudgetSource, monotonic: () => number): Budget {
  return new Budget({ name: 'app', limit, source, monotonic, random: () => 0 })
}

t.test('in any minute no more than the budget is reserved, whatever the clock does', async t => {
  const steps = fc.array(fc.tuple(fc.oneof(fc.nat(1500), fc.nat(70_000)), fc.integer({ min: 1, max: 40 })), {
    maxLength: 200
  })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 120 }), (list, limit) => {
      const cells: Cell[] = []
      const taken: { atMs: number; units: number }[] = []
      let nowMs = START_MS
      for (const [gap, wanted] of list) {
        nowMs += gap
        const { granted, frees } = reserve(cells, nowMs, { wanted, limit })
        // Used as late as a reservation may be.
        taken.push({ atMs: nowMs + 1000, units: granted }, { atMs: nowMs, units: 0 })
        if (granted < wanted && !(freeInMs(frees, wanted - granted, limit) > 0)) return false
        const minute = taken.filter(({ atMs }) => atMs > nowMs + 1000 - MINUTE_MS && atMs <= nowMs + 1000)
        if (minute.reduce((sum, { units }) => sum + units, 0) > limit) return false
      }
      return true
    }),
    { seed: seedOf(t) }
  )
  for (const jump of [-DAY_MS, DAY_MS, -START_MS, Number.MAX_SAFE_INTEGER / 2]) {
    const cells: Cell[] = []
    t.equal(reserve(cells, START_MS, { wanted: 500, limit: 500 }).granted, 500)
    const after = reserve(cells, START_MS + jump, { wanted: 1, limit: 500 })
    if (jump < 0) t.equal(after.granted, 0, 'what counts goes on to count')
    t.equal(reserve(cells, START_MS + jump + 63_000, { wanted: 500, limit: 500 }).granted, 500, 'for a minute')
  }
})

t.test('a full budget says when so many units are free', async t => {
  const cells: Cell[] = []
  for (let second = 0; second < 10; second++) reserve(cells, START_MS + second * 1000, { wanted: 10, limit: 100 })
  const { granted, frees, used } = reserve(cells, START_MS + 10_000, { wanted: 5, limit: 100 })
  t.match({ granted, used }, { granted: 0, used: 100 })
  t.equal(freeInMs(frees, 1, 100), 52_000)
  t.equal(freeInMs(frees, 10, 100), 52_000)
  t.equal(freeInMs(frees, 11, 100), 53_000)
  t.equal(freeInMs(frees, 111, 100), 53_000 + 62_000, 'those of the next round wait for it')
  for (const when of frees)
    t.ok(reserve([...cells], START_MS + 10_000 + when.inMs, { wanted: 5, limit: 100 }).granted >= 5)
})

t.test('units are reserved some at a time, and come back when they are not used', async t => {
  let nowMs = START_MS
  const source = sharedSource(() => nowMs)
  const budget = budgetOf(1000, source, () => nowMs)
  for (let count = 0; count < 10; count++) t.match(await budget.take(1), { isAdmitted: true })
  t.equal(source.asked, 1)
  t.equal(budget.used, 10)
  const kept = await budget.take(1)
  nowMs += 1000
  await budget.take(1)
  t.equal(source.used(), 11 + 10, 'ten of the next reservation, and eleven of the first')
  if (kept.isAdmitted) budget.giveBack(1, kept.second)
  budget.note(2)
  nowMs += 1000
  await budget.take(1)
  t.equal(source.used(), 10 + 3 + 10)
})

t.test('units go back to the second they are from, and what is used is known for a minute', async t => {
  let nowMs = START_MS
  const source = sharedSource(() => nowMs)
  const budget = budgetOf(1000, source, () => nowMs)
  const first = await budget.take(1)
  t.equal(budget.used, 1, 'of the ten that are reserved')
  for (let count = 0; count < 9; count++) await budget.take(1)
  nowMs += 1000
  await budget.take(1)
  if (first.isAdmitted) budget.giveBack(1, first.second)
  nowMs += 1000
  await budget.take(1)
  t.same(
    source.cells().map(([, units]) => units),
    [9, 1, 10]
  )
  nowMs += MINUTE_MS - 1
  t.equal(budget.used, 11)
  nowMs += 1
  t.equal(budget.used, 0)
})

t.test('who waited for a slow store may use what it granted', async t => {
  let nowMs = START_MS
  const source = sharedSource(() => nowMs)
  const slow: BudgetSource = {
    isShared: true,
    reserve(order) {
      // Only the first answers come late, so that whoever would ask for ever is met here.
      if (source.asked < 5) nowMs += 1500
      return source.reserve(order)
    }
  }
  t.match(await budgetOf(100, slow, () => nowMs).take(1), { isAdmitted: true })
  t.equal(source.asked, 1)
})

t.test('callers who come in one turn ask together, and all of them get what is there', async t => {
  let nowMs = START_MS
  const source = sharedSource(() => nowMs)
  const budget = budgetOf(100, source, () => nowMs)
  const answers = await Promise.all(Array.from({ length: 150 }, () => budget.take(1)))
  t.equal(answers.filter(({ isAdmitted }) => isAdmitted).length, 100)
  t.ok(source.asked <= 4, `${source.asked} questions`)
  const waits = answers.flatMap(answer => (answer.isAdmitted ? [] : [answer.retryAfterMs]))
  t.same(new Set(waits), new Set([62_000]))
  nowMs += 62_000
  const again = await Promise.all(Array.from({ length: 50 }, () => budget.take(1)))
  t.ok(
    again.every(({ isAdmitted }) => isAdmitted),
    'they find what they were told'
  )
})

t.test('a budget of one process alone is exact', async t => {
  let nowMs = START_MS
  const budget = budgetOf(20_000, new MemoryQuotas(() => nowMs), () => nowMs)
  for (let count = 0; count < 20_000; count++) await budget.take(1)
  t.match(budget.take(1), { isAdmitted: false, retryAfterMs: 62_000 }, 'at once')
  t.equal(budget.used, 20_000)
  nowMs += 62_001
  t.match(budget.take(1), { isAdmitted: true })
})

t.test('with the store away instances take their part and no more, at once', async t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 8, max: 500 }),
      fc.array(fc.nat(900), { minLength: 1, maxLength: 60 }),
      (instances, limit, gaps) => {
        const shares = Array.from({ length: instances }, () => new LocalShare())
        const used = Math.floor(limit / 3)
        for (const share of shares) share.note(START_MS, used, instances)
        let nowMs = START_MS
        let taken = 0
        for (const gap of gaps) {
          nowMs += gap
          for (const share of shares) taken += share.take(nowMs, 1 + (gap % 3), limit)
        }
        return taken <= limit
      }
    ),
    { seed: seedOf(t) }
  )
  let nowMs = START_MS
  const source = sharedSource(() => nowMs, 4)
  const budget = budgetOf(400, source, () => nowMs)
  await budget.take(1)
  source.isAway = true
  nowMs += MINUTE_MS
  const answers = await Promise.all(Array.from({ length: 300 }, () => budget.take(1)))
  t.equal(answers.filter(({ isAdmitted }) => isAdmitted).length, 50, 'a quarter of the half for each of four')
  source.isAway = false
  nowMs += 1001
  t.match(await budget.take(1), { isAdmitted: true })
})

t.test('whenever the store goes away, instances take no more than half as much again in any minute', async t => {
  const gaps = fc.array(fc.tuple(fc.oneof(fc.nat(300), fc.nat(9000)), fc.integer({ min: 1, max: 40 })), {
    minLength: 20,
    maxLength: 80
  })
  let most = 0
  await fc.assert(
    fc.asyncProperty(
      gaps,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 40, max: 600 }),
      fc.nat(100),
      async (list, count, limit, partBefore) => {
        let nowMs = START_MS
        const source = sharedSource(() => nowMs, count)
        const instances = Array.from({ length: count }, () => budgetOf(limit, source, () => nowMs))
        for (const instance of instances) instance.beat()
        await Promise.resolve()
        const taken: number[] = []
        for (const [index, [gap, wanted]] of list.entries()) {
          nowMs += gap
          source.isAway = index * 100 >= list.length * partBefore
          const asked = instances.flatMap(instance => Array.from({ length: wanted }, () => instance.take(1)))
          for (const { isAdmitted } of await Promise.all(asked)) if (isAdmitted) taken.push(nowMs)
        }
        const inMinute = taken.map((from, index) => taken.slice(index).filter(at => at < from + MINUTE_MS).length)
        most = Math.max(most, ...inMinute.map(inThat => inThat / limit))
        return inMinute.every(inThat => inThat <= 1.5 * limit)
      }
    ),
    { seed: seedOf(t), numRuns: 60, endOnFailure: true }
  )
  t.ok(most > 1, `at the most ${most.toFixed(2)} × the limit`)
})

t.test('what one instance took since the others last heard of it counts all the same', async t => {
  const nowMs = START_MS
  const source = sharedSource(() => nowMs, 4)
  const [first, ...others] = Array.from({ length: 4 }, () => budgetOf(400, source, () => nowMs))
  for (const instance of others) instance.beat()
  await Promise.resolve()
  const admitted = async (instance: Budget | undefined) =>
    (await Promise.all(Array.from({ length: 400 }, () => instance?.take(1)))).filter(answer => answer?.isAdmitted)
      .length
  t.equal(await admitted(first), 400)
  source.isAway = true
  const alone = await Promise.all(others.map(admitted))
  t.same(alone, [50, 50, 50], 'no more than half of the limit for all of them')
})
