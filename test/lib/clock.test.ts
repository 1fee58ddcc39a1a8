// A time-out counts the time in which this process could have read an answer.
import t from 'tap'
import { awakeTimeout } from '../../src/lib/clock.ts'
import { until } from '../helpers/until.ts'

/** As a process that is held up: its timers are due before it has looked at its sockets. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

t.test('a process that stood still for longer than a time-out has time left afterwards', async t => {
  const ends: number[] = []
  const beganAtMs = performance.now()
  awakeTimeout(400, () => void ends.push(performance.now()))
  standStill(600)
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  t.same(ends, [])
  await until(() => ends.length > 0)
  t.ok((ends[0] ?? 0) - beganAtMs >= 890, 'three of its four parts')
})

t.test('it ends once, after all of its time, and not where it was ended before', async t => {
  let wasEnded = 0
  const beganAtMs = performance.now()
  awakeTimeout(80, () => wasEnded++)()
  const ends: number[] = []
  awakeTimeout(80, () => void ends.push(performance.now()))
  await until(() => ends.length > 0)
  t.ok((ends[0] ?? 0) - beganAtMs >= 76, 'a timer may fire a little early')
  await new Promise(resolve => awakeTimeout(80, () => resolve(undefined)))
  t.same([wasEnded, ends.length], [0, 1])
})
