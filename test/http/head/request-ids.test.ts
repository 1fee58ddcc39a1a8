import t from 'tap'
import { parseTraceparent, requestIdOf } from '../../../src/http/head/request-ids.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

t.test('an id that is safe in headers and logs is taken over', async t => {
  for (const id of ['12345678', 'a'.repeat(64), '0198f0c2-7b1e-4c3a-9d55-3f8d7c1b2a10', 'A.b_c-1234'])
    t.equal(requestIdOf(id), id)
})

t.test('any other is replaced by a new one each time', async t => {
  const others = [
    undefined,
    '',
    '1234567',
    'a'.repeat(65),
    'white space',
    'line\nbreak',
    'a,b,c,d,e',
    'é'.repeat(9),
    ['12345678', '87654321']
  ]
  const ids = others.map(requestIdOf)
  for (const [index, id] of ids.entries()) {
    t.match(id, /^[A-Za-z0-9._-]{8,64}$/, JSON.stringify(others[index]))
    t.not(id, others[index])
  }
  t.equal(new Set(ids).size, ids.length)
})

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
