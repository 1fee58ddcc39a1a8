import t from 'tap'
import { parseKeySet } from '../../../../src/auth/bearer/jwks/key-set.ts'
import type { KeyHint } from '../../../../src/auth/bearer/jwks/key-source.ts'
import { createSigningKey } from '../../../helpers/identity-provider.ts'

const one = await createSigningKey('one')
const two = await createSigningKey('two', 'RS256')
const ed = await createSigningKey('ed', 'EdDSA')

/** How many keys of a set may have signed a token. */
async function countIn(keys: readonly object[], hint: KeyHint, among: 'named' | 'nameless' = 'named'): Promise<number> {
  let count = 0
  for await (const _ of parseKeySet({ keys })[among](hint)) count++
  return count
}

const without = (jwk: object, name: string): object =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => member !== name))

t.test('a key is found by its id and algorithm', async t => {
  const keys = [one.jwk, two.jwk]
  t.equal(await countIn(keys, { alg: 'ES256', kid: 'one' }), 1)
  t.equal(await countIn(keys, { alg: 'RS256', kid: 'two' }), 1)
  t.equal(await countIn(keys, { alg: 'ES256' }), 1, 'or by its algorithm alone')
  t.equal(await countIn(keys, { alg: 'RS256', kid: 'one' }), 0, 'of another algorithm')
  t.equal(await countIn(keys, { alg: 'ES256', kid: 'three' }), 0)
  t.equal(await countIn(keys, { alg: 'HS256', kid: 'one' }), 0, 'no published key is a secret')
  const { hasId } = parseKeySet({ keys })
  t.same(['one', 'two', 'three', ''].map(hasId), [true, true, false, false])
})

t.test('a key without an id is of no id, and may be that of any token', async t => {
  const nameless = without(one.jwk, 'kid')
  t.equal(await countIn([nameless], { alg: 'ES256' }), 1)
  t.equal(await countIn([nameless], { alg: 'ES256', kid: 'one' }), 0)
  t.equal(await countIn([nameless, two.jwk], { alg: 'ES256', kid: 'one' }, 'nameless'), 1)
})

t.test('keys are as issuers really publish them', async t => {
  const numbered = { ...one.jwk, kid: 7 }
  const cases: [title: string, keys: object[], hint: KeyHint, count: number][] = [
    ['an id that is a number', [numbered], { alg: 'ES256', kid: '7' }, 1],
    ['one key listed twice', [one.jwk, { ...one.jwk }], { alg: 'ES256', kid: 'one' }, 1],
    ['one key under two ids', [one.jwk, { ...one.jwk, kid: 'other' }], { alg: 'ES256' }, 1],
    [
      'two keys under one id',
      [two.jwk, { ...(await createSigningKey('two', 'RS256')).jwk }],
      { alg: 'RS256', kid: 'two' },
      2
    ],
    ['both operations', [{ ...one.jwk, key_ops: ['sign', 'verify'] }], { alg: 'ES256', kid: 'one' }, 1],
    ['operations that encrypt', [{ ...two.jwk, key_ops: ['encrypt'] }, one.jwk], { alg: 'RS256', kid: 'two' }, 0],
    ['a key that encrypts', [{ ...two.jwk, use: 'enc' }, one.jwk], { alg: 'RS256', kid: 'two' }, 0],
    ['no algorithm', [without(two.jwk, 'alg')], { alg: 'PS512', kid: 'two' }, 1],
    ['another algorithm', [{ ...two.jwk, alg: 'PS512' }], { alg: 'RS256', kid: 'two' }, 0],
    ['the new name of EdDSA', [{ ...ed.jwk, alg: 'Ed25519' }], { alg: 'EdDSA', kid: 'ed' }, 1],
    ['and the old one', [ed.jwk], { alg: 'Ed25519', kid: 'ed' }, 1],
    ['extra members', [{ ...one.jwk, issuer: 'x', x5t: 1, ext: 'y' }], { alg: 'ES256', kid: 'one' }, 1],
    ['a broken key beside a good one', [{ ...one.jwk, x: 'AA' }, one.jwk], { alg: 'ES256', kid: 'one' }, 1],
    ['what is no key', [null, 7, 'x', [], {}, { kty: 'new' }, one.jwk].map(key => key as object), { alg: 'ES256' }, 1],
    ['a private key, published', [{ ...one.jwk, d: 'AA' }, two.jwk], { alg: 'ES256', kid: 'one' }, 0]
  ]
  for (const [title, keys, hint, count] of cases) t.equal(await countIn(keys, hint), count, title)
})

t.test('two sets are the same when they hold the same', async t => {
  const text = (...keys: object[]) => parseKeySet({ keys }).text
  t.equal(text(one.jwk), text({ ...one.jwk }))
  t.not(text(one.jwk), text(one.jwk, two.jwk))
  t.equal(text(one.jwk, { kty: 'oct', k: 'AA', kid: 'x' }), text(one.jwk), 'what verifies nothing does not count')
  t.equal(parseKeySet({ keys: [one.jwk, { ...one.jwk, kid: 'x' }, two.jwk] }).size, 2)
})

t.test('a hundred keys are a key set, a hundred and one are not, nor is what holds none', async t => {
  const keys = Array.from({ length: 101 }, (_, index) => ({ ...one.jwk, kid: `k${index}` }))
  t.ok(parseKeySet({ keys: keys.slice(1) }))
  for (const value of [{ keys }, {}, { keys: {} }, null, 'x', [one.jwk], one.jwk]) {
    t.throws(() => parseKeySet(value), { message: 'keys-not-a-set' })
  }
  for (const empty of [[], [{ kty: 'oct', k: 'AA' }], [{ ...one.jwk, use: 'enc' }]]) {
    t.throws(() => parseKeySet({ keys: empty }), { message: 'keys-empty' })
  }
})
