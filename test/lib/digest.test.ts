import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { binaryDigestOf, digestOf, hmacOf } from '../../src/lib/digest.ts'

const KEY = createSecretKey(Buffer.from('a key'))
const WAYS: readonly (readonly [name: string, way: (...parts: string[]) => string])[] = [
  ['digestOf', digestOf],
  ['hmacOf', (...parts) => hmacOf(KEY, parts, 'base64url')],
  ['binaryDigestOf', (...parts) => binaryDigestOf(...parts).toString('hex')]
]

t.test('what is stored under a digest is found again: the outputs are these', async t => {
  const parts = ['session', 'é:7', '']
  t.equal(digestOf(...parts), 'WBYbqK6l7EkCtYLoqqPnfF3MGSoRtsU_R1fqsDtpptw')
  t.equal(hmacOf(KEY, parts, 'base64url'), 'OduipbSWsHG9WjLp-MM-HpB6HMSp5mRNf7zvKkh7CwE')
  t.equal(binaryDigestOf(...parts).toString('hex'), '3895a6b7cd00c4e0033a5e2f85c55cd9375de9c5a64d21f7586bc970e89acb95')
})

for (const [name, way] of WAYS) {
  t.test(`${name}: two lists have one digest only if they are one list`, async t => {
    const text = fc.string({ unit: fc.constantFrom('a', '1', ':', 'é', '\u0000'), maxLength: 4 })
    const lists = fc.array(text, { maxLength: 4 })
    fc.assert(fc.property(lists, lists, (one, other) => (way(...one) === way(...other)) === same(one, other)))
    t.pass()
  })
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((part, index) => part === other[index])
}
