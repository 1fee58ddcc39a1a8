import fc from 'fast-check'
import t from 'tap'
import { cutMarker, MARKER_MEMBER, markerOf, removeMarker } from '../../src/upstream/marker.ts'
import { seedOf } from '../helpers/seed.ts'

const marker = 'Ab-_0123456789abcdefgh'
const member = `"${MARKER_MEMBER}":"${marker}"`

function rewritten(text: string): unknown {
  const envelope = JSON.parse(text)
  removeMarker(envelope.data)
  return JSON.parse(JSON.stringify(envelope))
}

t.test('the text without the marker says what the answer written anew would say', async t => {
  const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
  const members = fc.dictionary(fc.string(), json, { maxKeys: 4 })
  const answers = fc.record({ before: members, inside: members, behind: members, data: members, atEnd: fc.boolean() })
  let cut = 0
  fc.assert(
    fc.property(answers, ({ before, inside, behind, data, atEnd }) => {
      const own = { [MARKER_MEMBER]: marker }
      const metadata = atEnd ? { ...inside, ...own } : { ...own, ...inside }
      const text = JSON.stringify({ data: { ...before, data: { ...data, metadata }, ...behind } })
      const found = markerOf(JSON.parse(text).data)
      const left = cutMarker(text, typeof found === 'string' ? found : undefined)
      if (left === undefined) return
      cut++
      t.strictSame(JSON.parse(left), rewritten(text))
      t.notOk(left.includes(marker))
    }),
    { seed: seedOf(t), numRuns: 500 }
  )
  t.ok(cut > 200, `most texts can be cut: ${cut}`)
})

t.test('metadata that only carried the marker goes with it, on either side of another member', async t => {
  t.equal(cutMarker(`{"data":{"data":{"text":"a","metadata":{${member}}}}}`, marker), '{"data":{"data":{"text":"a"}}}')
  t.equal(cutMarker(`{"data":{"data":{"metadata":{${member}},"text":"a"}}}`, marker), '{"data":{"data":{"text":"a"}}}')
  t.equal(
    cutMarker(`{"data":{"data":{"metadata":{"a":1,${member}}}}}`, marker),
    '{"data":{"data":{"metadata":{"a":1}}}}'
  )
  t.equal(
    cutMarker(`{"data":{"data":{"metadata":{${member},"a":1}}}}`, marker),
    '{"data":{"data":{"metadata":{"a":1}}}}'
  )
})

t.test('an answer without a marker stays byte for byte', async t => {
  const text = '{"data":{"id":12345678901234567890,"odd":1.0e+2,"text":"\\n ü"}}'
  t.equal(cutMarker(text, undefined), text)
})

t.test('what the text alone cannot tell is left to whoever writes it anew', async t => {
  const plain = `{"data":{"data":{"text":"a","metadata":{${member}}}}}`
  const cases: [title: string, text: string, marker: string | undefined][] = [
    ['blanks around the member', plain.replace('":"Ab', '": "Ab'), marker],
    ['the name twice', plain.replace('"text":"a"', `"text":"${MARKER_MEMBER}"`), marker],
    ['the member twice', plain.replace('"text":"a"', member), marker],
    ['a name nobody found as a member', plain, undefined],
    ['another marker', plain, `${marker.slice(1)}A`],
    ['data that holds nothing else', `{"data":{"data":{"metadata":{${member}}}}}`, marker],
    ['metadata under another name', plain.replace('"metadata"', '"meta"'), marker],
    ['an escaped letter, behind which a secret could hide', plain.replace('"a"', '"\\u0061"'), marker],
    ['an escaped slash, behind which a secret could hide', plain.replace('"a"', '"a\\/b"'), marker]
  ]
  for (const [title, text, carried] of cases) t.equal(cutMarker(text, carried), undefined, title)
})
