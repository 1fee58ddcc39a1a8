import t from 'tap'
import type { Environment } from '../../src/config/env-reader.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { refusalsOf } from './refusals.ts'

const minimal: Environment = {
  COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
  COMETCHAT_API_KEY: 'key-of-a-test',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies'
}
const session = {
  AUTH_SESSION_STORE_URL: 'redis://127.0.0.1',
  AUTH_SESSION_SECRET: 'a-session-secret-of-32-bytes-or-more'
}

function problemsOf(change: Environment): readonly string[] {
  return refusalsOf(() => loadConfig({ ...minimal, ...change }, () => ''))
}

t.test('a header and a cookie of ones own are accepted, the header in any case', async t => {
  const { auth } = loadConfig(
    { ...minimal, AUTH_JWT_HEADER: 'Cf-Access-Jwt-Assertion', AUTH_JWT_COOKIE: '__session' },
    () => ''
  )
  t.match(auth.tokenPlaces, { header: 'cf-access-jwt-assertion', cookie: '__session' })
  t.strictSame(problemsOf({ ...session, AUTH_JWT_COOKIE: '__session' }), [])
  t.strictSame(problemsOf({ AUTH_JWT_COOKIE: 'connect.sid' }), [], 'where sessions are off the name is free')
  for (const header of ['X-Forwarded-Access-Token', 'x-goog-iap-jwt-assertion', 'x-amzn-oidc-accesstoken']) {
    t.strictSame(problemsOf({ AUTH_JWT_HEADER: header }), [], header)
  }
})

t.test('what means something else is refused by its name', async t => {
  const taken = [
    'Authorization',
    'Cookie',
    'HOST',
    'x-csrf',
    'X_CSRF',
    'apikey',
    'onBehalfOf',
    'content-type',
    'sec-fetch-site'
  ]
  for (const header of taken)
    t.match(problemsOf({ AUTH_JWT_HEADER: header }), [/^AUTH_JWT_HEADER must not be /], header)
  for (const header of ['a b', 'a:']) {
    t.strictSame(problemsOf({ AUTH_JWT_HEADER: header }), ['AUTH_JWT_HEADER must be the name of a header.'])
  }
  t.match(problemsOf({ AUTH_JWT_HEADER: 'a,b' }), [/^AUTH_JWT_HEADER takes one value, .* like a list\.$/])
  for (const header of ['on-behalfof', 'onbehalf_of', 'a-p-p-id']) {
    t.match(problemsOf({ AUTH_JWT_HEADER: header }), [/^AUTH_JWT_HEADER must not be /], 'no request may have it')
  }
  for (const cookie of ['__Host-Http-session', '__Host-Http-login']) {
    t.match(problemsOf({ AUTH_JWT_COOKIE: cookie }), [/^AUTH_JWT_COOKIE must not be /], cookie)
  }
  t.match(problemsOf({ ...session, AUTH_JWT_COOKIE: 'connect.sid' }), [/^AUTH_JWT_COOKIE must not be connect.sid/])
  const noBearer = { AUTH_JWT_ISSUER: undefined, AUTH_JWT_AUDIENCE: undefined }
  t.match(problemsOf({ ...noBearer, ...session, AUTH_JWT_HEADER: 'x-token' }), [
    /^AUTH_JWT_HEADER needs AUTH_JWT_ISSUER/
  ])
})
