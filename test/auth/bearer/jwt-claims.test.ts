import t from 'tap'
import type { KeySource, VerificationKey } from '../../../src/auth/bearer/jwks/key-source.ts'
import { hmacToken, tokenOf } from '../../helpers/forged-tokens.ts'
import { AUDIENCE, ISSUER } from '../../helpers/tokens.ts'
import { claims, createAuthenticator, ec, ed, nowSeconds, signed, usual, verdictOn } from './token-verdict.ts'

const withClaim = (name: string, value: unknown): Promise<string> => signed(ec, {}, { ...claims, [name]: value })

t.test('only the exact issuer is believed', async t => {
  for (const iss of [
    [ISSUER],
    [ISSUER, 'x'],
    { [ISSUER]: 1 },
    1,
    true,
    null,
    '',
    undefined,
    `${ISSUER}/`,
    ISSUER.toUpperCase(),
    `${ISSUER}.evil.example`,
    ISSUER.slice(0, -1),
    ` ${ISSUER}`,
    `${ISSUER}\0`,
    'https://evil.example'
  ]) {
    t.equal(await verdictOn(await withClaim('iss', iss)), 'unauthenticated', JSON.stringify(iss) ?? 'missing')
  }
})

t.test('only a token for this audience is accepted, alone or among others', async t => {
  for (const aud of [AUDIENCE, [AUDIENCE], ['x', AUDIENCE]]) {
    t.equal(await verdictOn(await withClaim('aud', aud)), 'alice', JSON.stringify(aud))
  }
  for (const aud of [
    'x',
    ['x'],
    [],
    [[AUDIENCE]],
    { [AUDIENCE]: 1 },
    1,
    true,
    null,
    '',
    undefined,
    AUDIENCE.toUpperCase(),
    `${AUDIENCE} x`,
    `${AUDIENCE},x`,
    `x${AUDIENCE}`,
    [null],
    [1]
  ]) {
    t.equal(await verdictOn(await withClaim('aud', aud)), 'unauthenticated', JSON.stringify(aud) ?? 'missing')
  }
})

t.test('a token that has expired, or never does, is refused', async t => {
  for (const exp of [
    nowSeconds - 1,
    nowSeconds - 29,
    0,
    -1,
    undefined,
    null,
    '',
    String(nowSeconds + 600),
    [nowSeconds + 600],
    {},
    true,
    'never'
  ]) {
    t.equal(await verdictOn(await withClaim('exp', exp)), 'unauthenticated', JSON.stringify(exp) ?? 'missing')
  }
  t.equal(await verdictOn(await withClaim('exp', nowSeconds + 30)), 'alice')
  t.equal(await verdictOn(await withClaim('exp', nowSeconds + 30.5)), 'alice', 'half seconds are seconds')
})

t.test('a token expires to the second on the clock of this service', async t => {
  const token = await withClaim('exp', nowSeconds + 600)
  const at = (seconds: number) => ({ clock: { ...usual.clock, now: () => (nowSeconds + seconds) * 1000 } })
  t.equal(await verdictOn(token, at(599)), 'alice')
  t.equal(await verdictOn(token, at(600)), 'unauthenticated')
  t.equal(await verdictOn(token, at(601)), 'unauthenticated')
})

t.test('a token from the future is refused, but for the skew of two clocks', async t => {
  for (const nbf of [nowSeconds + 60, nowSeconds + 31_536_000, 'x', null, [], {}, true]) {
    t.equal(await verdictOn(await withClaim('nbf', nbf)), 'unauthenticated', JSON.stringify(nbf))
  }
  for (const nbf of [undefined, nowSeconds - 1, nowSeconds + 10]) {
    t.equal(await verdictOn(await withClaim('nbf', nbf)), 'alice', String(nbf))
  }
})

t.test('a token of another type is refused where one type is wanted', async t => {
  const wanted = { typ: 'at+jwt' }
  for (const typ of [
    'JWT',
    'jwt',
    'id+jwt',
    'logout+jwt',
    'at+jwt2',
    'xat+jwt',
    '',
    'application/jwt',
    undefined,
    null,
    1,
    ['at+jwt'],
    {}
  ]) {
    t.equal(await verdictOn(await signed(ec, { typ }), wanted), 'unauthenticated', JSON.stringify(typ) ?? 'missing')
  }
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) {
    t.equal(await verdictOn(await signed(ec, { typ }), wanted), 'alice', typ)
  }
})

t.test('a scope is granted by its whole name only', async t => {
  const wanted = { scope: 'replies:write' }
  for (const scope of [
    'replies:write2',
    'xreplies:write',
    'replies',
    'replies:*',
    '*',
    'REPLIES:WRITE',
    'replies:write,x',
    '',
    null,
    1,
    true,
    { 'replies:write': true },
    [['replies:write']],
    undefined
  ]) {
    for (const name of ['scope', 'scp']) {
      t.equal(await verdictOn(await withClaim(name, scope), wanted), 'forbidden', `${name} ${JSON.stringify(scope)}`)
    }
  }
  for (const scope of ['replies:write', 'a replies:write b', ['replies:write'], ['a', 'replies:write']]) {
    for (const name of ['scope', 'scp']) {
      t.equal(await verdictOn(await withClaim(name, scope), wanted), 'alice', `${name} ${JSON.stringify(scope)}`)
    }
  }
})

t.test('the same token gets the same answer a hundred times', async t => {
  const authenticate = createAuthenticator()
  const good = await signed(ec)
  const bad = await withClaim('aud', 'x')
  for (let count = 0; count < 100; count++) {
    t.equal((await authenticate(good)).subject, 'alice')
    await t.rejects(authenticate(bad), { code: 'unauthenticated' })
  }
})

t.test('two thousand tokens that differ in one claim are never mixed up', async t => {
  const authenticate = createAuthenticator()
  const subjects = Array.from({ length: 2000 }, (_, index) => `user-${index}`)
  const tokens = await Promise.all(subjects.map(sub => signed(ec, {}, { ...claims, sub })))

  for (const round of ['verified', 'remembered']) {
    const found = await Promise.all(tokens.map(token => authenticate(token)))
    t.same(
      found.map(({ subject }) => subject),
      subjects,
      round
    )
  }
})

t.test('a token with another last character is refused, or the same token', async t => {
  const authenticate = createAuthenticator()
  const good = await signed(ec)
  await authenticate(good)
  for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
    const found = await authenticate(good.slice(0, -1) + last).then(
      ({ subject }) => subject,
      ({ code }) => code
    )
    t.ok(found === 'alice' || found === 'unauthenticated', `${last}: ${found}`)
  }
})

t.test('a token of 12 KiB is read, and a longer one is not, however good it is', async t => {
  const empty = (await signed(ed, {}, { ...claims, pad: '' })).length
  const padded = async (length: number) => {
    for (let size = Math.floor(((length - empty) * 3) / 4) - 3; ; size++) {
      const token = await signed(ed, {}, { ...claims, pad: 'x'.repeat(size) })
      if (token.length >= length) return token
    }
  }
  const longest = await padded(12_286)
  t.ok(longest.length <= 12_288, `${longest.length} characters`)
  t.equal(await verdictOn(longest), 'alice')
  t.equal(await verdictOn(await padded(12_289)), 'unauthenticated', 'longer')
  t.equal(await verdictOn(await padded(13_312)), 'unauthenticated', '13 KiB')
})

t.test('a key source that has nothing to give opens nothing', async t => {
  const sources: Record<string, () => Promise<unknown>> = {
    'an empty text': async () => '',
    null: async () => null,
    'no bytes': async () => new Uint8Array(0),
    'an empty object': async () => ({}),
    'an error': async () => Promise.reject(new Error('canary')),
    'a text as error': async () => Promise.reject('canary')
  }
  for (const [name, find] of Object.entries(sources)) {
    const source: KeySource = {
      async *candidates() {
        yield (await find()) as VerificationKey
      },
      generation: 0,
      isReady: () => true,
      size: 1,
      close: () => undefined
    }
    for (const token of [
      hmacToken({ alg: 'HS256' }, claims, ''),
      hmacToken({ alg: 'HS256' }, claims, Buffer.alloc(0)),
      await signed(ec),
      tokenOf({ alg: 'HS256' }, claims)
    ]) {
      t.equal(await verdictOn(token, { keys: source, algorithms: ['HS256', 'ES256'] }), 'unauthenticated', name)
    }
  }
})
