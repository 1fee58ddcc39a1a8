import t from 'tap'
import { createHourly } from '../../src/lib/hourly.ts'

const HOUR_MS = 3_600_000

t.test('what happens is told the first time, and then once an hour with how often it happened', async t => {
  let nowMs = 5
  const isDue = createHourly(() => nowMs)

  t.equal(isDue('a'), 1)
  t.equal(isDue('a'), undefined)
  t.equal(isDue('b'), 1, 'each name for itself')
  nowMs += HOUR_MS - 1
  t.equal(isDue('a'), undefined)
  nowMs += 1
  t.equal(isDue('a'), 3)
  t.equal(isDue('a'), undefined)
  nowMs += 5 * HOUR_MS
  t.equal(isDue('a'), 2)
})
