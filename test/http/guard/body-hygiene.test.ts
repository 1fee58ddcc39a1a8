import t from 'tap'
import { hygieneViolations, MAX_DEPTH, MAX_ENTRIES } from '../../../src/http/guard/body-hygiene.ts'
import { MAX_VIOLATIONS } from '../../../src/lib/refusals/violations.ts'

const parse = (text: string): unknown => JSON.parse(text)
const nested = (depth: number, inner = ''): string => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`
const list = (length: number): number[] => Array.from({ length }, () => 0)
const found = (body: unknown, freeForm?: readonly string[]): string[] =>
  hygieneViolations(body, () => freeForm ?? []).map(({ code, pointer }) => `${code} ${pointer}`)

t.test('each fault is found where it stands', async t => {
  for (const [body, expected] of [
    ['"\\ud800"', ['wrong-format ']],
    ['{"a":["\\udfff"]}', ['wrong-format /a/0']],
    ['9007199254740992', ['out-of-range ']],
    ['{"a":{"b":-9007199254740993}}', ['out-of-range /a/b']],
    ['[1e400,-1e400]', ['out-of-range /0', 'out-of-range /1']],
    ['{"__proto__":1}', ['not-allowed ']],
    ['{"a":[{"__proto__":"\\ud800"}]}', ['not-allowed /a/0', 'wrong-format /a/0/__proto__']],
    ['{"\\ud800":9007199254740992}', ['not-allowed ', 'out-of-range ']],
    ['{"a b":"\\ud800"}', ['wrong-format '], 'a name that should not be repeated is pointed at by its parent'],
    [`{"a":${nested(MAX_DEPTH)}}`, ['too-deep ']],
    [nested(100_000), ['too-deep ']]
  ] as const) {
    t.same(found(parse(body)), expected, body.slice(0, 50))
  }
})

t.test('what is fine passes', async t => {
  for (const body of [
    'null',
    'true',
    '""',
    '"\\ud83d\\ude00"',
    '9007199254740991',
    '-9007199254740991',
    '[0.1,-1.5e-3,-0,1e-400]',
    '{"constructor":{"prototype":{}},"toString":1}',
    nested(MAX_DEPTH),
    nested(MAX_DEPTH, '"x"')
  ]) {
    t.same(found(parse(body)), [], body.slice(0, 50))
  }
  t.same(found(undefined), [], 'a request without a body')
})

t.test('a crowd is refused as one, and nothing in it is looked at', async t => {
  const members = (length: number) => Object.fromEntries(list(length).map((_, index) => [`m${index}`, '\ud800']))

  t.same(found({ a: list(MAX_ENTRIES) }), [])
  t.same(found({ a: list(MAX_ENTRIES + 1) }), ['too-many /a'])
  t.same(found(list(MAX_ENTRIES + 1)), ['too-many '])
  t.same(found({ a: [{ b: members(MAX_ENTRIES + 1) }] }), ['too-many /a/0/b'])
})

t.test('below a free-form pointer there may be any number of entries, and every other rule holds', async t => {
  const freeForm = ['/data/own']

  t.same(found({ data: { own: list(5000) } }, freeForm), [])
  t.same(found({ data: { own: { a: [list(5000)] } } }, freeForm), [])
  t.same(found({ data: { owner: list(5000) } }, freeForm), ['too-many /data/owner'])
  t.same(found({ data: { own: [...list(5000), '\ud800'] } }, freeForm), ['wrong-format /data/own/5000'])
})

t.test('twenty faults are enough', async t => {
  t.equal(hygieneViolations(Array.from({ length: 1000 }, () => '\ud800')).length, 20)
})

t.test('no more violations are listed than an answer shows, in lists and in objects', async t => {
  const faults = Array.from({ length: MAX_VIOLATIONS + 5 }, () => '\ud800')

  t.equal(found(faults).length, MAX_VIOLATIONS)
  t.equal(found({ ...faults }).length, MAX_VIOLATIONS)
})
