import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Environment } from '../../src/config/env-reader.ts'
import { ISSUERS_FILE_SCHEMA } from '../../src/config/issuers/issuers-file.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { refusalsOf } from './refusals.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = pair.publicKey.export({ format: 'jwk' })
const SECRET = 'a-shared-secret-for-tests-of-40-bytes-xx'
const files: Record<string, string> = {
  '/pem': pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  '/jwk': JSON.stringify(jwk),
  '/half': JSON.stringify(jwk).slice(0, 40),
  '/private': pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  '/private-jwk': JSON.stringify({ keys: [jwk, pair.privateKey.export({ format: 'jwk' })] }),
  '/oct': '{"kty":"oct","k":"AAAA"}',
  '/empty': '{"keys":[]}',
  '/secret': `${SECRET}\n`,
  '/short': 'canary'
}
const minimal: Environment = { COMETCHAT_APP_ID: 'a1b2c3', COMETCHAT_REGION: 'eu', COMETCHAT_API_KEY: 'api-key-1' }
const single: Environment = { AUTH_JWT_ISSUER: 'https://issuer.test', AUTH_JWT_AUDIENCE: 'replies' }

function load(env: Environment) {
  return loadConfig({ ...minimal, ...env }, path => {
    const text = files[path]
    if (text === undefined) throw new Error('ENOENT')
    return text
  })
}

function problemsOf(env: Environment): readonly string[] {
  return refusalsOf(() => load(env))
}

t.test('each way to say which tokens count is accepted', async t => {
  const noIssuer = { UID_ISSUER: 'app' }
  const cases: [title: string, env: Environment, found: object][] = [
    ['several audiences', { ...single, AUTH_JWT_AUDIENCE: 'ios, web' }, { audiences: ['ios', 'web'] }],
    ['an audience elsewhere', { AUTH_JWT_ISSUER: 'https://i.test', AUTH_JWT_CLAIMS: 'client_id=a|b' }, {}],
    ['no audience at all', { ...single, AUTH_JWT_AUDIENCE: 'unchecked' }, {}],
    ['a secret alone', { ...noIssuer, AUTH_JWT_SECRET: SECRET }, { usersOf: 'app', algorithms: ['HS256'] }],
    ['two secrets', { ...single, AUTH_JWT_SECRET: `${SECRET},${SECRET}2` }, { secrets: { length: 2 } }],
    [
      'longer hashes',
      { ...single, AUTH_JWT_SECRET: SECRET, AUTH_JWT_ALGORITHMS: 'HS384,HS512' },
      { algorithms: ['HS384', 'HS512'] }
    ],
    ['a PEM', { ...noIssuer, AUTH_JWT_KEY_FILE: '/pem' }, { keyFile: { path: '/pem' } }],
    ['a JWK, of an issuer that is no URL', { ...single, AUTH_JWT_ISSUER: 'acme.com', AUTH_JWT_KEY_FILE: '/jwk' }, {}],
    ['an issuer under another name', { ...single, UID_ISSUER: 'urn:us' }, { usersOf: 'urn:us' }],
    [
      'a host inside a cluster',
      { ...single, AUTH_JWT_ISSUER: 'http://keycloak:8080/realms/a', AUTH_HTTP_HOSTS: 'keycloak:8080' },
      {}
    ]
  ]
  for (const [title, env, found] of cases) {
    t.same(problemsOf(env), [], title)
    t.match(load(env).auth.jwt, found, title)
  }
})

t.test('what cannot work is refused in one sentence, and no second one follows from it', async t => {
  const cases: [title: string, env: Environment, problem: RegExp][] = [
    [
      'a list of issuers',
      { ...single, AUTH_JWT_ISSUER: 'https://a/,https://b/' },
      /^AUTH_JWT_ISSUER takes one value.*FILE/
    ],
    ['a list of scopes', { ...single, AUTH_JWT_SCOPE: 'a,b' }, /^AUTH_JWT_SCOPE takes one value, .* like a list\.$/],
    ['a list of claims for the UID', { ...single, UID_CLAIM: 'sub,oid' }, /^UID_CLAIM takes one value/],
    ['a list of key sets', { ...single, AUTH_JWT_JWKS_URL: 'https://a/k,https://b/k' }, /^AUTH_JWT_JWKS_URL takes one/],
    [
      'no audience',
      { AUTH_JWT_ISSUER: 'https://i.test' },
      /^AUTH_JWT_AUDIENCE must be set.*AUTH_JWT_CLAIMS.*unchecked/
    ],
    [
      'a claim that only has to be there',
      { AUTH_JWT_ISSUER: 'https://i.test', AUTH_JWT_CLAIMS: 'sid' },
      /^AUTH_JWT_AUDIENCE must be set/
    ],
    [
      'an empty alternative',
      { AUTH_JWT_ISSUER: 'https://i.test', AUTH_JWT_CLAIMS: 'azp=' },
      /^AUTH_JWT_CLAIMS has an empty/
    ],
    [
      'unchecked and more',
      { ...single, AUTH_JWT_AUDIENCE: 'unchecked,a' },
      /^AUTH_JWT_AUDIENCE must be unchecked alone/
    ],
    [
      'a short secret',
      { AUTH_JWT_ISSUER: 'acme.com', AUTH_JWT_SECRET: 'canary' },
      /^AUTH_JWT_SECRET must have at least 32/
    ],
    ['a secret in two halves', { ...single, AUTH_JWT_SECRET: `${SECRET},canary` }, /a comma separates two secrets/],
    [
      'an issuer that is no URL',
      { ...single, AUTH_JWT_ISSUER: 'acme.com' },
      /^AUTH_JWT_ISSUER must be .*AUTH_JWT_KEY_FILE/
    ],
    [
      'half a key file',
      { ...single, AUTH_JWT_KEY_FILE: '/half' },
      /^The file of AUTH_JWT_KEY_FILE is not JSON, or only half/
    ],
    ['a private key', { ...single, AUTH_JWT_KEY_FILE: '/private' }, /holds a private key/],
    ['a private key in a set', { ...single, AUTH_JWT_KEY_FILE: '/private-jwk' }, /holds a private key/],
    ['a secret in a key file', { ...single, AUTH_JWT_KEY_FILE: '/oct' }, /holds a shared secret/],
    ['a key file without a key', { ...single, AUTH_JWT_KEY_FILE: '/empty' }, /holds no key/],
    [
      'no key file',
      { ...single, AUTH_JWT_KEY_FILE: '/nowhere' },
      /^AUTH_JWT_KEY_FILE names a file that cannot be read/
    ],
    [
      'two kinds of keys',
      { ...single, AUTH_JWT_SECRET: SECRET, AUTH_JWT_KEY_FILE: '/pem', AUTH_JWT_ALGORITHMS: undefined },
      /exclude each other/
    ],
    [
      'a hash without a secret',
      { ...single, AUTH_JWT_ALGORITHMS: 'HS256' },
      /^AUTH_JWT_ALGORITHMS must list some of: RS256/
    ],
    [
      'a public algorithm for a secret',
      { ...single, AUTH_JWT_SECRET: SECRET, AUTH_JWT_ALGORITHMS: 'RS256' },
      /^AUTH_JWT_ALGORITHMS must list some of: HS256, HS384, HS512/
    ],
    ['users of nobody', { AUTH_JWT_SECRET: SECRET }, /^UID_ISSUER must be set beside AUTH_JWT_SECRET/],
    ['claims without tokens', { AUTH_JWT_CLAIMS: 'a=b' }, /^AUTH_JWT_CLAIMS needs AUTH_JWT_ISSUER/],
    [
      'a host without its port',
      { ...single, AUTH_HTTP_HOSTS: 'http://keycloak:8080' },
      /^AUTH_HTTP_HOSTS must list hosts/
    ],
    [
      'another port',
      { ...single, AUTH_JWT_JWKS_URL: 'http://keycloak:8081/certs', AUTH_HTTP_HOSTS: 'keycloak:8080' },
      /^AUTH_JWT_JWKS_URL must be https/
    ]
  ]
  for (const [title, env, problem] of cases) {
    const problems = problemsOf(env)
    t.equal(problems.length, 1, `${title}: ${problems.join(' ')}`)
    t.match(problems[0], problem, title)
    t.notMatch(problems.join(), 'canary', title)
  }
})

t.test('the issuer is asked with a client or with a token, and not with both', async t => {
  const url = { ...single, AUTH_INTROSPECTION_URL: 'https://issuer.test/introspect' }
  const token = { AUTH_INTROSPECTION_TOKEN: 'canary-token' }
  t.match(load({ ...url, ...token }).auth.introspection, { client: { token: {} }, tokens: 'opaque' })
  t.match(problemsOf({ ...url, ...token, AUTH_INTROSPECTION_CLIENT_ID: 'x' }), [/exclude each other/])
  t.match(problemsOf(url), [/AUTH_INTROSPECTION_TOKEN/])
  t.match(problemsOf({ ...single, ...token }), [/^AUTH_INTROSPECTION_TOKEN needs AUTH_INTROSPECTION_URL/])
  t.notMatch(JSON.stringify(load({ ...url, ...token })), 'canary')
})

const entry = { issuer: 'https://one.test', audience: ['replies'] }
const other = { issuer: 'https://two.test', claims: 'client_id=abc', keyFile: '/pem', uidClaim: 'oid', usersOf: 'two' }
const fileOf = (...entries: unknown[]): Environment => {
  files['/issuers'] = JSON.stringify(entries)
  return { AUTH_ISSUERS_FILE: '/issuers', UID_MODE: 'hash' }
}

t.test('a file holds several issuers, each with its own rules', async t => {
  const tenants = { issuer: 'https://login.test/{tenantid}/v2.0', tenants: ['a', 'b'], jwksUrl: 'https://login.test/k' }
  const moving = {
    issuer: 'https://three.test',
    audience: ['x'],
    jwksUrl: 'https://three.test/k',
    secretFile: '/secret'
  }
  const { issuers, jwt } = load(fileOf(entry, other, { ...tenants, audience: ['x'] }, moving)).auth
  t.equal(jwt, undefined)
  t.match(issuers?.issuers, [
    { issuer: 'https://one.test', usersOf: 'https://one.test', audiences: ['replies'], uidClaim: 'sub' },
    { issuer: 'https://two.test', usersOf: 'two', uidClaim: 'oid', claims: [{ name: 'client_id' }] },
    { tenants: ['a', 'b'] },
    { algorithms: ['HS256', 'RS256'], secrets: { length: 1 } }
  ])
})

t.test('every mistake in the file is in one message, by entry and member and without a value', async t => {
  const cases: [title: string, entries: unknown[], problems: RegExp[]][] = [
    ['no issuer', [entry, { audience: ['canary'] }], [/entry 1, issuer: expected/]],
    ['an unknown member', [{ ...entry, canary: 1 }], [/entry 0, an unknown member: unexpected property/]],
    ['a text for a list', [{ ...entry, audience: 'canary' }], [/entry 0, audience: expected array/]],
    ['nothing', [], [/AUTH_ISSUERS_FILE: expected array/]],
    ['one issuer twice', [entry, { ...entry, audience: ['b'] }], [/entry 1, issuer: entry 0 has it already/]],
    ['no audience', [{ issuer: 'https://canary.test' }], [/entry 0, audience must be set/]],
    ['bad claims', [{ ...entry, claims: 'canary=' }], [/entry 0, claims has an empty value/]],
    ['a file of nothing', [{ ...entry, keyFile: '/canary' }], [/entry 0, keyFile names a file/]],
    ['a short secret', [{ ...entry, secretFile: '/short' }], [/entry 0, secretFile must hold/]],
    ['no tenants', [{ ...entry, issuer: 'https://a.test/{tenantid}' }], [/entry 0, tenants must list which/]],
    ['tenants of nothing', [{ ...entry, tenants: ['canary'] }], [/entry 0, tenants needs \{tenantid\}/]],
    ['an open key set', [{ ...entry, jwksUrl: 'http://canary.test/k' }], [/entry 0, jwksUrl must be https/]],
    ['a hash for no secret', [{ ...entry, algorithms: ['HS256'] }], [/entry 0, algorithms must list some of: RS256/]],
    [
      'one of several',
      [{ ...entry, scope: 'a', actScope: 'a' }, { issuer: 'canary' }],
      [/entry 0.*differ/, /entry 1/, /entry 1/]
    ]
  ]
  for (const [title, entries, wanted] of cases) {
    const problems = problemsOf(fileOf(...entries))
    t.match(problems, wanted, title)
    t.equal(problems.length, wanted.length, `${title}: ${problems.join(' ')}`)
    t.notMatch(problems.join(), 'canary', title)
  }
  files['/issuers'] = '[{"issuer":'
  t.match(problemsOf({ AUTH_ISSUERS_FILE: '/issuers' }), [/^AUTH_ISSUERS_FILE is not JSON/])
  t.match(problemsOf({ AUTH_ISSUERS_FILE: '/nowhere' }), [/^AUTH_ISSUERS_FILE names a file that cannot be read/])
})

t.test('two populations are never one: not by name, and not by a session', async t => {
  const two = fileOf(entry, { ...other, usersOf: undefined })
  t.match(problemsOf({ ...two, UID_MODE: 'verbatim' }), [/several issuers, and UID_MODE=verbatim would take two/])
  t.same(problemsOf({ ...fileOf(entry, { ...other, usersOf: entry.issuer }), UID_MODE: 'verbatim' }), [])
  for (const UID_MODE of ['hash', 'lower']) t.same(problemsOf({ ...two, UID_MODE }), [], UID_MODE)
  const session = { AUTH_SESSION_STORE_URL: 'rediss://h', AUTH_SESSION_SECRET: SECRET }
  t.match(problemsOf({ ...fileOf(entry, other), ...session }), [/^AUTH_SESSION_ISSUER must be set/])
  const shared = load({ ...fileOf(entry, other), ...session, AUTH_SESSION_ISSUER: 'https://two.test' })
  t.equal(shared.auth.session?.issuer, 'two', 'a session of an issuer has the users of its entry')
})

t.test('sessions and the login have the users of an entry by the same rules, or the start is refused', async t => {
  const session = { AUTH_SESSION_STORE_URL: 'rediss://h', AUTH_SESSION_SECRET: SECRET }
  const login = {
    AUTH_LOGIN_CLIENT_ID: 'a',
    AUTH_LOGIN_CLIENT_SECRET: SECRET,
    AUTH_LOGIN_URL: 'https://chat.test',
    AUTH_LOGIN_ISSUER: 'https://two.test'
  }
  const stripped = fileOf(entry, { ...other, uidStrip: 'auth0|' })
  const meets = /has the users of AUTH_ISSUERS_FILE entry 1, whose uidStrip is not UID_STRIP/
  for (const AUTH_SESSION_ISSUER of ['two', 'https://two.test']) {
    const env = { ...stripped, ...session, AUTH_SESSION_ISSUER }
    t.match(problemsOf(env), [meets], AUTH_SESSION_ISSUER)
    t.same(problemsOf({ ...env, UID_STRIP: 'auth0|' }), [])
    t.same(problemsOf({ ...env, UID_MODE: 'lower' }), [], 'there owners tell them apart')
    t.same(problemsOf({ ...env, AUTH_SESSION_ISSUER: 'others' }), [])
  }
  t.match(problemsOf({ ...stripped, ...login }), [/^AUTH_LOGIN_ISSUER has the users of AUTH_ISSUERS_FILE entry 1/])
  t.same(problemsOf({ ...fileOf(entry, other), ...login }), [])

  const strangers = { ...fileOf(entry), UID_MODE: 'verbatim', ...session, AUTH_SESSION_ISSUER: 'others' }
  t.match(problemsOf(strangers), [/^AUTH_SESSION_ISSUER has other users than AUTH_ISSUERS_FILE, and UID_MODE=verbatim/])
  t.same(problemsOf({ ...strangers, AUTH_SESSION_ISSUER: entry.issuer }), [])
  t.match(problemsOf({ ...fileOf(entry), UID_MODE: 'verbatim', ...login }), [/^AUTH_LOGIN_ISSUER has other users/])
})

t.test('a later version of the file leaves the users of sessions and of the login who they were', async t => {
  const session = { AUTH_SESSION_STORE_URL: 'rediss://h', AUTH_SESSION_SECRET: SECRET }
  const { issuers } = load({ ...fileOf(entry, other), ...session, AUTH_SESSION_ISSUER: 'https://two.test' }).auth
  const parse = (...entries: unknown[]) => issuers?.parse(JSON.stringify(entries))
  t.equal(parse(other, entry)?.length, 2)
  t.throws(() => parse(entry, { ...other, usersOf: 'three' }), { message: /AUTH_SESSION_ISSUER to another usersOf/ })
  t.throws(() => parse(entry, { ...other, uidStrip: 'x|' }), { message: /entry 1, whose uidStrip is not UID_STRIP/ })
})

t.test('a tenant of an entry has the users of that entry', async t => {
  const tenants = {
    issuer: 'https://login.test/{tenantid}/v2.0',
    tenants: ['a', 'b'],
    jwksUrl: 'https://login.test/k',
    audience: ['x'],
    usersOf: 'staff'
  }
  const session = { AUTH_SESSION_STORE_URL: 'rediss://h', AUTH_SESSION_SECRET: SECRET }
  const { auth } = load({ ...fileOf(tenants), ...session, AUTH_SESSION_ISSUER: 'https://login.test/b/v2.0' })
  t.equal(auth.session?.issuer, 'staff')
})

t.test('what the file says of each issuer is said nowhere else', async t => {
  for (const [name, value] of Object.entries({
    ...single,
    AUTH_JWT_JWKS_URL: 'https://a.test/k',
    AUTH_JWT_KEY_FILE: '/pem',
    AUTH_JWT_SECRET: SECRET,
    AUTH_JWT_ALGORITHMS: 'ES256',
    AUTH_JWT_TYP: 'JWT',
    AUTH_JWT_SCOPE: 'a',
    AUTH_JWT_CLAIMS: 'a=b',
    AUTH_ACT_SCOPE: 'a',
    AUTH_EXPLAIN_SCOPE: 'a',
    AUTH_SDK_TOKEN_SCOPE: 'a',
    UID_ISSUER: 'a',
    AUTH_INTROSPECTION_URL: 'https://a.test/i'
  })) {
    const problems = problemsOf({ ...fileOf(entry), [name]: value })
    t.match(problems, [new RegExp(`^${name} and AUTH_ISSUERS_FILE exclude each other`)], name)
    t.equal(problems.length, 1, name)
  }
})

t.test('the JSON schema in docs/ is the one that the file is judged by', async t => {
  const published = JSON.parse(readFileSync(new URL('../../docs/issuers.schema.json', import.meta.url), 'utf8'))
  t.strictSame(published, {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...JSON.parse(JSON.stringify(ISSUERS_FILE_SCHEMA))
  })
})
