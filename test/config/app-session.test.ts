import t from 'tap'
import type { Environment } from '../../src/config/env-reader.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { refusalsOf } from './refusals.ts'

const SECRET = 'a-secret-that-signs-session-cookies-1'
const bearer: Environment = {
  COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
  COMETCHAT_API_KEY: 'an-api-key-of-nobody',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies'
}
const session: Environment = { AUTH_SESSION_STORE_URL: 'redis://127.0.0.1:6379', AUTH_SESSION_SECRET: SECRET }
const noBearer: Environment = { AUTH_JWT_ISSUER: undefined, AUTH_JWT_AUDIENCE: undefined }
const files: Record<string, string> = {
  '/run/secrets': `${SECRET}\r\n\n another , third\n`,
  '/run/url': 'redis://a:b@h:1/2\n'
}

const load = (env: Environment) => loadConfig({ ...bearer, ...env }, path => files[path] ?? '')

function problemsOf(env: Environment): string {
  return refusalsOf(() => load(env)).join('\n')
}

t.test('sessions are off by themselves, and their cookie is a credential all the same', async t => {
  const { auth, cors } = load({})

  t.equal(auth.session, undefined)
  t.equal(auth.sessionCookie, 'connect.sid')
  t.equal(cors.origins.size, 0)
})

t.test('two variables switch sessions on; the others have the defaults of the libraries', async t => {
  const { auth, warnings } = load(session)

  t.match(auth.session, { prefix: 'sess:', userPath: 'user.id', issuer: 'https://issuer.test' })
  t.equal(auth.session?.secrets[0]?.reveal(), SECRET)
  t.same(warnings, [])
})

t.test('users of sessions belong to the issuer of the tokens, or to nobody else', async t => {
  t.equal(load({ ...session, ...noBearer }).auth.session?.issuer, 'urn:app-session')
  t.equal(load({ ...session, AUTH_SESSION_ISSUER: 'urn:mine' }).auth.session?.issuer, 'urn:mine')
  const standIn = { ...session, UID_ISSUER: 'urn:users' }
  t.equal(load(standIn).auth.session?.issuer, 'urn:users', 'by whatever name these go')
  t.equal(load({ ...standIn, AUTH_SESSION_ISSUER: 'https://issuer.test' }).auth.session?.issuer, 'urn:users')
  t.equal(load({ ...standIn, AUTH_SESSION_ISSUER: 'urn:mine' }).auth.session?.issuer, 'urn:mine')
})

t.test('secrets stand one a line or between commas, and in a file', async t => {
  const { auth } = load({ AUTH_SESSION_STORE_URL_FILE: '/run/url', AUTH_SESSION_SECRET_FILE: '/run/secrets' })

  t.same(
    auth.session?.secrets.map(secret => secret.reveal()),
    [SECRET, 'another', 'third']
  )
  t.match(auth.session?.store, { kind: 'redis', hosts: [{ host: 'h', port: 1 }], database: 2, username: 'a' })
  t.equal(auth.session?.store.password?.reveal(), 'b')
})

t.test('bearer tokens alone, sessions alone, and both are ways to sign in; none is refused', async t => {
  t.equal(problemsOf({}), '')
  t.equal(problemsOf(session), '')
  t.equal(problemsOf({ ...session, ...noBearer }), '')
  t.equal(load({ ...session, ...noBearer }).auth.jwt, undefined)
  const nobody = problemsOf(noBearer)
  t.match(nobody, /^Nobody could sign in: .*AUTH_JWT_ISSUER.*AUTH_SESSION_STORE_URL.*AUTH_LOGIN_/m)
})

t.test('half a configuration is named, and never its values', async t => {
  const cases: [title: string, env: Environment, names: RegExp | string][] = [
    ['a store without a secret', { ...session, AUTH_SESSION_SECRET: undefined }, 'AUTH_SESSION_SECRET must be set'],
    ['a secret without a store', { AUTH_SESSION_SECRET: SECRET }, 'AUTH_SESSION_STORE_URL must be set'],
    ['a path without a store', { AUTH_SESSION_USER: 'user.id' }, 'AUTH_SESSION_STORE_URL must be set'],
    ['a prefix and an issuer', { AUTH_SESSION_PREFIX: 'a:', AUTH_SESSION_ISSUER: 'b' }, /_PREFIX, AUTH_SESSION_ISSUER/],
    ['a secret twice', { ...session, AUTH_SESSION_SECRET_FILE: '/run/secrets' }, 'not both'],
    ['only separators', { ...session, AUTH_SESSION_SECRET: ',,' }, 'AUTH_SESSION_SECRET must hold'],
    ['too many secrets', { ...session, AUTH_SESSION_SECRET: Array(11).fill(SECRET).join() }, 'AUTH_SESSION_SECRET'],
    ['another store', { ...session, AUTH_SESSION_STORE_URL: 'memcached://h' }, 'AUTH_SESSION_STORE_URL is not redis'],
    ['no host', { ...session, AUTH_SESSION_STORE_URL: 'redis:///1' }, 'AUTH_SESSION_STORE_URL'],
    ['options of a client', { ...session, AUTH_SESSION_STORE_URL: 'redis://h?enableOfflineQueue=true' }, 'STORE_URL'],
    ['a path of another kind', { ...session, AUTH_SESSION_STORE_URL: 'redis://h/a' }, 'AUTH_SESSION_STORE_URL'],
    ['an empty step', { ...session, AUTH_SESSION_USER: 'user..id' }, 'AUTH_SESSION_USER'],
    ['a step too many', { ...session, AUTH_SESSION_USER: 'a.b.c.d.e.f.g.h.i' }, 'AUTH_SESSION_USER'],
    ['a cookie name with a blank', { ...session, AUTH_SESSION_COOKIE: 'a b' }, 'AUTH_SESSION_COOKIE'],
    ['a stray % in a password', { ...session, AUTH_SESSION_STORE_URL: 'redis://:50%-off@h' }, /_STORE_URL .*encode/],
    ['the cookie of the login', { ...session, AUTH_SESSION_COOKIE: '__Host-Http-session' }, 'AUTH_SESSION_COOKIE must'],
    ['the cookie of its attempts', { AUTH_SESSION_COOKIE: '__Host-Http-login' }, 'AUTH_SESSION_COOKIE must not be'],
    [
      'settings of tokens that are off',
      { ...session, ...noBearer, AUTH_JWT_SECRET: 'x'.repeat(32) },
      'AUTH_JWT_SECRET'
    ],
    [
      'a store without a secret, and nothing else',
      { ...session, ...noBearer, AUTH_SESSION_SECRET: undefined },
      /^AUTH_SE/
    ]
  ]
  for (const [title, env, names] of cases) {
    const problems = problemsOf(env)
    t.match(problems, names, title)
    t.notMatch(problems, /signs-session|enableOffline|memcached/, title)
  }
})

t.test('a short secret is warned of: the backend may have no other', async t => {
  t.match(load({ ...session, AUTH_SESSION_SECRET: `${SECRET},keyboard cat` }).warnings, [
    /AUTH_SESSION_SECRET.*32 bytes/
  ])
})

t.test('neither secrets nor the address of the store, which may hold a password, print themselves', async t => {
  const config = load({ ...session, AUTH_SESSION_STORE_URL: 'redis://user:pass-word@h' })

  t.notMatch(JSON.stringify(config), /pass-word|signs-session/)
})
