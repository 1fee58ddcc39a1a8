// How long a client waits, and how often it may: the figures of AWS's SDKs (November 2026), each by itself.
import t from 'tap'
import { BUDGET, floorMs, giveBack, jitterMs } from '../../packages/client/src/back-off.ts'
import { problemOf } from '../../packages/client/src/exchange.ts'
import type { Problem } from '../../packages/client/src/problems.ts'

const transient = problemOf('no-answer')
const throttled = problemOf('rate-limited')
const LONGEST_MS = 20_000

/** As a client begins. */
function createBackOff(random: () => number) {
  const core = { random, budget: BUDGET }
  return {
    jitterMs: (problem: Problem, tries: number) => jitterMs(core, problem, tries),
    onSuccess: (problem: Problem | undefined) => giveBack(core, problem)
  }
}

/** The longest that it can wait after so many tries: chance gives all there is. */
const longestMs = (problem = transient, tries = 0): number => createBackOff(() => 1).jitterMs(problem, tries)

t.test('a wait is anything up to 50 ms doubled with each try, and 20 s at most', t => {
  t.same(
    [0, 1, 2, 8, 9, 1000].map(tries => longestMs(transient, tries)),
    [50, 100, 200, 12_800, LONGEST_MS, LONGEST_MS]
  )
  t.equal(createBackOff(() => 0).jitterMs(transient, 9), 0, 'full jitter begins at nothing')
  t.equal(createBackOff(() => 0.25).jitterMs(transient, 1), 25)
  t.end()
})

t.test('where too much was asked for it begins at 1 s', t => {
  for (const problem of [throttled, problemOf('overloaded')]) {
    t.same(
      [0, 1, 4, 5].map(tries => longestMs(problem, tries)),
      [1000, 2000, 16_000, LONGEST_MS]
    )
  }
  t.end()
})

/** One that has made so many retries, each without a wait. */
function createSpent(problem: Problem, retries: number, random = () => 0) {
  const backOff = createBackOff(random)
  for (let retry = 0; retry < retries; retry++) backOff.jitterMs(problem, 0)
  return backOff
}

for (const [problem, retries] of [
  [transient, 35],
  [throttled, 100]
] as const) {
  t.test(`after ${retries} retries for ${problem.code} a wait is 20 to 40 s, and costs nothing`, t => {
    const half = () => 0.5
    t.ok(createSpent(problem, retries - 1, half).jitterMs(problem, 0) <= 500)
    const spent = createSpent(problem, retries, half)
    t.same([spent.jitterMs(problem, 0), spent.jitterMs(problem, 0)], [1.5 * LONGEST_MS, 1.5 * LONGEST_MS])
    t.end()
  })
}

/** Of `problem` once more, and then another one. */
const twoMore = (backOff: ReturnType<typeof createBackOff>, problem: Problem): readonly number[] => [
  backOff.jitterMs(problem, 0),
  backOff.jitterMs(problem, 0)
]

t.test('a success gives back what its last retry cost, and never more than 500 are there', t => {
  for (const [problem, retries] of [
    [transient, 35],
    [throttled, 100]
  ] as const) {
    const backOff = createSpent(problem, retries)
    backOff.onSuccess(problem)
    t.same(twoMore(backOff, problem), [0, LONGEST_MS], problem.code)
  }
  const full = createBackOff(() => 0)
  full.onSuccess(transient)
  for (let retry = 0; retry < 35; retry++) t.equal(full.jitterMs(transient, 0), 0)
  t.equal(full.jitterMs(transient, 0), LONGEST_MS)
  t.end()
})

t.test('a success without a retry gives back 1', t => {
  // 10 are left of 500, and a retry costs 14.
  const backOff = createSpent(transient, 35)
  for (let success = 0; success < 3; success++) backOff.onSuccess(undefined)
  t.equal(backOff.jitterMs(transient, 0), LONGEST_MS, '13')
  backOff.onSuccess(undefined)
  t.same(twoMore(backOff, transient), [0, LONGEST_MS], '14')
  t.end()
})

t.test('what the service asks for is a floor, of 50 minutes at most: a key is looked at before it is forgotten', t => {
  const asked = (retryAfterMs: number): number => floorMs(problemOf('rate-limited', { retryAfterMs }))
  t.same([asked(0), asked(30_000), asked(86_400_000), floorMs(transient)], [0, 30_000, 3_000_000, 0])
  t.end()
})
