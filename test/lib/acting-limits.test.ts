import t from 'tap'
import { ActingLimits } from '../../src/lib/service/acting-limits.ts'

function createLimits() {
  let nowMs = 5_000_000
  const told: (readonly [string, number, boolean])[] = []
  const limits = new ActingLimits<string>({ monotonic: () => nowMs, tell: (...line) => void told.push(line) })
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { limits, told, pass }
}

t.test('a limit is told of at once, and then at most once a minute with what came in between', async t => {
  const { limits, told, pass } = createLimits()
  limits.note('user')
  for (let count = 0; count < 59; count++) {
    pass(1000)
    limits.note('user')
  }
  t.same(told, [['user', 1, true]])
  pass(1000)
  limits.note('user')
  t.same(told[1], ['user', 60, true], 'all of them are counted once')
  limits.note('app', false)
  t.same(told[2], ['app', 1, false], 'each limit by itself')
})

t.test('a limit is listed for ten seconds after its last refusal', async t => {
  const { limits, pass } = createLimits()
  t.same(limits.warnings(), [])
  limits.note('user')
  pass(5000)
  limits.note('app', false)
  t.same(limits.warnings(), ['limit: user', 'limit-observed: app'])
  pass(4999)
  t.same(limits.warnings(), ['limit: user', 'limit-observed: app'])
  pass(1)
  t.same(limits.warnings(), ['limit-observed: app'])
  pass(5000)
  t.same(limits.warnings(), [])
})
