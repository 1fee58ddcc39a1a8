import t from 'tap'
import { parseTraceparent } from '../../../src/http/head/traceparent.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

t.test('a valid traceparent is kept as it came', async t => {
  for (const flags of ['00', '01', 'ff']) {
    const value = `00-${TRACE}-${SPAN}-${flags}`
    t.equal(parseTraceparent(value), value)
  }
})

t.test('any other is ignored', async t => {
  for (const value of [
    undefined,
    '',
    `01-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01\r\nx: y`,
    ` 00-${TRACE}-${SPAN}-01`,
    [`00-${TRACE}-${SPAN}-01`]
  ]) {
    t.equal(parseTraceparent(value), undefined, JSON.stringify(value))
  }
})
