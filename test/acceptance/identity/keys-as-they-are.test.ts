// Keys as issuers really publish them, tenants, files that change, and what must not be taken for any of it: over the wire.

import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { SignJWT } from 'jose'
import t from 'tap'
import { selfSigned } from '../../helpers/certificate.ts'
import { hmacToken } from '../../helpers/forged-tokens.ts'
import {
  createSigningKey,
  type SigningKey,
  startIdentityProvider,
  type TokenParts
} from '../../helpers/identity-provider.ts'
import { IN_MEMORY } from '../../helpers/service-process.ts'
import { isRefusal, startTarget } from '../../helpers/target.ts'
import { AUDIENCE, SHARED_SECRET } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'keys-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
/** As an operator replaces a file: whole, by a rename. */
function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
  return path
}

const [one, two, three, numbered, foreign] = await Promise.all([
  createSigningKey('one'),
  createSigningKey('one'),
  createSigningKey('three'),
  createSigningKey('7', 'EdDSA'),
  createSigningKey('foreign', 'RS256')
])
const bare = ({ jwk: { kid: _, ...jwk } }: SigningKey) => jwk
const provider = await startIdentityProvider(t, [one])
const tenants = await startIdentityProvider(t, [three])
const redirected = await startIdentityProvider(t, [foreign])
const impostor = await startIdentityProvider(t, [foreign])
const accepts: unknown[] = []
/** The same key twice, one id twice, a key without an id and one with a number; compressed, whoever asks. */
provider.failKeys((request: IncomingMessage, response: ServerResponse) => {
  accepts.push(request.headers.accept)
  const keys = [one.jwk, one.jwk, two.jwk, bare(three), { ...numbered.jwk, kid: 7, alg: 'Ed25519' }]
  response.writeHead(200, { 'content-type': 'application/jwk-set+json', 'content-encoding': 'gzip' })
  response.end(gzipSync(JSON.stringify({ keys })))
})
redirected.failKeys((_request, response) => void response.writeHead(302, { location: `${provider.issuer}/keys` }).end())
impostor.failMetadata(
  (_request, response) =>
    void response.end(JSON.stringify({ issuer: provider.issuer, jwks_uri: `${provider.issuer}/keys` }))
)

const [certificate, renewed] = [selfSigned('issuer.test'), selfSigned('issuer.test')]
const people = { audience: [AUDIENCE], usersOf: 'people' }
const target = await startTarget(t, {
  env: {
    AUTH_JWT_ISSUER: undefined,
    AUTH_JWT_AUDIENCE: undefined,
    AUTH_JWT_SECRET: undefined,
    AUTH_ISSUERS_FILE: write(
      'issuers.json',
      JSON.stringify([
        { issuer: provider.issuer, ...people },
        {
          issuer: `${tenants.issuer}/{tenantid}/v2.0`,
          jwksUrl: `${tenants.issuer}/keys`,
          tenants: ['tenant-a', 'tenant-b'],
          ...people
        },
        { issuer: redirected.issuer, ...people },
        { issuer: impostor.issuer, ...people },
        { issuer: 'file', keyFile: write('key.pem', certificate.cert), ...people },
        { issuer: 'app', secretFile: write('secret', SHARED_SECRET), uidClaim: '__proto__.sub', ...people },
        {
          issuer: 'paths',
          secretFile: write('other', SHARED_SECRET),
          uidClaim: 'user.id',
          claims: '!constructor',
          ...people
        }
      ])
    )
  },
  mint: user => provider.tokenFor(user)
})

/** The status of a token, and the reason in the log. */
async function judged(token: string): Promise<readonly [number, unknown]> {
  const answer = await target.post({ token })
  if (answer.status === 201) target.takePosts()
  else isRefusal(t, answer, answer.status, answer.json.code)
  const id = answer.headers.get('x-request-id')
  const line = await target.service.lineWhere(entry => entry['requestId'] === id)
  t.notOk(target.service.output.join().includes(token.slice(-20)), 'nothing of the token is in the log')
  return [answer.status, line['reason']]
}
const ok = [201, undefined] as const

t.test('every key of a set counts, however it is listed, and at most once', async t => {
  const headers: [title: string, parts: TokenParts][] = [
    ['a key that is there twice', { key: one }],
    ['the other key of that id', { key: two }],
    ['a key without an id', { key: three, header: { kid: undefined } as object }],
    ['a key without an id, which the token has', { key: three }],
    ['a number as the id', { key: numbered, header: { kid: 7 } as object }],
    ['the same as a text', { key: numbered }],
    ['no id, where several fit', { key: two, header: { kid: undefined } as object }]
  ]
  for (const [title, parts] of headers) t.strictSame(await judged(await provider.tokenFor('alice', parts)), ok, title)
  t.strictSame(await judged(await provider.tokenFor('alice', { key: { ...foreign, kid: 'one' } })), [401, 'token-key'])
  const stolen = { ...(await createSigningKey('one')), kid: 'one' }
  t.strictSame(await judged(await provider.tokenFor('alice', { key: stolen })), [401, 'token-signature'])
  t.match(accepts[0], /application\/json.*\*\/\*/)
})

t.test('a tenant that is listed gets in by its own name, and no other does', async t => {
  const ofTenant = (name: string, claims: object = {}) =>
    tenants.tokenFor('alice', { claims: { iss: `${tenants.issuer}/${name}/v2.0`, tid: name, ...claims } })
  for (const name of ['tenant-a', 'tenant-b']) t.strictSame(await judged(await ofTenant(name)), ok)
  t.strictSame(await judged(await ofTenant('tenant-c')), [401, 'token-issuer'])
  t.strictSame(await judged(await ofTenant('{tenantid}')), [401, 'token-issuer'])
  for (const tid of ['tenant-b', undefined, null, ['tenant-b'], { 'tenant-a': 1 }, '']) {
    t.strictSame(await judged(await ofTenant('tenant-a', { tid })), [401, 'token-claim'], JSON.stringify(tid))
  }
})

t.test('a redirect is not followed, and metadata of another issuer lead nowhere', async t => {
  t.strictSame(await judged(await redirected.tokenFor('alice')), [503, 'keys-status-302'])
  t.strictSame(await judged(await impostor.tokenFor('alice', { key: one })), [503, 'keys-other-issuer'])
  const ready = await fetch(`${target.service.adminUrl}/readyz?verbose`)
  t.equal(ready.status, 200, 'two issuers of seven keep their own users out alone')
  const { warnings } = (await ready.json()) as { warnings: string[] }
  t.same(
    new Set(warnings),
    new Set([...[redirected, impostor].map(({ issuer }) => `identity-provider-keys ${issuer}`), IN_MEMORY])
  )
})

t.test('a certificate that is renewed counts at once, and the former one no longer', async t => {
  const signedBy = (key: string): Promise<string> =>
    new SignJWT({ iss: 'file', aud: AUDIENCE, sub: 'alice' })
      .setProtectedHeader({ alg: 'ES256', kid: 'whatever' })
      .setExpirationTime('5m')
      .sign(createPrivateKey(key))
  const [former, next] = [await signedBy(certificate.key), await signedBy(renewed.key)]
  t.strictSame(await judged(former), ok)
  t.strictSame(await judged(next), [401, 'token-signature'])

  write('key.pem', renewed.cert.slice(0, 100))
  const alarm = await target.service.lineWhere(line => line['alarm'] === 'key-file')
  t.match(alarm, { issuer: 'file', keys: 1, problem: /holds no key/ })
  t.strictSame(await judged(former), ok, 'half a file changes nothing')
  write('key.pem', renewed.cert)
  await target.service.lineWhere(({ msg, issuer }) => msg === 'a file of keys changed' && issuer === 'file')
  t.strictSame(await judged(next), ok)
  t.strictSame(await judged(former), [401, 'token-signature'])
})

t.test('a path through what objects inherit leads nowhere, and odd claims are nobody', async t => {
  const exp = Math.floor(Date.now() / 1000) + 600
  const signed = (claims: string): string => hmacToken({ alg: 'HS256' }, claims, SHARED_SECRET)
  const app = (more: string): string => signed(`{"iss":"app","aud":"${AUDIENCE}","exp":${exp}${more}}`)
  t.strictSame(await judged(app('')), [403, 'uid-missing'])
  t.strictSame(await judged(app(',"sub":"alice"')), [403, 'uid-missing'])
  t.strictSame(
    await judged(app(',"__proto__":{"sub":"alice"}')),
    ok,
    'an own member of that name is one like any other'
  )
  const paths = (more: object): string =>
    hmacToken({ alg: 'HS256' }, { iss: 'paths', aud: AUDIENCE, exp, ...more }, SHARED_SECRET)
  t.strictSame(await judged(paths({ user: { id: 'alice' } })), ok)
  t.strictSame(await judged(paths({ user: { id: 'alice' }, constructor: 'own' })), [401, 'token-claim'])
  for (const user of ['alice', ['alice'], { id: ['alice'] }, { id: {} }, { id: true }, { id: 1.5 }, { id: 2 ** 53 }]) {
    t.match(await judged(paths({ user })), [403, /^uid-(form|missing)$/], JSON.stringify(user))
  }
  for (const odd of [
    { exp: `${exp}` },
    { exp: null },
    { exp: [exp] },
    { exp: -1 },
    { nbf: 'x' },
    { iss: ['paths'] },
    { aud: { [AUDIENCE]: 1 } }
  ]) {
    const [status] = await judged(paths({ user: { id: 'alice' }, ...odd }))
    t.equal(status, 401, JSON.stringify(odd))
  }
})

t.test('many claims are too many by their length, at whichever of the two bounds', async t => {
  const exp = Math.floor(Date.now() / 1000) + 600
  const many = (bytes: number): string =>
    hmacToken(
      { alg: 'HS256' },
      { iss: 'paths', aud: AUDIENCE, exp, user: { id: 'alice' }, pad: 'x'.repeat(bytes) },
      SHARED_SECRET
    )
  t.strictSame(await judged(many(8500)), ok)
  t.strictSame(await judged(many(9500)), [401, 'token-too-long'])
  const answer = await target.post({ token: many(100_000) })
  t.equal(answer.status, 431)
  t.equal(answer.json.code, 'headers-too-large')
})

t.test('a file of issuers with a mistake in one entry changes nothing', async t => {
  write(
    'issuers.json',
    JSON.stringify([
      { issuer: provider.issuer, ...people },
      { issuer: 'x', claims: 'canary=', keyFile: '/canary' }
    ])
  )
  const alarm = await until(() => target.service.logLines().find(line => line['alarm'] === 'issuers-file'))
  t.match(alarm, {
    issuers: 7,
    problem: /entry 1, keyFile names a file.* AUTH_ISSUERS_FILE entry 1, claims has an empty/
  })
  t.notMatch(JSON.stringify(alarm), 'canary')
  t.strictSame(await judged(await provider.tokenFor('alice')), ok)
  t.strictSame(
    await judged(
      await tenants.tokenFor('alice', { claims: { iss: `${tenants.issuer}/tenant-a/v2.0`, tid: 'tenant-a' } })
    ),
    ok
  )
})
