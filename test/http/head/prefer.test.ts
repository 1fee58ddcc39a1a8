import t from 'tap'
import { parsePrefer } from '../../../src/http/head/prefer.ts'

t.test('known preferences are read, others are ignored', async t => {
  const cases: [header: string | undefined, expected: object][] = [
    [undefined, { minimal: false }],
    ['', { minimal: false }],
    ['return=minimal', { minimal: true }],
    ['return=representation', { minimal: false }],
    ['respond-async, wait=5', { minimal: false, waitMs: 5000 }],
    ['Return="minimal", Wait=10', { minimal: true, waitMs: 10_000 }],
    ['wait=-1', { minimal: false }],
    ['wait=abc', { minimal: false }],
    ['wait=1, wait=9', { minimal: false, waitMs: 1000 }],
    ['await=5', { minimal: false }]
  ]
  for (const [header, expected] of cases) t.same(parsePrefer(header), expected, `${header}`)
})
