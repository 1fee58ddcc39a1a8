// Each way to sign in, with every variable that it can have, and what a configuration of them is refused for.
import { generateKeyPairSync } from 'node:crypto'
import { ConfigError, type Environment } from '../../src/config/env-reader.ts'
import { type Config, loadConfig } from '../../src/config/load-config.ts'

export const SECRET = 'a-shared-secret-for-tests-of-40-bytes-xx'
const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' })
const entry = { issuer: 'https://one.test', audience: ['replies'] }
const files: Readonly<Record<string, string>> = {
  '/pem': pem.toString(),
  '/secret': SECRET,
  '/issuers': JSON.stringify([entry, { ...entry, issuer: 'https://two.test' }]),
  '/table': '{"a": "b"}'
}
const minimal: Environment = { COMETCHAT_APP_ID: 'a1b2c3', COMETCHAT_REGION: 'eu', COMETCHAT_API_KEY: 'api-key-1' }

/** Of files that are not listed above, `more` has the texts. */
export function problemsOf(env: Environment, more: Readonly<Record<string, string>> = {}): readonly string[] {
  const loaded = loadedFrom(env, more)
  return loaded instanceof ConfigError ? loaded.problems : []
}

/** The configuration, or why it is refused. */
export function loadedFrom(env: Environment, more: Readonly<Record<string, string>> = {}): Config | ConfigError {
  try {
    return loadConfig({ ...minimal, ...env }, path => {
      const text = { ...files, ...more }[path]
      if (text === undefined) throw new Error('ENOENT')
      return text
    })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

export const jwt = { AUTH_JWT_ISSUER: 'https://issuer.test', AUTH_JWT_AUDIENCE: 'replies' }
export const asked = { ...jwt, AUTH_INTROSPECTION_URL: 'https://issuer.test/introspect' }
const session = {
  AUTH_SESSION_STORE_URL: 'rediss://h',
  AUTH_SESSION_SECRET: SECRET,
  AUTH_SESSION_ISSUER: 'https://one.test',
  AUTH_SESSION_USER: 'user.id',
  AUTH_SESSION_COOKIE: 'sid'
}
export const WAYS: Readonly<Record<string, Environment>> = {
  'keys of the issuer': {
    ...jwt,
    AUTH_JWT_JWKS_URL: 'https://issuer.test/keys',
    AUTH_JWT_ALGORITHMS: 'RS256',
    AUTH_JWT_TYP: 'at+jwt',
    AUTH_JWT_SCOPE: 'write',
    AUTH_ACT_SCOPE: 'act',
    AUTH_EXPLAIN_SCOPE: 'explain',
    AUTH_SDK_TOKEN_SCOPE: 'sdk',
    AUTH_JWT_CLAIMS: 'client_id=a',
    AUTH_JWT_HEADER: 'x-token',
    AUTH_JWT_COOKIE: 'token',
    AUTH_HTTP_HOSTS: 'keycloak:8080',
    UID_CLAIM: 'oid',
    UID_STRIP: 'auth0|',
    UID_ISSUER: 'app',
    UID_MODE: 'hash',
    UID_PREFIX: 'u'
  },
  discovery: { ...jwt },
  'a claim in place of an audience': { AUTH_JWT_ISSUER: 'https://issuer.test', AUTH_JWT_CLAIMS: 'client_id=a' },
  'a secret': { AUTH_JWT_SECRET: SECRET, UID_ISSUER: 'app' },
  'a file of a secret': { ...jwt, AUTH_JWT_SECRET_FILE: '/secret' },
  'a file of keys': { AUTH_JWT_KEY_FILE: '/pem', UID_ISSUER: 'app', AUTH_JWT_ALGORITHMS: 'ES256' },
  'questions with a token': { ...asked, AUTH_INTROSPECTION_TOKEN: 'abc' },
  'questions of a client': {
    ...asked,
    AUTH_INTROSPECTION_CLIENT_ID: 'a',
    AUTH_INTROSPECTION_CLIENT_SECRET: 'b',
    AUTH_INTROSPECTION_TOKENS: 'all'
  },
  'several issuers': { AUTH_ISSUERS_FILE: '/issuers', UID_MODE: 'hash', ...session },
  sessions: session,
  'a login': {
    AUTH_LOGIN_ISSUER: 'https://login.test',
    AUTH_LOGIN_CLIENT_ID: 'a',
    AUTH_LOGIN_CLIENT_SECRET: SECRET,
    AUTH_LOGIN_URL: 'https://chat.test',
    AUTH_LOGIN_SCOPE: 'openid profile'
  },
  'a table at an address': {
    ...jwt,
    UID_MODE: 'table',
    UID_TABLE_URL: 'https://app.test/{subject}',
    UID_TABLE_TOKEN: 'abc'
  },
  'a table in a file': { ...jwt, UID_MODE: 'table', UID_TABLE_URL: 'file:/table' }
}
