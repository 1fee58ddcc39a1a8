import t from 'tap'
import { loadConfig } from '../../src/config/load-config.ts'
import { refusalsOf } from './refusals.ts'

const cometchat = {
  COMETCHAT_APP_ID: 'a1b2c3',
  COMETCHAT_REGION: 'eu',
  COMETCHAT_API_KEY: 'the-key-of-a-cometchat-app'
}
const login = {
  AUTH_LOGIN_ISSUER: 'https://login.example.com/realm',
  AUTH_LOGIN_CLIENT_ID: 'thread-replies',
  AUTH_LOGIN_CLIENT_SECRET: 'a-secret-of-this-client',
  AUTH_LOGIN_URL: 'https://chat.example.com'
}

function load(env: Record<string, string | undefined>) {
  return loadConfig(env, path => {
    if (path === '/run/secrets/login') return 'a-secret-from-a-file\n'
    throw new Error('no such file')
  })
}

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  return refusalsOf(() => load({ ...cometchat, ...env }))
}

t.test('four variables switch the login on, and bearer tokens are not needed then', async t => {
  const { auth, warnings } = load({ ...cometchat, ...login })

  t.match(auth.login, {
    issuer: 'https://login.example.com/realm',
    clientId: 'thread-replies',
    origin: 'https://chat.example.com',
    scope: 'openid profile',
    idleMs: 1_800_000,
    absoluteMs: 43_200_000
  })
  t.equal(auth.login?.clientSecret.reveal(), 'a-secret-of-this-client')
  t.equal(auth.jwt, undefined)
  t.same(warnings, [])
})

t.test('the secret may come from a file, and the URL may be http on loopback', async t => {
  const { auth } = load({
    ...cometchat,
    ...login,
    AUTH_LOGIN_CLIENT_SECRET: undefined,
    AUTH_LOGIN_CLIENT_SECRET_FILE: '/run/secrets/login',
    AUTH_LOGIN_URL: 'http://localhost:3000/'
  })

  t.match(auth.login, { origin: 'http://localhost:3000' })
  t.equal(auth.login?.clientSecret.reveal(), 'a-secret-from-a-file')
})

t.test('bearer tokens and the login go together', async t => {
  const { auth } = load({ ...cometchat, ...login, AUTH_JWT_ISSUER: 'https://i.test', AUTH_JWT_AUDIENCE: 'replies' })

  t.ok(auth.login)
  t.same(auth.jwt?.audiences, ['replies'])
})

t.test('without any of its variables there is no login', async t => {
  const { auth } = load({ ...cometchat, AUTH_JWT_ISSUER: 'https://i.test', AUTH_JWT_AUDIENCE: 'replies' })

  t.equal(auth.login, undefined)
})

t.test('every half of a configuration is named, without a value', async t => {
  const cases: readonly (readonly [string, Record<string, string | undefined>, RegExp])[] = [
    ['no issuer', { AUTH_LOGIN_ISSUER: undefined }, /half configured: also set AUTH_LOGIN_ISSUER\./],
    ['no client id', { AUTH_LOGIN_CLIENT_ID: undefined }, /also set AUTH_LOGIN_CLIENT_ID\./],
    ['no secret', { AUTH_LOGIN_CLIENT_SECRET: undefined }, /also set AUTH_LOGIN_CLIENT_SECRET\./],
    ['no URL', { AUTH_LOGIN_URL: undefined }, /also set AUTH_LOGIN_URL\./],
    [
      'a lifetime alone',
      { ...Object.fromEntries(Object.keys(login).map(name => [name, undefined])), AUTH_LOGIN_IDLE_MS: '60000' },
      /also set AUTH_LOGIN_ISSUER, AUTH_LOGIN_CLIENT_ID, AUTH_LOGIN_URL, AUTH_LOGIN_CLIENT_SECRET\./
    ],
    [
      'both secrets',
      { AUTH_LOGIN_CLIENT_SECRET_FILE: '/run/secrets/login' },
      /AUTH_LOGIN_CLIENT_SECRET_FILE, not both/
    ],
    ['a short secret', { AUTH_LOGIN_CLIENT_SECRET: 'short' }, /AUTH_LOGIN_CLIENT_SECRET must have at least 16 bytes/],
    ['an issuer over http', { AUTH_LOGIN_ISSUER: 'http://login.example.com' }, /AUTH_LOGIN_ISSUER must be https/],
    [
      'an issuer with a query',
      { AUTH_LOGIN_ISSUER: 'https://login.example.com/?x' },
      /AUTH_LOGIN_ISSUER.*without a query/
    ],
    ['an issuer that is no URL', { AUTH_LOGIN_ISSUER: 'login.example.com' }, /AUTH_LOGIN_ISSUER must be a plain URL/],
    ['a URL over http', { AUTH_LOGIN_URL: 'http://chat.example.com' }, /AUTH_LOGIN_URL must be https/],
    ['a URL with a path', { AUTH_LOGIN_URL: 'https://chat.example.com/app' }, /AUTH_LOGIN_URL must be an origin/],
    ['a URL with a user', { AUTH_LOGIN_URL: 'https://a:b@chat.example.com' }, /AUTH_LOGIN_URL must be a plain URL/],
    ['a scope without openid', { AUTH_LOGIN_SCOPE: 'profile' }, /AUTH_LOGIN_SCOPE must contain openid/],
    ['a scope for refreshing', { AUTH_LOGIN_SCOPE: 'openid offline_access' }, /must not contain offline_access/],
    ['no scopes', { AUTH_LOGIN_SCOPE: 'openid  profile' }, /AUTH_LOGIN_SCOPE must be scopes/],
    ['idle for less than a minute', { AUTH_LOGIN_IDLE_MS: '59999' }, /AUTH_LOGIN_IDLE_MS must be a whole number/],
    ['idle longer than alive', { AUTH_LOGIN_IDLE_MS: '120000', AUTH_LOGIN_ABSOLUTE_MS: '60000' }, /must not be longer/],
    [
      'a bearer secret without a name for its users',
      { AUTH_JWT_SECRET: 'x'.repeat(40) },
      /^UID_ISSUER must be set beside AUTH_JWT_SECRET/
    ],
    ['half a bearer', { AUTH_JWT_ISSUER: 'https://i.test' }, /^AUTH_JWT_AUDIENCE must be set/]
  ]

  for (const [name, changes, wanted] of cases) {
    const problems = problemsOf({ ...login, ...changes })
    t.match(problems.join('\n'), wanted, name)
    t.equal(problems.length, 1, `${name}: nothing but that`)
    t.notMatch(problems.join('\n'), /login\.example\.com|a-secret|a:b@/, `${name}: no value`)
  }
})
