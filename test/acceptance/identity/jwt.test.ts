import { createPrivateKey } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { exportJWK } from 'jose'
import t, { type Test } from 'tap'
import { hmacToken, rsaToken, secretsFromPublicKey, tokenOf } from '../../helpers/forged-tokens.ts'
import { createSigningKey, startIdentityProvider, type TokenParts } from '../../helpers/identity-provider.ts'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'
import { AUDIENCE } from '../../helpers/tokens.ts'

const rsa = await createSigningKey('rsa', 'RS256')
const rsaPrivate = createPrivateKey({ key: (await exportJWK(rsa.privateKey)) as Record<string, string>, format: 'jwk' })
const others = await Promise.all((['PS256', 'ES256', 'EdDSA'] as const).map(alg => createSigningKey(alg, alg)))
const provider = await startIdentityProvider(t, [rsa, ...others])
const header = { typ: 'at+jwt' }
const scope = { scope: 'replies:write' }
const claims = { iss: provider.issuer, aud: AUDIENCE, sub: 'alice', exp: Math.floor(Date.now() / 1000) + 600, ...scope }

function tokenFor(sub: string, parts: TokenParts = {}): Promise<string> {
  const { header: extra, claims: more, ...key } = parts
  return provider.tokenFor(sub, { ...key, header: { ...header, ...extra }, claims: { ...scope, ...more } })
}

const target = await startTarget(t, {
  env: { ...provider.env, AUTH_JWT_TYP: 'at+jwt', AUTH_JWT_SCOPE: 'replies:write' },
  mint: user => tokenFor(user)
})

/** Asserts that a token is refused as a credential, that it is not repeated, and that nobody is called. */
async function isNoCredential(t: Test, name: string, token: string): Promise<void> {
  const answer = await target.post({ token })
  isRefusal(t, answer, 401, 'unauthenticated', name)
  t.match(answer.headers.get('www-authenticate'), /^Bearer/, name)
  await isToldToNobody(t, token, answer)
}

/** The same for a key id that is not in the key set: where others just asked for it in vain, it may be a new one. */
async function opensNothing(t: Test, name: string, token: string): Promise<void> {
  const answer = await target.post({ token })
  if (answer.status === 503) isRefusal(t, answer, 503, 'identity-provider-unavailable', name)
  else isRefusal(t, answer, 401, 'unauthenticated', name)
  await isToldToNobody(t, token, answer)
}

async function isToldToNobody(t: Test, token: string, answer: Awaited<ReturnType<typeof target.post>>): Promise<void> {
  if (token.length > 40) t.notMatch(answer.text + JSON.stringify([...answer.headers]), token.slice(-40))
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
}

t.test('a token of each algorithm is accepted, and its bearer is who is posted as', async t => {
  for (const key of [rsa, ...others]) {
    for (const user of ['alice', 'bob']) {
      const answer = await target.post({ token: await tokenFor(user, { key }) })
      t.equal(answer.status, 201, `${key.alg} of ${user}`)
      t.same(
        target.takePosts().map(({ onBehalfOf }) => onBehalfOf),
        [user]
      )
    }
  }
})

t.test('a forged token is refused: no signature, or one by a published key', async t => {
  for (const alg of ['none', 'None', 'NONE', '']) {
    await isNoCredential(t, alg, tokenOf({ alg, kid: 'rsa', ...header }, claims))
    await isNoCredential(t, `${alg}, signed`, tokenOf({ alg, kid: 'rsa', ...header }, claims, 'x'.repeat(32)))
  }
  for (const [name, secret] of Object.entries(secretsFromPublicKey(rsa.jwk))) {
    await isNoCredential(t, `HS256 with ${name}`, hmacToken({ alg: 'HS256', kid: 'rsa', ...header }, claims, secret))
  }
})

t.test('a token signed under another name, with extensions, or too long is refused', async t => {
  const signedAs = (extra: object, payload: object = claims): string =>
    rsaToken({ alg: 'RS256', kid: 'rsa', ...header, ...extra }, payload, rsaPrivate)
  await isNoCredential(t, 'RS384', rsaToken({ alg: 'RS384', kid: 'rsa', ...header }, claims, rsaPrivate, 'sha384'))
  await isNoCredential(t, 'RS256 that says PS256', signedAs({ alg: 'PS256' }))
  await isNoCredential(t, 'an extension', signedAs({ crit: ['exp'], exp: 1 }))
  await isNoCredential(t, 'an unencoded payload', signedAs({ b64: false, crit: ['b64'] }))
  await isNoCredential(t, 'another kid', signedAs({ kid: 'PS256' }))
  await opensNothing(t, 'a path as kid', signedAs({ kid: '../../../../dev/null' }))
  await isNoCredential(t, 'another type', signedAs({ typ: 'JWT' }))
  await isNoCredential(t, 'no type', signedAs({ typ: undefined }))
  await isNoCredential(t, '13 KiB', signedAs({}, { ...claims, pad: 'x'.repeat(13 * 1024 * 0.75) }))
  await isNoCredential(t, 'padding', `${signedAs({})}==`)
  await isNoCredential(t, 'another issuer', signedAs({}, { ...claims, iss: 'https://evil.example' }))
  await isNoCredential(t, 'a list of issuers', signedAs({}, { ...claims, iss: [provider.issuer] }))
  await isNoCredential(t, 'another audience', signedAs({}, { ...claims, aud: 'other' }))
  await isNoCredential(t, 'no expiry', signedAs({}, { ...claims, exp: undefined }))
  await isNoCredential(t, 'an expiry as text', signedAs({}, { ...claims, exp: String(claims.exp) }))
  await isNoCredential(t, 'expired a second ago', signedAs({}, { ...claims, exp: Math.floor(Date.now() / 1000) - 1 }))
  await isNoCredential(t, 'not yet valid', signedAs({}, { ...claims, nbf: claims.exp }))

  t.equal((await target.post({ token: signedAs({}) })).status, 201, 'the same signature with nothing wrong')
  target.takePosts()
})

t.test('an address in a token is never called', async t => {
  let connections = 0
  const listener = createServer(socket => {
    connections++
    socket.destroy()
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  t.teardown(() => listener.close())
  const address = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/keys`
  const attacker = await createSigningKey('attacker', 'RS256')
  const attackerPrivate = createPrivateKey({
    key: (await exportJWK(attacker.privateKey)) as Record<string, string>,
    format: 'jwk'
  })

  for (const extra of [
    { jku: address },
    { x5u: address },
    { kid: address },
    { jwk: attacker.jwk },
    { jku: address, jwk: attacker.jwk, x5c: ['AA'] }
  ]) {
    const forged = rsaToken(
      { alg: 'RS256', kid: 'attacker', ...header, ...extra },
      { ...claims, iss: extra.jku ? address : claims.iss },
      attackerPrivate
    )
    await opensNothing(t, JSON.stringify(Object.keys(extra)), forged)
    await isNoCredential(
      t,
      'under a known id',
      rsaToken({ alg: 'RS256', ...header, ...extra, kid: 'rsa' }, claims, attackerPrivate)
    )
  }
  t.equal(connections, 0)
})

t.test('a token without the scope is refused, and told which one', async t => {
  for (const granted of [undefined, '', 'replies', 'replies:write2', 'REPLIES:WRITE', 1]) {
    const answer = await target.post({ token: await tokenFor('alice', { claims: { scope: granted } }) })
    isRefusal(t, answer, 403, 'forbidden', String(granted))
    t.equal(answer.headers.get('www-authenticate'), 'Bearer error="insufficient_scope", scope="replies:write"')
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a user who cannot be one in CometChat is refused, and nobody is called', async t => {
  for (const sub of [
    ...[
      'Alice',
      'ALICE',
      'auth0|x',
      'a b',
      ' alice',
      'alice ',
      '',
      ' ',
      'x'.repeat(101),
      'alice\n',
      'alice\r\nonBehalfOf: bob'
    ],
    ...[
      'alice\0',
      'аlice',
      'alıce',
      'é',
      '😀',
      'a.b',
      'a@b',
      'a/b',
      '../bob',
      'alice%20',
      '\ud800',
      1.5,
      2 ** 53,
      true,
      null,
      undefined,
      [],
      ['alice'],
      {}
    ]
  ]) {
    const answer = await target.post({ token: await tokenFor('', { claims: { sub: sub as string } }) })
    isRefusal(t, answer, 403, 'identity-unmappable', JSON.stringify(sub))
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
  t.equal((await target.post({ token: await tokenFor('bob') })).status, 201, 'a usable one is posted as')
})

t.test('hundreds of callers at once are each posted as themselves', async t => {
  const users = Array.from({ length: 300 }, (_, index) => `user-${index}`)
  for (const uid of users) target.emulator.addUser({ uid })
  target.emulator.addGroup({ guid: 'crowd', members: users })
  const { id } = target.emulator.addMessage({ sender: 'user-0', receiver: 'crowd', receiverType: 'group' })
  const key = others.find(({ alg }) => alg === 'ES256')
  const tokens = await Promise.all(users.map(user => tokenFor(user, key ? { key } : {})))
  const send = (index: number) =>
    target.post({
      parentId: id,
      token: tokens[index] ?? '',
      body: { receiver: 'crowd', receiverType: 'group', data: { text: users[index] } }
    })
  target.takePosts()

  const answers = await Promise.all([...users.keys(), ...users.keys()].map(send))

  t.ok(answers.every(({ status, json }, index) => status === 201 && json.data.sender === users[index % users.length]))
  const posts = target.takePosts()
  t.equal(posts.length, 600)
  t.ok(posts.every(({ onBehalfOf, message }) => onBehalfOf === message.data['text']))
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
