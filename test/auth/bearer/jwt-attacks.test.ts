import { createPrivateKey } from 'node:crypto'
import { CompactEncrypt, CompactSign, exportJWK, generateKeyPair, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { hmacToken, rsaToken, secretsFromPublicKey, tokenOf } from '../../helpers/forged-tokens.ts'
import { createSigningKey, type SigningKey } from '../../helpers/identity-provider.ts'
import { claims, ec, ed, newKeys, pss, type Rules, rsa, signed, verdictOn } from './token-verdict.ts'

const rsaPrivate = createPrivateKey({ key: (await exportJWK(rsa.privateKey)) as Record<string, string>, format: 'jwk' })

async function isRefused(t: Test, name: string, token: string, options: Partial<Rules> = {}) {
  t.equal(await verdictOn(token, options), 'unauthenticated', name)
}

t.test('a token of each algorithm in the list is accepted', async t => {
  for (const key of [rsa, pss, ec, ed]) t.equal(await verdictOn(await signed(key)), 'alice', key.alg)
})

t.test('a token without a signature is refused in every spelling of "none"', async t => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 0, ['none'], {}]) {
    for (const kid of ['rsa', undefined]) {
      await isRefused(t, JSON.stringify(alg) ?? 'missing', tokenOf({ alg, kid }, claims))
      await isRefused(t, 'with a signature', tokenOf({ alg, kid }, claims, 'x'))
    }
  }
})

t.test('a published key is never taken for a shared secret', async t => {
  for (const [name, secret] of Object.entries(secretsFromPublicKey(rsa.jwk))) {
    for (const alg of ['HS256', 'HS384', 'HS512', 'RS256', 'hs256']) {
      const hash = `sha${/\d+/.exec(alg)?.[0]}`
      await isRefused(t, `${alg} with ${name}`, hmacToken({ alg, kid: 'rsa' }, claims, secret, hash))
      await isRefused(t, `${alg} with ${name}, list of one`, hmacToken({ alg, kid: 'rsa' }, claims, secret, hash), {
        algorithms: ['RS256']
      })
    }
  }
})

t.test('a signature by a known key is refused under an algorithm that is not in the list', async t => {
  await isRefused(
    t,
    'PS256 by a key for RS256',
    await new SignJWT(claims).setProtectedHeader({ alg: 'PS256', kid: 'pss' }).sign(pss.privateKey),
    { algorithms: ['RS256'] }
  )
  await isRefused(t, 'RS256 where PS256 is wanted', await signed(rsa), { algorithms: ['PS256'] })
  await isRefused(t, 'RS384', rsaToken({ alg: 'RS384', kid: 'rsa' }, claims, rsaPrivate, 'sha384'))
  await isRefused(t, 'RS512', rsaToken({ alg: 'RS512', kid: 'rsa' }, claims, rsaPrivate, 'sha512'))
  await isRefused(t, 'RS1', rsaToken({ alg: 'RS1', kid: 'rsa' }, claims, rsaPrivate, 'sha1'))
  for (const alg of [
    'PS256',
    'ES256',
    'EdDSA',
    'Ed25519',
    'rs256',
    'RS256 ',
    'RS256\0',
    'ES256K',
    'RSA-OAEP',
    '__proto__'
  ]) {
    await isRefused(t, `RS256 that says ${JSON.stringify(alg)}`, rsaToken({ alg, kid: 'rsa' }, claims, rsaPrivate))
    await isRefused(t, `${JSON.stringify(alg)} by the key of another`, rsaToken({ alg, kid: 'ec' }, claims, rsaPrivate))
  }
})

t.test('a token with critical extensions is refused, known or not', async t => {
  for (const crit of [['exp'], ['b64'], ['x5u'], ['alg'], [], 'exp', null, {}, 0, [''], [null]]) {
    const header = { alg: 'RS256', kid: 'rsa', crit, b64: true, exp: 1 }
    await isRefused(t, JSON.stringify(crit), rsaToken(header, claims, rsaPrivate))
  }
  await isRefused(
    t,
    'an unencoded payload',
    rsaToken({ alg: 'RS256', kid: 'rsa', b64: false, crit: ['b64'] }, claims, rsaPrivate)
  )
})

t.test('a key in the token is not looked at', async t => {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  const mine = createPrivateKey({ key: (await exportJWK(privateKey)) as Record<string, string>, format: 'jwk' })
  for (const kid of ['rsa', 'attacker', undefined]) {
    for (const extra of [
      { jwk },
      { jwk: { ...jwk, kid: 'rsa' } },
      { jku: 'https://evil.example/keys' },
      { x5u: 'https://evil.example/c' },
      { x5c: ['AA=='] },
      { x5t: 'AA' }
    ]) {
      const token = rsaToken({ alg: 'RS256', kid, ...extra }, claims, mine)
      await isRefused(t, `${kid} ${Object.keys(extra)}`, token, { keys: newKeys() })
    }
  }
  t.equal(
    await verdictOn(await signed(rsa, { jku: 'https://evil.example/', jwk: {} })),
    'alice',
    'nor does it spoil a good token'
  )
})

t.test('a key id that is a path, a statement or an address finds nothing', async t => {
  const mine = await createSigningKey('x', 'ES256')
  for (const kid of [
    '../../../../dev/null',
    '/dev/null',
    "' OR 1=1 --",
    "x' UNION SELECT 'a",
    'http://127.0.0.1/',
    'file:///etc/passwd',
    '',
    ' ',
    '|id',
    '$(id)',
    'ec\0',
    'EC',
    'ec ',
    '__proto__',
    'constructor',
    'toString',
    'x'.repeat(5000),
    null,
    1,
    {},
    ['ec'],
    { toString: 1 }
  ]) {
    t.equal(
      await verdictOn(await signed(mine, { kid: kid as string }), { keys: newKeys() }),
      'unauthenticated',
      JSON.stringify(kid).slice(0, 40)
    )
    t.equal(await verdictOn(hmacToken({ alg: 'HS256', kid }, claims, '')), 'unauthenticated', 'and an empty secret')
  }
})

t.test('what is no signed token of three parts is refused', async t => {
  const good = await signed(ec)
  const [header = '', payload = '', signature = ''] = good.split('.')
  const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(Buffer.alloc(32))
  const spellings: Record<string, string> = {
    'an encrypted token': jwe,
    'a token in a token': await signed(ec, { cty: 'JWT' }, { ...claims, iss: undefined, jwt: good }),
    'a token as payload': tokenOf({ alg: 'none' }, good),
    'no signature': `${header}.${payload}.`,
    'two parts': `${header}.${payload}`,
    'four parts': `${good}.x`,
    'a dot before': `.${good}`,
    'a dot behind': `${good}.`,
    'padding at the header': `${header}=.${payload}.${signature}`,
    'padding at the payload': `${header}.${payload}==.${signature}`,
    'padding at the signature': `${good}==`,
    'a line end': `${good}\n`,
    'a blank before': ` ${good}`,
    'a blank in the signature': `${header}.${payload}.${signature.slice(0, 9)} ${signature.slice(9)}`,
    'the other alphabet': `${header}.${payload}.${signature.replace(/[A-Za-z]/, '+')}`,
    'percent signs': encodeURIComponent(`${good}=`),
    'letters of another script': good.replace(/e/g, 'е'),
    'a signature cut short': good.slice(0, -10),
    'a signature of zeros': `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    'a signature twice': `${good}${signature}`,
    'another payload': `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: 'bob' })).toString('base64url')}.${signature}`,
    'another header': `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${payload}.${signature}`,
    'a header that is a list': tokenOf([], claims, 'x'),
    'a header that is no JSON': tokenOf('{', claims, 'x'),
    'a header with a byte order mark': tokenOf('\ufeff{"alg":"ES256","kid":"ec"}', claims, 'x'),
    'a payload that is no object': await signedText(ec, '"alice"'),
    'a payload that is a list': await signedText(ec, '[]'),
    'a payload that is null': await signedText(ec, 'null'),
    'a payload that is no JSON': await signedText(ec, 'alice'),
    'a payload that is nothing': await signedText(ec, ''),
    nothing: '',
    dots: '..'
  }

  t.equal(await verdictOn(good), 'alice')
  for (const [name, token] of Object.entries(spellings)) await isRefused(t, name, token)
})

async function signedText(key: SigningKey, text: string): Promise<string> {
  return new CompactSign(Buffer.from(text)).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey)
}
