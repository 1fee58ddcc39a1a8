// No configuration that can sign nobody in is accepted in silence, and a mistake is said once: each variable of signing in
// with values that are wrong, alone and two at a time, in each way to sign in.
import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import type { Environment } from '../../src/config/env-reader.ts'
import { asked, jwt, problemsOf, SECRET, WAYS } from './ways-to-sign-in.ts'

/** Wrong by themselves, wherever they stand. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  AUTH_JWT_ISSUER: ['a b', 'https://a/,https://b/', 'a,b', ',', ' '],
  AUTH_JWT_AUDIENCE: ['a b', ',', ' ', ' , ', 'unchecked,a'],
  AUTH_JWT_JWKS_URL: ['http://a.test/', 'keys', 'https://a/,https://b/', 'https://a/ https://b/', ' '],
  AUTH_JWT_KEY_FILE: ['/nowhere', '/secret', '/pem,/pem', ' '],
  AUTH_JWT_SECRET: ['short', ',', ' ', `${SECRET},short`],
  AUTH_JWT_SECRET_FILE: ['/nowhere', '/secret,/secret'],
  AUTH_JWT_ALGORITHMS: ['none', 'rs256', ',', ' ', 'RS256 ES256'],
  AUTH_JWT_TYP: ['a b', 'a,b', ','],
  AUTH_JWT_SCOPE: ['a b', 'a,b', ','],
  AUTH_ACT_SCOPE: ['a b', 'a,b', ','],
  AUTH_EXPLAIN_SCOPE: ['a b', 'a,b', ','],
  AUTH_SDK_TOKEN_SCOPE: ['a b', 'a,b', ','],
  AUTH_JWT_CLAIMS: [',', 'a=', '=', '!', 'a b', 'a=b,', ' '],
  AUTH_JWT_HEADER: ['a b', 'a,b', 'authorization', 'on-behalfof'],
  AUTH_JWT_COOKIE: ['a b', 'a,b', '__Host-Http-session'],
  AUTH_HTTP_HOSTS: ['http://a', '*', ',', ' '],
  AUTH_ISSUERS_FILE: ['/nowhere', '/secret', '/issuers,/issuers', ' '],
  AUTH_INTROSPECTION_URL: ['http://a.test/', 'introspect', 'https://a/,https://b/'],
  AUTH_INTROSPECTION_CLIENT_ID: ['é', 'a,b', ' '],
  AUTH_INTROSPECTION_CLIENT_SECRET: ['é', ' '],
  AUTH_INTROSPECTION_TOKEN: ['a b', 'a,b', ' '],
  AUTH_INTROSPECTION_TOKENS: ['both', 'all,opaque'],
  AUTH_SESSION_STORE_URL: ['http://h', 'redis://a,redis://b', ' '],
  AUTH_SESSION_SECRET: [',', ' '],
  AUTH_SESSION_COOKIE: ['a b', 'a,b', '__Host-Http-session'],
  AUTH_SESSION_USER: ['a b', 'a..b', 'user.id,user.name'],
  AUTH_SESSION_ISSUER: ['a b', 'https://one.test,https://two.test'],
  AUTH_LOGIN_ISSUER: ['a b', 'http://a.test', 'https://a,https://b'],
  AUTH_LOGIN_CLIENT_ID: ['a b', 'a,b'],
  AUTH_LOGIN_CLIENT_SECRET: ['short'],
  AUTH_LOGIN_URL: ['https://a/b', 'chat', 'https://a,https://b'],
  AUTH_LOGIN_SCOPE: ['profile', 'openid,profile', 'openid offline_access'],
  UID_CLAIM: ['a b', 'a,b'],
  UID_MODE: ['hashed', 'hash,lower', 'off'],
  UID_PREFIX: ['A', 'a,b'],
  UID_STRIP: ['a b', 'a,b'],
  UID_ISSUER: ['a b', 'a,b'],
  UID_TABLE_URL: ['https://t.test/', 'http://t.test/{subject}', 'https://t/{subject},https://u/{subject}', 'table'],
  UID_TABLE_TOKEN: ['a b']
}

for (const [title, way] of Object.entries(WAYS)) {
  t.test(`${title}: right as it is, and each wrong value is said once, alone and beside another`, async t => {
    t.strictSame(problemsOf(way), [])
    const wrong = Object.keys(way).flatMap(name => (WRONG[name] ?? []).map(value => [name, value] as const))
    t.ok(wrong.length > 0)
    for (const [name, value] of wrong) {
      const alone = problemsOf({ ...way, [name]: value })
      t.equal(alone.length, 1, `${name}=${value}: ${alone.join(' ')}`)
      t.match(alone[0], name)
      for (const [other, otherValue] of wrong.filter(([other]) => other !== name)) {
        const both = problemsOf({ ...way, [name]: value, [other]: otherValue })
        if (both.length < 1 || both.length > 2) t.fail(`${name}=${value} ${other}=${otherValue}: ${both.join(' ')}`)
      }
    }
  })
}

t.test('what looks like a list where none is taken is refused as a list', async t => {
  const lists = Object.entries(WAYS).flatMap(([, way]) =>
    Object.keys(way).flatMap(name =>
      (WRONG[name] ?? []).filter(value => /^[^,]+,.*[^,]$/.test(value)).map(value => ({ way, name, value }))
    )
  )
  const takesLists = /^(AUTH_JWT_(AUDIENCE|SECRET|CLAIMS)|AUTH_LOGIN_SCOPE|AUTH_INTROSPECTION_TOKENS|UID_MODE)$/
  const files = /_FILE$/
  for (const { way, name, value } of lists.filter(({ name }) => !takesLists.test(name) && !files.test(name))) {
    t.match(problemsOf({ ...way, [name]: value }), [/takes one (value|address), and this looks like a list/], name)
  }
  const text = JSON.stringify([{ issuer: 'https://a/,https://b/', audience: ['a,b'], scope: 'a,b', usersOf: 'a,b' }])
  const inFile = problemsOf({ AUTH_ISSUERS_FILE: '/lists' }, { '/lists': text })
  t.match(inFile, [/entry 0, issuer takes one/, /entry 0, scope takes/, /entry 0, usersOf takes/, /entry 0, audience/])
  t.ok(inFile.every(problem => problem.includes('looks like a list')))
})

t.test('rules that no token can keep beside the other settings are refused, and their neighbours are not', async t => {
  const way = { ...jwt, AUTH_JWT_CLAIMS: '' }
  const cases: [claims: string, more: Environment, problem: RegExp | undefined][] = [
    ['iss=https://other.test', {}, /^AUTH_JWT_CLAIMS refuses the iss that AUTH_JWT_ISSUER demands/],
    ['!iss', {}, /^AUTH_JWT_CLAIMS refuses the iss/],
    ['!iss=https://issuer.test', {}, /^AUTH_JWT_CLAIMS refuses the iss/],
    ['iss=https://issuer.test|b,!iss=c', {}, undefined],
    ['!aud', {}, /^AUTH_JWT_CLAIMS refuses each aud that AUTH_JWT_AUDIENCE demands/],
    ['!aud=replies', {}, /^AUTH_JWT_CLAIMS refuses each aud/],
    ['!aud=replies', { AUTH_JWT_AUDIENCE: 'replies,chat' }, undefined],
    ['aud=both', {}, undefined],
    ['!aud', { AUTH_JWT_AUDIENCE: 'unchecked' }, undefined],
    ['!exp', {}, /^AUTH_JWT_CLAIMS refuses exp/],
    ['!sub', {}, /^AUTH_JWT_CLAIMS refuses the claim that UID_CLAIM names/],
    ['!sub', { UID_CLAIM: 'oid' }, undefined],
    ['!sub=root', {}, undefined],
    ['!sub', { AUTH_ACT_SCOPE: 'act' }, undefined],
    ['!iss', { ...asked, AUTH_INTROSPECTION_TOKEN: 'a', AUTH_INTROSPECTION_TOKENS: 'all' }, undefined]
  ]
  for (const [claims, more, problem] of cases) {
    const problems = problemsOf({ ...way, ...more, AUTH_JWT_CLAIMS: claims })
    t.match(problems, problem ? [problem] : [], claims)
    t.equal(problems.length, problem ? 1 : 0, claims)
  }
  const tenants = {
    issuer: 'https://login.test/{tenantid}/v2.0',
    tenants: ['a', 'b'],
    jwksUrl: 'https://login.test/keys',
    audience: ['x'],
    claims: 'tid=c'
  }
  const problems = problemsOf({ AUTH_ISSUERS_FILE: '/t' }, { '/t': JSON.stringify([tenants]) })
  t.match(problems, [/^AUTH_ISSUERS_FILE entry 0, claims refuses each tid that AUTH_ISSUERS_FILE entry 0, tenants/])
})

t.test('a key file without a key for any of the algorithms is refused', async t => {
  const way = { AUTH_JWT_KEY_FILE: '/pem', UID_ISSUER: 'app' }
  t.match(problemsOf({ ...way, AUTH_JWT_ALGORITHMS: 'RS256,EdDSA' }), [
    /^AUTH_JWT_ALGORITHMS must list one that a key of AUTH_JWT_KEY_FILE is for: ES256\.$/
  ])
  t.strictSame(problemsOf({ ...way, AUTH_JWT_ALGORITHMS: 'RS256,ES256' }), [])
  const jwk = {
    ...JSON.parse(
      JSON.stringify(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }))
    )
  }
  const other = JSON.stringify({ ...jwk, alg: 'RSA-OAEP-256' })
  t.match(problemsOf({ ...way, AUTH_JWT_KEY_FILE: '/k' }, { '/k': other }), [/holds no key that verifies a token/])
  t.strictSame(problemsOf({ ...way, AUTH_JWT_KEY_FILE: '/k' }, { '/k': JSON.stringify({ ...jwk, alg: 'PS512' }) }), [])
})
