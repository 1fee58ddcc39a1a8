import t from 'tap'
import { parseKeySet } from '../../../../src/auth/bearer/jwks/key-set.ts'
import { createSigningKey } from '../../../helpers/identity-provider.ts'

const one = await createSigningKey('one')
const two = await createSigningKey('two', 'RS256')

t.test('a key is found by its id and algorithm', async t => {
  const keySet = parseKeySet({ keys: [one.jwk, two.jwk] })
  t.ok(await keySet.find({ alg: 'ES256', kid: 'one' }))
  t.ok(await keySet.find({ alg: 'RS256', kid: 'two' }))
  t.ok(await keySet.find({ alg: 'ES256' }), 'or by its algorithm alone where one key fits')
  t.equal(await keySet.find({ alg: 'RS256', kid: 'one' }), undefined, 'of another algorithm')
  t.equal(await keySet.find({ alg: 'ES256', kid: 'three' }), undefined)
  t.same(
    ['one', 'two', 'three', '', undefined].map(kid => keySet.hasId(kid)),
    [true, true, false, false, false]
  )
})

t.test('a key without an id gives no token without one a known id', async t => {
  const { kid: _, ...nameless } = one.jwk
  const keySet = parseKeySet({ keys: [nameless] })
  t.notOk(keySet.hasId(undefined))
  t.ok(await keySet.find({ alg: 'ES256' }))
})

t.test('two sets are the same when they hold the same', async t => {
  const text = (...keys: object[]) => parseKeySet({ keys }).text
  t.equal(text(one.jwk), text({ ...one.jwk }))
  t.not(text(one.jwk), text(one.jwk, two.jwk))
  t.equal(text(one.jwk, { kty: 'oct', k: 'AA', kid: 'x' }), text(one.jwk), 'what verifies nothing does not count')
})

t.test('a hundred keys are a key set, a hundred and one are not', async t => {
  const keys = Array.from({ length: 101 }, (_, index) => ({ ...one.jwk, kid: `k${index}` }))
  t.ok(parseKeySet({ keys: keys.slice(1) }))
  t.throws(() => parseKeySet({ keys }), TypeError)
})
