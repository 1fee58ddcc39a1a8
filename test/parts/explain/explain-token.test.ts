// What is said of a token before it is sent: the word that the log would have, for every way to fail, and never the token.
import { Readable } from 'node:stream'
import t from 'tap'
import { type Config, loadConfig } from '../../../src/config/load-config.ts'
import { runExplainToken } from '../../../src/parts/explain/command.ts'
import { hmacToken } from '../../helpers/forged-tokens.ts'
import { createSigningKey, startIdentityProvider } from '../../helpers/identity-provider.ts'
import { startJsonServer } from '../../helpers/json-server.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET } from '../../helpers/tokens.ts'

const minimal = { COMETCHAT_APP_ID: 'a1b2c3', COMETCHAT_REGION: 'eu', COMETCHAT_API_KEY: 'api-key-1' }
const files: Record<string, string> = { '/secret': SHARED_SECRET }
const configOf = (env: Readonly<Record<string, string>>): Config =>
  loadConfig({ ...minimal, ...env }, path => {
    const text = files[path]
    if (text === undefined) throw new Error('ENOENT')
    return text
  })
const single = configOf({
  AUTH_JWT_ISSUER: ISSUER,
  AUTH_JWT_AUDIENCE: AUDIENCE,
  AUTH_JWT_SECRET: SHARED_SECRET,
  AUTH_JWT_TYP: 'at+jwt',
  AUTH_JWT_SCOPE: 'write',
  AUTH_JWT_CLAIMS: 'client_id=web'
})
const now = Math.floor(Date.now() / 1000)
const good = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp: now + 600, scope: 'write', client_id: 'web' }
const signed = (claims: object = {}, header: object = {}, secret = SHARED_SECRET): string =>
  hmacToken({ alg: 'HS256', typ: 'at+jwt', ...header }, { ...good, ...claims }, secret)

/** The exit code, and what was written: never the token, nor the signature of one. */
async function said(input: string, config = single): Promise<{ code: number; output: string }> {
  const written: string[] = []
  const code = await runExplainToken(config, {
    stdin: Readable.from([input]),
    write: text => void written.push(text)
  })
  const output = written.join('')
  for (const part of input.split(/[\s."'`]/).filter(({ length }) => length > 16)) {
    t.notOk(output.includes(part), 'no part of the token is written')
  }
  return { code, output }
}

t.test('each way to fail is said with the word of the log and the variable that decides', async t => {
  const cases: [token: string, word: string, variable: RegExp][] = [
    ['a.b', 'token-form', /AUTH_INTROSPECTION_URL/],
    [`${signed()}.a.b`, 'token-encrypted', /its provider/],
    [signed({ pad: 'x'.repeat(12_000) }), 'token-too-long', /12 KiB/],
    [signed({}, { alg: 'HS512' }), 'token-algorithm', /AUTH_JWT_ALGORITHMS/],
    [signed({}, { crit: ['b64'] }), 'token-critical', /crit/],
    [signed({}, { typ: 'JWT' }), 'token-type', /AUTH_JWT_TYP/],
    [signed({ iss: 'https://other.test' }), 'token-issuer', /AUTH_JWT_ISSUER/],
    [signed({ aud: 'other' }), 'token-audience', /AUTH_JWT_AUDIENCE/],
    [signed({ exp: now - 1 }), 'token-expired', /exp/],
    [signed({ exp: undefined }), 'token-no-expiry', /exp/],
    [signed({ nbf: now + 600 }), 'token-early', /nbf/],
    [signed({}, {}, `${SHARED_SECRET}x`), 'token-signature', /AUTH_JWT_SECRET/],
    [signed({ client_id: 'other' }), 'token-claim', /AUTH_JWT_CLAIMS/],
    [signed({ scope: 'read' }), 'token-scope', /AUTH_JWT_SCOPE/],
    [signed({ sub: undefined }), 'uid-missing', /UID_CLAIM/],
    [signed({ sub: 'Alice' }), 'uid-form', /UID_CLAIM/]
  ]
  for (const [token, word, variable] of cases) {
    const { code, output } = await said(token)
    t.equal(code, 1, word)
    t.match(output, `refused: ${word} (`)
    t.match(output, /FAILS/, word)
    t.match(output, variable, word)
    t.notMatch(output, /^accepted/m)
  }
  t.match(await said(signed()), { code: 0, output: 'accepted: a reply is posted as UID "alice"' })
})

t.test('a token is taken as people copy it', async t => {
  const token = signed()
  const spellings = [
    token,
    `${token}\n`,
    ` \t${token}\r\n\r\n`,
    `Bearer ${token}`,
    `bearer\n${token}`,
    `Authorization: Bearer ${token}`,
    `"${token}"`,
    `'Bearer ${token}'`,
    `\`${token}\`\n`,
    `"authorization: bearer ${token}"`,
    `\ufeff${token}`,
    token.replaceAll(/.{60}/g, '$&\n  ')
  ]
  for (const spelling of spellings) t.equal((await said(spelling)).code, 0, spelling.slice(0, 24))
})

t.test('what is no token at all is refused, whatever it holds', async t => {
  for (const input of ['', '\n', 'Bearer', '""', '\u0000', '.', '..', 'x'.repeat(100_000), '\u001b[2J\u202e']) {
    const { code, output } = await said(input)
    t.equal(code, 1)
    t.match(output, /^refused: token-/m)
    for (const obeyed of ['\u0000', '\u001b', '\u202e']) t.notOk(output.includes(obeyed))
  }
})

t.test('of several issuers the entry that decides is named by its index and member', async t => {
  files['/issuers'] = JSON.stringify([
    { issuer: 'https://one.test', audience: ['replies'], uidStrip: 'u|', usersOf: 'people' },
    { issuer: 'app', secretFile: '/secret', claims: 'token_type=access', uidStrip: 'u|', usersOf: 'people' }
  ])
  const config = configOf({ AUTH_ISSUERS_FILE: '/issuers' })
  const ofApp = (claims: object): string => signed({ iss: 'app', sub: 'u|alice', token_type: 'access', ...claims })
  t.match(await said(ofApp({}), config), { code: 0, output: 'UID "alice"' })
  const cases: [claims: object, word: string, place: string][] = [
    [{ token_type: 'refresh' }, 'token-claim', 'AUTH_ISSUERS_FILE entry 1, claims'],
    [{ iss: 'other' }, 'token-issuer', 'no entry of AUTH_ISSUERS_FILE has it'],
    [{ iss: 'https://one.test/' }, 'token-issuer', 'a slash'],
    [{ sub: 'alice' }, 'uid-form', 'UID']
  ]
  for (const [claims, word, place] of cases) {
    const { code, output } = await said(ofApp(claims), config)
    t.equal(code, 1)
    t.match(output, word)
    t.match(output, place)
  }
})

t.test('an issuer that is asked decides, and what it said is not shown', async t => {
  const issuer = await startJsonServer(t)
  const config = configOf({
    AUTH_JWT_ISSUER: 'urn:issuer',
    AUTH_JWT_AUDIENCE: AUDIENCE,
    AUTH_JWT_CLAIMS: 'client_id=web',
    AUTH_INTROSPECTION_URL: issuer.url,
    AUTH_INTROSPECTION_TOKEN: 'canary-of-the-service',
    AUTH_INTROSPECTION_TOKENS: 'all'
  })
  const active = { active: true, sub: 'alice', aud: AUDIENCE, client_id: 'web', email: 'canary@example.com' }
  let count = 0
  const about = async (answer: object, status = 200) => {
    issuer.answerWith(answer, status)
    const result = await said(`Bearer 17|an-opaque-token-${count++}\n`, config)
    t.notMatch(result.output, 'canary')
    return result
  }
  t.match(await about(active), { code: 0, output: 'UID "alice"' })
  const cases: [answer: object, status: number, word: string][] = [
    [{ active: false }, 200, 'token-inactive'],
    [{ ...active, iss: 'urn:other' }, 200, 'token-issuer'],
    [{ ...active, aud: 'other' }, 200, 'token-audience'],
    [{ ...active, client_id: 'other' }, 200, 'token-claim'],
    [{ ...active, exp: now - 1 }, 200, 'token-expired'],
    [{}, 200, 'introspection-unreadable'],
    [{}, 401, 'introspection-refused']
  ]
  for (const [answer, status, word] of cases) {
    const { code, output } = await about(answer, status)
    t.equal(code, 1, word)
    t.match(output, `refused: ${word}`)
  }
  await issuer.stop()
  t.match(await about({}), { code: 1, output: 'introspection-unreachable' })
})

t.test(
  'keys that cannot be had are said with the reason of the log, and the rest is looked at all the same',
  async t => {
    const provider = await startIdentityProvider(t, [await createSigningKey('one')])
    const token = await provider.tokenFor('alice', { claims: { aud: 'other' } })
    const right = await provider.tokenFor('alice')
    const config = configOf({ AUTH_JWT_ISSUER: provider.issuer, AUTH_JWT_AUDIENCE: AUDIENCE })
    t.equal((await said(right, config)).code, 0)
    const stranger = await provider.tokenFor('alice', { key: await createSigningKey('two') })
    t.match(await said(stranger, config), { code: 1, output: 'refused: token-key' })
    provider.failMetadata((_request, response) => void response.end(JSON.stringify({ issuer: `${provider.issuer}/` })))
    t.match(await said(right, config), {
      code: 1,
      output: /keys-other-issuer; .*slash[\s\S]*refused: keys-other-issuer/
    })
    await provider.stop()
    t.match(await said(right, config), {
      code: 1,
      output: /FAILS {2}signature {2}not known[\s\S]*refused: keys-unreachable/
    })
    t.match(await said(token, config), { code: 1, output: /FAILS {2}aud [\s\S]*refused: token-audience/ })
  }
)

t.test('where bearer tokens are off that is said', async t => {
  const config = configOf({ AUTH_SESSION_STORE_URL: 'rediss://h', AUTH_SESSION_SECRET: SHARED_SECRET })
  t.match(await said(signed(), config), { code: 1, output: 'refused: credential-off' })
})
