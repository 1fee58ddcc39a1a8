import * as errors from 'jose/errors'
import t from 'tap'
import { type KeySource, verifyWithKeys } from '../../../../src/auth/bearer/jwks/key-source.ts'
import { createSecretKeys, joinKeys } from '../../../../src/auth/bearer/jwks/secrets.ts'
import { Secret } from '../../../../src/lib/secret.ts'
import { hmacToken, tokenOf } from '../../../helpers/forged-tokens.ts'
import { claims, ec, newKeys, reasonOf, signed } from '../token-verdict.ts'

const SECRETS = ['one', 'two'].map(name => `a-shared-secret-called-${name}-of-40-bytes-xx`)

/** Keys that say how often they were asked for one, and what for. */
function sourceOf(count: number) {
  const seen = { hints: [] as unknown[], given: 0 }
  const source: KeySource = {
    async *candidates(hint) {
      seen.hints.push(hint)
      for (; seen.given < count; seen.given++) yield new Uint8Array([seen.given])
    },
    generation: 0,
    isReady: () => true,
    size: count,
    close: () => undefined
  }
  return { source, seen }
}

t.test('keys that fit are tried one after the other, at most four', async t => {
  const tries: number[] = []
  const rightOf = (right: number) => async (key: unknown) => {
    const [number = -1] = key as Uint8Array
    tries.push(number)
    if (number !== right) throw new errors.JWSSignatureVerificationFailed()
    return `key ${number}`
  }
  const token = tokenOf({ alg: 'HS256' }, {})
  t.equal(await verifyWithKeys(token, sourceOf(9).source, ['HS256'], rightOf(3)), 'key 3')
  t.same(tries.splice(0), [0, 1, 2, 3])
  await t.rejects(
    verifyWithKeys(token, sourceOf(9).source, ['HS256'], rightOf(4)),
    errors.JWSSignatureVerificationFailed
  )
  t.same(tries.splice(0), [0, 1, 2, 3])
  await t.rejects(verifyWithKeys(token, sourceOf(0).source, ['HS256'], rightOf(0)), errors.JWKSNoMatchingKey)
})

t.test('a token that its key signed is not tried with another, whatever else is wrong with it', async t => {
  const { source, seen } = sourceOf(4)
  const expired = new errors.JWTExpired('', {})
  await t.rejects(
    verifyWithKeys(tokenOf({ alg: 'HS256' }, {}), source, ['HS256'], () => Promise.reject(expired)),
    expired
  )
  t.equal(seen.given, 0)
})

t.test('an id is a text or a number, and whatever else names no key', async t => {
  const verify = async () => 'ok'
  for (const [kid, hint] of [
    ['a', { alg: 'HS256', kid: 'a' }],
    [7, { alg: 'HS256', kid: '7' }],
    [undefined, { alg: 'HS256' }]
  ]) {
    const { source, seen } = sourceOf(1)
    t.equal(await verifyWithKeys(tokenOf({ alg: 'HS256', kid }, {}), source, ['HS256'], verify), 'ok')
    t.same(seen.hints, [hint])
  }
  for (const kid of [null, 1.5, true, ['a'], {}]) {
    const { source, seen } = sourceOf(1)
    await t.rejects(
      verifyWithKeys(tokenOf({ alg: 'HS256', kid }, {}), source, ['HS256'], verify),
      errors.JWKSNoMatchingKey
    )
    t.same(seen.hints, [], JSON.stringify(kid))
  }
})

t.test('any of several secrets may have signed a token, and nothing else', async t => {
  const keys = createSecretKeys({ secrets: SECRETS.map(text => new Secret(text)), emit: () => undefined })
  const rules = { keys, algorithms: ['HS256', 'HS512'] }
  for (const secret of SECRETS) {
    t.equal(await reasonOf(hmacToken({ alg: 'HS256' }, claims, secret), rules), undefined)
    t.equal(await reasonOf(hmacToken({ alg: 'HS512' }, claims, secret, 'sha512'), rules), undefined)
  }
  t.equal(await reasonOf(hmacToken({ alg: 'HS256' }, claims, SECRETS.join(',')), rules), 'token-signature')
  t.equal(await reasonOf(hmacToken({ alg: 'HS384' }, claims, SECRETS[0] ?? '', 'sha384'), rules), 'token-algorithm')
})

t.test('beside published keys a secret verifies HMAC alone, and a published key never does', async t => {
  const [secret = ''] = SECRETS
  const keys = joinKeys(createSecretKeys({ secrets: [new Secret(secret)], emit: () => undefined }), newKeys())
  const rules = { keys, algorithms: ['HS256', 'ES256'] }
  t.equal(await reasonOf(hmacToken({ alg: 'HS256' }, claims, secret), rules), undefined)
  t.equal(await reasonOf(await signed(ec), rules), undefined)
  const forged = [JSON.stringify(ec.jwk), String(ec.jwk.x), '']
  for (const key of forged) {
    t.equal(await reasonOf(hmacToken({ alg: 'HS256', kid: 'ec' }, claims, key), rules), 'token-signature')
  }
  t.equal(keys.size, 5)
})
