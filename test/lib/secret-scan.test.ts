import { randomBytes } from 'node:crypto'
import t from 'tap'
import { MIN_SECRET_CHARACTERS, SecretScan } from '../../src/lib/tripwire/secret-scan.ts'
import { formsOf } from '../helpers/leaks.ts'

const KEY = '0c1f5e6a7b8d9e0f1a2b3c4d5e6f708192a3b4c5'
/** As long as one must be to be looked for, and of signs that JSON, URLs and regular expressions write otherwise. */
const ODD = 'aB"c\\d+e/f%g$h(i'
const scan = new SecretScan([
  ['KEY', KEY],
  ['ODD', ODD]
])

const escaped = (secret: string, write: (code: string) => string): string =>
  Array.from(Buffer.from(secret), byte => write(byte.toString(16).padStart(2, '0'))).join('')

t.test('every form of a secret is found and cut out, wherever in a text it is', async t => {
  for (const [name, secret] of [
    ['KEY', KEY],
    ['ODD', ODD]
  ] as const) {
    const { reversed: _, ...forms } = formsOf(secret)
    for (const [form, spelled] of Object.entries(forms)) {
      const missed: number[] = []
      for (let offset = 0; offset < 120; offset++) {
        const { text, found } = scan.cut(`${'.'.repeat(offset)}${spelled}${'-'.repeat(offset % 7)}`)
        const isRight = text === `${'.'.repeat(offset)}[removed]${'-'.repeat(offset % 7)}`
        if (!isRight || found.join() !== name) missed.push(offset)
      }
      t.same(missed, [], `${name}: ${form}`)
    }
  }
})

t.test('letters of another case, and several at once, are found', async t => {
  t.same(scan.cut(`a ${KEY.toUpperCase()} b ${Buffer.from(KEY).toString('hex').toUpperCase()} ${KEY}`), {
    text: 'a [removed] b [removed] [removed]',
    found: ['KEY']
  })
  t.same(scan.cut(`${ODD}${KEY}`).found, ['KEY', 'ODD'])
})

t.test('what stands in JSON is JSON afterwards', async t => {
  const line = JSON.stringify({ a: `x ${ODD} y`, [KEY]: [KEY, { deep: `${ODD}` }], n: 1 })
  const { text } = scan.cut(line)
  t.same(JSON.parse(text), { a: 'x [removed] y', '[removed]': ['[removed]', { deep: '[removed]' }], n: 1 })
})

t.test('in base64 of a longer text it is found in each alignment', async t => {
  for (const before of ['', 'x', 'xy', '{"key":"']) {
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      const { found } = scan.cut(Buffer.from(`${before}${KEY}", and more`).toString(encoding))
      t.same(found, ['KEY'], `${encoding} behind ${before.length} bytes`)
    }
  }
})

t.test('a spelling of which every character is escaped takes the whole text with it', async t => {
  for (const [title, spelled] of Object.entries({
    'percent-encoded': escaped(KEY, code => `%${code}`),
    'percent-encoded twice': escaped(KEY, code => `%25${code}`),
    '\\u00xx': escaped(KEY, code => `\\u00${code}`),
    '\\xxx': escaped(KEY, code => `\\x${code}`),
    'some of it': KEY.replaceAll('5', '%35')
  })) {
    t.same(scan.cut(`{"a":"${spelled}"}`, '"gone"'), { text: '"gone"', found: ['KEY'] }, title)
  }
})

t.test('texts without a secret are left as they are', async t => {
  const texts = [
    '',
    'abc',
    KEY.slice(0, 39),
    KEY.slice(1),
    `${KEY.slice(0, 20)} ${KEY.slice(20)}`,
    '100 % \\u00e4 %41 \\\\',
    '%'.repeat(1000),
    'é✓😀'.repeat(50),
    ...Array.from({ length: 2000 }, () => randomBytes(100).toString('hex'))
  ]
  for (const text of texts) {
    const result = scan.cut(text)
    if (result.text !== text || result.found.length > 0) t.fail(text)
  }
  t.equal(new SecretScan([]).cut(KEY).text, KEY, 'and everything where nothing is looked for')
})

t.test('a secret of fifteen characters is not looked for: it would be found in innocent texts', async t => {
  const of = (length: number): string => KEY.slice(0, length)
  const cut = (length: number): string => new SecretScan([['K', of(length)]]).cut(`a ${of(length)} b`).text
  t.equal(cut(MIN_SECRET_CHARACTERS), 'a [removed] b')
  t.equal(cut(MIN_SECRET_CHARACTERS - 1), `a ${of(MIN_SECRET_CHARACTERS - 1)} b`)
})

t.test('a long text of nothing but escapes is looked through in a moment', async t => {
  const beganAtMs = performance.now()
  for (const text of ['\\'.repeat(262_144), '%25'.repeat(87_381), '\\u005c'.repeat(43_690), '0c1f'.repeat(65_000)]) {
    t.equal(scan.cut(text).text, text)
  }
  t.ok(performance.now() - beganAtMs < 3000)
})
