import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { hmacToken } from '../../helpers/forged-tokens.ts'
import { createSigningKey, startIdentityProvider } from '../../helpers/identity-provider.ts'
import { isRefusal, startTarget } from '../../helpers/target.ts'
import { SHARED_SECRET } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'issuers-'))
const path = (name: string): string => join(folder, name)
/** As an operator replaces a file: whole, by a rename. */
function write(name: string, text: string): string {
  writeFileSync(path(`${name}.new`), text)
  renameSync(path(`${name}.new`), path(name))
  return path(name)
}

const same = 'the-same-key-id'
const keys = [
  await createSigningKey(same),
  await createSigningKey(same, 'RS256'),
  await createSigningKey('late', 'ES384')
] as const
const here = await startIdentityProvider(t, [keys[0]])
const there = await startIdentityProvider(t, [keys[1]])
const now = Math.floor(Date.now() / 1000)
const homeMade = (claims: object = {}): string =>
  hmacToken(
    { alg: 'HS512' },
    { iss: 'app', token_type: 'access', user: { id: 'alice' }, exp: now + 600, ...claims },
    SHARED_SECRET,
    'sha512'
  )
const entries = [
  { issuer: here.issuer, audience: ['replies'], usersOf: 'people' },
  { issuer: there.issuer, claims: 'client_id=web|ios,token_use=access', usersOf: 'people' },
  {
    issuer: 'app',
    secretFile: write('secret', `${SHARED_SECRET}\n`),
    algorithms: ['HS512'],
    claims: 'token_type=access',
    uidClaim: 'user.id',
    usersOf: 'people'
  }
]
const target = await startTarget(t, {
  env: {
    AUTH_JWT_ISSUER: undefined,
    AUTH_JWT_AUDIENCE: undefined,
    AUTH_JWT_SECRET: undefined,
    AUTH_ISSUERS_FILE: write('issuers.json', JSON.stringify(entries))
  },
  mint: user => here.tokenFor(user)
})
const thereToken = (claims: object = {}): Promise<string> =>
  there.tokenFor('alice', { claims: { aud: [], client_id: 'web', token_use: 'access', ...claims } })

/** The reason that the log has for the refusal of a token, which must be the only thing it says of it. */
async function reasonFor(token: string): Promise<unknown> {
  const answer = await target.post({ token })
  isRefusal(t, answer, 401, 'unauthenticated')
  const id = answer.headers.get('x-request-id')
  const line = await target.service.lineWhere(entry => entry['requestId'] === id)
  t.notMatch(JSON.stringify(target.service.logLines()), token.slice(-20), 'nothing of the token is in the log')
  return line['reason']
}

t.test('a token is judged by the entry of its issuer alone, although two have one key id', async t => {
  for (const token of [
    await here.tokenFor('alice'),
    await thereToken(),
    homeMade(),
    homeMade({ user: { id: 'bob' } })
  ]) {
    t.equal((await target.post({ token })).status, 201)
  }
  target.takePosts()
  t.equal(await reasonFor(await here.tokenFor('alice', { key: keys[1] })), 'token-key', "another issuer's key")
  t.equal(await reasonFor(await here.tokenFor('alice', { claims: { aud: 'other' } })), 'token-audience')
  t.equal(await reasonFor(await here.tokenFor('alice', { claims: { iss: 'https://evil.example' } })), 'token-issuer')
  t.equal(await reasonFor(await here.tokenFor('alice', { claims: { exp: now - 1 } })), 'token-expired')
  t.equal(await reasonFor(await thereToken({ token_use: 'id' })), 'token-claim')
  t.equal(await reasonFor(await thereToken({ client_id: 'other' })), 'token-claim')
  t.equal(await reasonFor(homeMade({ token_type: 'refresh' })), 'token-claim')
  t.equal(
    await reasonFor(hmacToken({ alg: 'HS256' }, { iss: 'app', exp: now + 600 }, SHARED_SECRET)),
    'token-algorithm'
  )
  t.equal(await reasonFor(homeMade().slice(0, -4)), 'token-signature')
  t.equal(await reasonFor('a.b.c.d.e'), 'token-encrypted')
  t.equal(await reasonFor('opaque'), 'token-form')
  t.same(target.takePosts(), [])
})

t.test('each issuer is said in one line, without a secret', async t => {
  const lines = target.service.logLines().filter(({ msg }) => msg === 'tokens of this issuer are accepted')
  t.same(new Set(lines.map(line => line['issuer'])), new Set(entries.map(({ issuer }) => issuer)))
  t.match(
    String(lines.find(line => line['issuer'] === here.issuer)?.['rules']),
    /^keys by discovery \(1\), .*audience replies/
  )
  t.notMatch(JSON.stringify(lines), SHARED_SECRET)
})

t.test('a file that is wrong changes nothing, and one that is right counts at once', async t => {
  write('issuers.json', JSON.stringify([{ ...entries[0], audience: 'canary' }]))
  await until(() => target.service.logLines().some(line => line['alarm'] === 'issuers-file'))
  const alarm = target.service.logLines().find(line => line['alarm'] === 'issuers-file')
  t.match(alarm?.['problem'], /entry 0, audience/)
  t.notMatch(JSON.stringify(alarm), 'canary')
  const token = await here.tokenFor('alice')
  t.equal((await target.post({ token })).status, 201)

  write('issuers.json', JSON.stringify([entries[1]]))
  await until(() => target.service.logLines().some(({ msg }) => msg === 'the file of AUTH_ISSUERS_FILE changed'))
  t.equal(await reasonFor(token), 'token-issuer', 'although it was accepted a moment ago')
  t.equal((await target.post({ token: await thereToken() })).status, 201)
  target.takePosts()
})

t.test('an issuer that is away keeps its own users out and no other, and probes name it', async t => {
  const away = await startIdentityProvider(t, [keys[2]])
  await away.stop()
  write('issuers.json', JSON.stringify([{ issuer: away.issuer, audience: ['replies'], usersOf: 'people' }, entries[1]]))
  const verbose = async () => (await fetch(`${target.service.adminUrl}/readyz?verbose`)).json()
  await until(async () => JSON.stringify(await verbose()).includes(away.issuer))

  isRefusal(t, await target.post({ token: await away.tokenFor('alice') }), 503, 'identity-provider-unavailable')
  t.equal((await target.post({ token: await thereToken() })).status, 201)
  t.match(await verbose(), { status: 'ready', reasons: [], warnings: [`identity-provider-keys ${away.issuer}`] })
  target.takePosts()
})
