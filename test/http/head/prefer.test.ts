import t from 'tap'
import { parsePrefer } from '../../../src/http/head/prefer.ts'
import { fastestMs } from '../../helpers/fastest.ts'

const NOTHING = { minimal: false, explain: false }
const EXPLAIN = { minimal: false, explain: true }

t.test('known preferences are read, others are ignored', async t => {
  const cases: [header: string | undefined, expected: object][] = [
    [undefined, NOTHING],
    ['', NOTHING],
    [',, ;,', NOTHING],
    ['return=minimal', { ...NOTHING, minimal: true }],
    ['return=representation', NOTHING],
    ['return=representation, return=minimal', NOTHING],
    ['return=other, return=minimal', { ...NOTHING, minimal: true }],
    ['respond-async, wait=5', { ...NOTHING, waitMs: 5000 }],
    ['Return="minimal", Wait=10', { minimal: true, explain: false, waitMs: 10_000 }],
    ['return=minimal; wait=5', { minimal: true, explain: false, waitMs: 5000 }],
    ['wait=-1', NOTHING],
    ['wait=abc', NOTHING],
    ['wait=abc, wait=5', { ...NOTHING, waitMs: 5000 }],
    ['wait=1, wait=9', { ...NOTHING, waitMs: 1000 }],
    ['await=5', NOTHING],
    ['foo;return=minimal', NOTHING],
    ['foo="wait=5, return=minimal"', NOTHING]
  ]
  for (const [header, expected] of cases) t.same(parsePrefer(header), expected, `${header}`)
})

t.test('handling=explain is found however RFC 7240 lets it be written', async t => {
  for (const header of [
    'handling=explain',
    'Handling=Explain',
    'HANDLING = "EXPLAIN"',
    '\thandling\t=\texplain ',
    'handling="ex\\plain"',
    'handling=explain;level=2',
    'handling=explain; level="a, b; c"; x',
    'wait=5, handling=explain',
    'foo="a\\"b, c", handling=explain',
    'foo="";bar, ,handling=explain,',
    'handling=strict, handling=explain',
    'handling=lenient,handling=other,handling=explain'
  ]) {
    t.match(parsePrefer(header), { explain: true }, header)
  }
  t.same(parsePrefer('return=minimal; handling=explain'), { ...EXPLAIN, minimal: true }, 'also behind a semicolon')
})

t.test('what only looks like it is ignored, as is every other way of handling', async t => {
  for (const header of [
    'handling',
    'handling=',
    'handling=""',
    'handling=strict',
    'handling=lenient',
    'handling=explained',
    'handling="explain',
    'handling="explain" x',
    'handling=explain=yes',
    'handling==explain',
    'handling explain',
    'xhandling=explain',
    'foo="handling=explain"',
    'foo="a, handling=explain, b"',
    'foo="\\", handling=explain"',
    'explain',
    'foo=explain'
  ]) {
    t.same(parsePrefer(header), NOTHING, header)
  }
})

t.test('a header as long as a head may be is read in a moment', async t => {
  for (const piece of ['"', '"\\', 'a=', '=', 'handling=explain;', '\t', ' ,', 'a ']) {
    const leastMs = await fastestMs(() => parsePrefer(piece.repeat(16_384 / piece.length)))
    t.ok(leastMs < 200, JSON.stringify(piece))
  }
})
