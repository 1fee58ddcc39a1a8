import t from 'tap'
import { brokenRule, claimAt, nameIn, parseClaimRules, textsIn } from '../../src/lib/claims.ts'

const isKept = (rules: string, claims: object): boolean =>
  brokenRule(parseClaimRules(rules), claims as Record<string, unknown>) === undefined

t.test('a claim is found by its whole name first, and by a path through objects second', async t => {
  const claims = JSON.parse(`{
    "https://acme.example/uid": "whole", "a.b": "whole", "a": { "b": "path", "c": { "d": 7 } },
    "https://x.example/claims": { "id": 42, "deep": { "er": "y" } }, "list": ["x"], "text": "abc", "nothing": null, "__proto__": { "own": "mine" }
  }`)
  const found: Record<string, unknown> = {
    'https://acme.example/uid': 'whole',
    'a.b': 'whole',
    'a.c.d': 7,
    'a.x': undefined,
    'a.b.c': undefined,
    'text.length': undefined,
    'list.0': undefined,
    'list.length': undefined,
    'nothing.x': undefined,
    constructor: undefined,
    'a.constructor': undefined,
    'a.__proto__.toString': undefined,
    'a.': undefined,
    '.a': undefined,
    '.': undefined,
    'https://x.example/claims.id': 42,
    'https://x.example/claims.deep.er': 'y',
    'https://x.example/claims.toString': undefined,
    'https://x.example/other.id': undefined,
    '__proto__.own': 'mine',
    '__proto__.toString': undefined
  }
  for (const [name, value] of Object.entries(found)) t.equal(claimAt(claims, name), value, name)
})

t.test('a text and a whole number that was not rounded are names; nothing else is', async t => {
  t.same(['alice', ' ', 42, 0, -7].map(nameIn), ['alice', ' ', '42', '0', '-7'])
  for (const odd of ['', undefined, null, true, [], ['alice'], {}, 1.5, 2 ** 53, -0, Number.NaN, 1n]) {
    t.equal(nameIn(odd), undefined, String(odd))
  }
})

t.test('what a claim holds is compared as text, whatever it holds it in', async t => {
  t.same(textsIn('a'), ['a'])
  t.same(textsIn([1, 'b', true, 1.5, null, {}, ['c'], '']), ['1', 'b', 'true', '1.5'])
  for (const none of [undefined, null, '', [], {}, 2 ** 53]) t.same(textsIn(none), [], String(none))
})

t.test('a rule is kept by what it says, and broken by everything else', async t => {
  const cases: [rules: string, kept: object[], broken: object[]][] = [
    [
      'azp=a',
      [{ azp: 'a' }, { azp: ['b', 'a'] }],
      [{}, { azp: 'A' }, { azp: 'ab' }, { azp: null }, { azp: { a: 'a' } }]
    ],
    ['azp=a|b', [{ azp: 'a' }, { azp: 'b' }], [{ azp: 'a|b' }, { azp: 'c' }, { azp: [] }]],
    [
      'n=42,b=false',
      [
        { n: 42, b: false },
        { n: '42', b: 'false' }
      ],
      [{ n: 42 }, { n: 42, b: true }, { n: 4.2, b: false }]
    ],
    ['sid', [{ sid: 'x' }, { sid: 0 }, { sid: false }, { sid: {} }], [{}, { sid: null }, { sid: '' }, { sid: [] }]],
    ['!sts=pending', [{}, { sts: 'active' }, { sts: null }], [{ sts: 'pending' }, { sts: ['active', 'pending'] }]],
    ['!act', [{}, { act: null }, { act: '' }, { act: [] }], [{ act: { sub: 'x' } }, { act: 'x' }, { act: false }]],
    [
      'm.plan=pro',
      [{ m: { plan: 'pro' } }, { 'm.plan': 'pro' }],
      [{ m: 'pro' }, { m: [{ plan: 'pro' }] }, { plan: 'pro' }]
    ],
    ['https://a.example/x=a=b', [{ 'https://a.example/x': 'a=b' }], [{ 'https://a.example/x': 'a' }]],
    [' a=1 , b = 2 '.replaceAll(' = ', '='), [{ a: '1', b: 2 }], [{ a: 1 }]]
  ]
  for (const [rules, kept, broken] of cases) {
    for (const claims of kept) t.ok(isKept(rules, claims), `${rules} is kept by ${JSON.stringify(claims)}`)
    for (const claims of broken) t.notOk(isKept(rules, claims), `${rules} is broken by ${JSON.stringify(claims)}`)
  }
})

t.test('what is no rule is refused by its place, and nothing of it is shown', async t => {
  const mistakes: Record<string, RegExp> = {
    '': /item 1/,
    'a,': /item 2/,
    'canary=': /empty value in item 1/,
    'a=1,canary=x|': /empty value in item 2/,
    'canary=|x': /empty value/,
    '=canary': /item 1/,
    '!': /item 1/,
    '!!canary': /item 1/,
    'ca nary': /item 1/,
    'canary|b=1': /no = in item 1/,
    'canary,!canary': /demands and forbids/,
    'canary=a,!canary=a|b': /demands and forbids/,
    [Array(33).fill('canary').join(',')]: /at most 32/
  }
  for (const [text, message] of Object.entries(mistakes)) {
    t.throws(() => parseClaimRules(text), { name: 'SyntaxError', message }, text)
    try {
      parseClaimRules(text)
    } catch (error) {
      t.notMatch(String(error), 'canary', `${text}: no value`)
    }
  }
  t.ok(parseClaimRules('a=a|b,!a=a'), 'b is left')
})
