import t from 'tap'
import { createRequestIds } from '../../../src/http/head/request-id.ts'

t.test('an id that is safe in headers and logs is taken over', async t => {
  const idOf = createRequestIds()
  for (const id of ['12345678', 'a'.repeat(64), '0198f0c2-7b1e-4c3a-9d55-3f8d7c1b2a10', 'A.b_c-1234'])
    t.equal(idOf(id), id)
})

t.test('any other is replaced by a new one each time', async t => {
  const idOf = createRequestIds()
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
  const ids = others.map(idOf)
  for (const [index, id] of ids.entries()) {
    t.match(id, /^[A-Za-z0-9._-]{8,64}$/, JSON.stringify(others[index]))
    t.not(id, others[index])
  }
  t.equal(new Set(ids).size, ids.length)
})
