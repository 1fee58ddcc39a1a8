import fc from 'fast-check'
import t from 'tap'
import { idText, parseJsonText } from '../../src/lib/json.ts'
import { ANY_CHARACTER } from '../helpers/any-character.ts'

t.test('every integer keeps its digits, wherever it stands in the text', async t => {
  for (let digits = 14; digits <= 20; digits++) {
    for (let offset = 0; offset < 40; offset++) {
      const text = `{"${'n'.repeat(offset)}":${'9876543210'.repeat(2).slice(0, digits)},"last":"${'1'.repeat(offset)}"}`
      if (JSON.stringify(parseJsonText(text)) !== text) t.fail(text)
    }
  }
  t.equal(JSON.stringify(parseJsonText('12345678901234567890')), '12345678901234567890', 'alone, too')
  t.equal(JSON.stringify(parseJsonText('-9007199254740993')), '-9007199254740993')
})

t.test('what is not JSON is undefined', async t => {
  const long = '1234567890123456789'
  const texts = ['', `${long}x`, '{', '"'.padEnd(40, '1'), `0${long}`, `-${'0'.repeat(20)}`, `[${long}`, `--${long}`]
  for (const text of texts) t.equal(parseJsonText(text), undefined, text)
})

t.test('a text may be nested as deep as it likes, long integers in it or not', async t => {
  const depth = 100_000
  for (const innermost of ['1', '1234567890123456789']) {
    let value = parseJsonText(`${'['.repeat(depth)}${innermost}${']'.repeat(depth)}`)
    let levels = 0
    for (; Array.isArray(value); [value] = value) levels++
    t.equal(levels, depth)
    t.equal(JSON.stringify(value), innermost)
  }
})

t.test('beside a long integer everything else is what JSON.parse reads', async () => {
  const long = '9223372036854775807'
  // Written once by JavaScript, so that numbers and the order of members are as it writes them.
  const json = fc.json({ maxDepth: 4, stringUnit: ANY_CHARACTER }).map(text => JSON.stringify(JSON.parse(text)))
  fc.assert(
    fc.property(json, fc.string(), (text, name) => {
      const whole = `{"long":${long},"rest":${text},${JSON.stringify(`_${name}`)}:-${long}}`
      if (JSON.stringify(parseJsonText(whole)) !== whole) throw new Error(whole)
    }),
    { seed: 20_261_128, numRuns: 500 }
  )
})

t.test('digits in a string, behind a point or in an exponent are no long integer', async t => {
  const digits = '1234567890123456789'
  for (const text of [`["${digits}"]`, `["\\"${digits}"]`, `["\\\\",${digits}]`, `{"${digits}":1}`]) {
    t.equal(JSON.stringify(parseJsonText(text)), text)
  }
  for (const text of [`[0.${digits}]`, `[${digits}.5]`, `[1e-${'0'.repeat(20)}5]`]) {
    t.same(parseJsonText(text), JSON.parse(text), text)
  }
})

t.test('a long integer under the name of a prototype is a member like any other', async t => {
  const text = '{"__proto__":1234567890123456789,"a":{"__proto__":9223372036854775807}}'
  t.equal(JSON.stringify(parseJsonText(text)), text)
  t.equal(Object.getPrototypeOf(parseJsonText(text)), Object.prototype)
})

t.test(
  'without JSON.rawJSON, as on Node 20, a long integer is a text of its digits and everything else is as it was',
  async t => {
    for (const name of ['rawJSON', 'isRawJSON']) t.intercept(JSON, name as keyof JSON, { value: undefined })
    const text =
      '{"id":12345678901234567890,"list":[-9007199254740993,9007199254740991],"n":{"__proto__":9007199254740993}}'
    const parsed = parseJsonText(text)

    const list = '["-9007199254740993",9007199254740991]'
    t.equal(JSON.stringify(parsed), `{"id":"12345678901234567890","list":${list},"n":{"__proto__":"9007199254740993"}}`)
    t.equal(idText(Object(parsed).id), '12345678901234567890', 'which is as good an id')
    t.equal(idText(parseJsonText('9007199254740991')), '9007199254740991')
    t.equal(parseJsonText('{"id":012345678901234567890}'), undefined)
  }
)
