import fc from 'fast-check'
import t from 'tap'
import { readOutcome, writeOutcome } from '../../src/delivery/outcome.ts'
import { PROBLEMS } from '../../src/lib/refusals/problems.ts'

const BODY = '{"data":{"id":"7"}}'

const UNREADABLE: readonly (readonly [what: string, stored: unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['bytes', new Uint8Array([1, 2])],
  ['no JSON', '{'],
  ['an array', '[]'],
  ['an unknown kind', '{"kind":"pending"}'],
  ['an id that is none', '{"kind":"done","messageId":"7; DROP"}'],
  ['an id that is a number', '{"kind":"done","messageId":7}'],
  ['a body without an id', JSON.stringify({ kind: 'done', body: BODY })],
  ['a body that is no JSON', JSON.stringify({ kind: 'done', messageId: '7', body: '<html>' })],
  ['a body without a message', JSON.stringify({ kind: 'done', messageId: '7', body: '{"data":null}' })],
  ['the body of another message', JSON.stringify({ kind: 'done', messageId: '8', body: BODY })],
  ['a refusal without words', '{"kind":"refused","code":"thread-not-found"}'],
  ['a refusal of the prototype', '{"kind":"refused","code":"constructor","detail":"x"}'],
  ['a refusal that may have been sent', '{"kind":"refused","code":"upstream-error","detail":"x"}'],
  ['violations that are none', '{"kind":"refused","code":"invalid-request","detail":"x","errors":[{"pointer":1}]}']
]
for (const [what, stored] of UNREADABLE) {
  t.test(`${what} is not an outcome`, async t => {
    t.throws(() => readOutcome(stored), { message: 'the stored outcome is unreadable' })
  })
}

t.test('members that nobody wrote are not passed on', async t => {
  t.strictSame(readOutcome('{"kind":"done","messageId":"7","__proto__":{"a":1},"status":500}'), {
    kind: 'done',
    messageId: '7'
  })
})

t.test('every outcome comes back as it was written', async t => {
  const text = fc.string({ unit: 'grapheme' })
  const id = fc.bigInt(1n, 2n ** 64n - 1n).map(String)
  const done = fc.record({ id, text }).map(({ id, text }) => ({
    kind: 'done' as const,
    messageId: id,
    body: JSON.stringify({ data: { id, data: { text } } })
  }))
  const codes = Object.entries(PROBLEMS).flatMap(([code, { delivery }]) => (delivery === 'not-sent' ? [code] : []))
  const refused = fc.record(
    {
      kind: fc.constant('refused' as const),
      code: fc.constantFrom(...(codes as (keyof typeof PROBLEMS)[])),
      detail: text,
      errors: fc.array(fc.record({ pointer: text, code: text, detail: text }))
    },
    { requiredKeys: ['kind', 'code', 'detail'] }
  )

  fc.assert(
    fc.property(fc.oneof(done, refused), outcome => {
      t.strictSame(readOutcome(writeOutcome(outcome)), JSON.parse(JSON.stringify(outcome)))
    }),
    { seed: 20_261_121, numRuns: 200 }
  )
})

t.test('whatever is stored, it is refused in one way or means what it says', async t => {
  const any = fc.oneof(fc.jsonValue(), fc.constantFrom('7', BODY, 'thread-not-found', undefined))
  const kind = fc.constantFrom('done', 'refused', 'sent')
  const members = fc
    .record({ kind, messageId: any, body: any, code: any, detail: any, errors: any })
    .map(value => JSON.stringify(value))
  let read = 0
  const meansWhatItSays = (text: string): boolean => {
    try {
      const outcome = readOutcome(text)
      read++
      return outcome.kind === 'done' ? !outcome.body || outcome.messageId === '7' : typeof outcome.detail === 'string'
    } catch (error) {
      return error instanceof Error && error.message === 'the stored outcome is unreadable'
    }
  }

  fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), members), meansWhatItSays), {
    seed: 20_261_121,
    numRuns: 5000
  })

  t.ok(read > 10, `${read} of them are outcomes`)
})
