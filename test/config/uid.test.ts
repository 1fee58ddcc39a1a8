// Internal services, opaque tokens and the UID table: whatever is half configured is refused, in words that help.
import t from 'tap'
import type { Environment } from '../../src/config/env-reader.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { refusalsOf } from './refusals.ts'

const minimal: Environment = {
  COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
  COMETCHAT_API_KEY: 'key-1',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies'
}
const introspection: Environment = {
  AUTH_INTROSPECTION_URL: 'https://issuer.test/introspect',
  AUTH_INTROSPECTION_CLIENT_ID: 'replies',
  AUTH_INTROSPECTION_CLIENT_SECRET: 'canary-secret'
}
const URL_WITHOUT_SUBJECT = 'UID_TABLE_URL must have {subject} in its path or query.'
const files: Record<string, string> = {
  'uids.json': '{"17": "alice"}',
  'uids.ndjson': '{"subject": "17", "uid": "alice", "issuer": "https://issuer.test"}',
  'twice.json': '{"17": "alice", "18": "alice"}',
  secret: 'canary-secret\n'
}

function load(change: Environment) {
  return loadConfig({ ...minimal, ...change }, path => {
    const text = files[path]
    if (text === undefined) throw new Error('ENOENT')
    return text
  })
}

function problemsOf(change: Environment): readonly string[] {
  return refusalsOf(() => load(change))
}

/** The same without some of its variables. */
function without(env: Environment, ...names: string[]): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)))
}

const table = { UID_MODE: 'table' }

t.test('every half of a configuration is refused in one sentence', async t => {
  const cases: [title: string, change: Environment, problem: string][] = [
    ['a client nobody asks as', { AUTH_INTROSPECTION_CLIENT_ID: 'x' }, 'CLIENT_ID needs AUTH_INTROSPECTION_URL'],
    ['a secret without an address', { AUTH_INTROSPECTION_CLIENT_SECRET: 'x' }, 'CLIENT_SECRET needs AUTH_INTRO'],
    ['a choice without an address', { AUTH_INTROSPECTION_TOKENS: 'all' }, 'TOKENS needs AUTH_INTROSPECTION_URL'],
    ['no client', without(introspection, 'AUTH_INTROSPECTION_CLIENT_ID'), 'URL needs AUTH_INTROSPECTION_CLIENT_ID'],
    ['no secret', without(introspection, 'AUTH_INTROSPECTION_CLIENT_SECRET'), 'and AUTH_INTROSPECTION_CLIENT_SECRET'],
    ['plain http', { ...introspection, AUTH_INTROSPECTION_URL: 'http://issuer.test' }, 'must be https'],
    ['a secret in the URL', { ...introspection, AUTH_INTROSPECTION_URL: 'https://a:b@i.test' }, 'must be a plain URL'],
    ['a secret of two lines', { ...introspection, AUTH_INTROSPECTION_CLIENT_SECRET: 'a\nb' }, 'must be one line'],
    ['a secret twice', { ...introspection, AUTH_INTROSPECTION_CLIENT_SECRET_FILE: 'secret' }, 'not both'],
    [
      'keys that nobody reads',
      { ...introspection, AUTH_INTROSPECTION_TOKENS: 'all', AUTH_JWT_JWKS_URL: 'https://issuer.test/keys' },
      'leave AUTH_JWT_JWKS_URL out'
    ],
    [
      'a type that nobody checks',
      { ...introspection, AUTH_INTROSPECTION_TOKENS: 'all', AUTH_JWT_TYP: 'at+jwt' },
      'leave AUTH_JWT_TYP out'
    ],
    ['users of nobody', { ...introspection, AUTH_JWT_ISSUER: undefined }, 'AUTH_JWT_ISSUER must be set'],
    [
      'everybody may act for everybody',
      { AUTH_JWT_SCOPE: 'replies', AUTH_ACT_SCOPE: 'replies' },
      'must differ from AUTH_JWT_SCOPE'
    ],
    [
      'every caller is an operator',
      { AUTH_JWT_SCOPE: 'replies', AUTH_EXPLAIN_SCOPE: 'replies' },
      'AUTH_EXPLAIN_SCOPE must differ from AUTH_JWT_SCOPE'
    ],
    [
      'a scope of everybody for tokens of the SDK',
      { AUTH_JWT_SCOPE: 'replies', AUTH_SDK_TOKEN_SCOPE: 'replies' },
      'AUTH_SDK_TOKEN_SCOPE must differ from AUTH_JWT_SCOPE'
    ],
    ['two scopes to explain', { AUTH_EXPLAIN_SCOPE: 'a b' }, 'AUTH_EXPLAIN_SCOPE must be one scope'],
    ['two scopes to act', { AUTH_ACT_SCOPE: 'a b' }, 'AUTH_ACT_SCOPE must be one scope'],
    ['a table that is nowhere', table, 'UID_MODE=table needs UID_TABLE_URL'],
    ['a table that nobody reads', { UID_TABLE_URL: 'file:uids.json' }, 'UID_TABLE_URL needs UID_MODE=table'],
    ['a token for no table', { UID_TABLE_TOKEN: 'x' }, 'UID_TABLE_TOKEN needs UID_TABLE_URL'],
    ['a token for a file', { ...table, UID_TABLE_URL: 'file:uids.json', UID_TABLE_TOKEN: 'x' }, 'not for a file'],
    ['a file that is not there', { ...table, UID_TABLE_URL: 'file:no.json' }, 'a file that cannot be read'],
    ['a UID of two users', { ...table, UID_TABLE_URL: 'file:twice.json' }, 'rows 1 and 2 give two users the same UID'],
    ['a table by ftp', { ...table, UID_TABLE_URL: 'ftp://app.test/{subject}' }, 'UID_TABLE_URL must be file:PATH or'],
    ['a table by plain http', { ...table, UID_TABLE_URL: 'http://app.test/{subject}' }, 'must be https'],
    ['a table for nobody', { ...table, UID_TABLE_URL: 'https://app.test/uids' }, URL_WITHOUT_SUBJECT],
    ['a subject that names the host', { ...table, UID_TABLE_URL: 'https://{subject}.app.test/' }, URL_WITHOUT_SUBJECT],
    ['a subject in the port', { ...table, UID_TABLE_URL: 'https://app.test:{subject}/' }, 'UID_TABLE_URL must be'],
    ['a subject in the fragment', { ...table, UID_TABLE_URL: 'https://app.test/#{subject}' }, 'must be a plain URL'],
    ['a subject as the user', { ...table, UID_TABLE_URL: 'https://{subject}@app.test/' }, 'must be a plain URL'],
    ['a prefix for a table', { ...table, UID_TABLE_URL: 'file:uids.json', UID_PREFIX: 'x' }, 'needs UID_MODE=hash'],
    ['a prefix for lower', { UID_MODE: 'lower', UID_PREFIX: 'x' }, 'needs UID_MODE=hash'],
    ['an unknown mode', { UID_MODE: 'lowercase' }, 'UID_MODE must be one of: verbatim, hash, lower, table'],
    ['a prefix with a blank', { UID_STRIP: 'auth0 ' }, 'UID_STRIP must be visible ASCII'],
    ['an issuer with a blank', { UID_ISSUER: 'a b' }, 'UID_ISSUER must be'],
    ['a creation that is neither', { UID_CREATE: 'yes' }, 'UID_CREATE must be one of: on, off']
  ]
  for (const [title, change, problem] of cases) t.match(problemsOf(change).join('\n'), problem, title)
})

t.test('a whole configuration is accepted', async t => {
  const cases: [title: string, change: Environment][] = [
    ['introspection', introspection],
    [
      'introspection with a secret from a file',
      {
        ...without(introspection, 'AUTH_INTROSPECTION_CLIENT_SECRET'),
        AUTH_INTROSPECTION_CLIENT_SECRET_FILE: 'secret'
      }
    ],
    [
      'introspection of every token, of an issuer that is no URL',
      { ...introspection, AUTH_INTROSPECTION_TOKENS: 'all', AUTH_JWT_ISSUER: 'urn:issuer' }
    ],
    ['a scope for all and one for services', { AUTH_JWT_SCOPE: 'replies', AUTH_ACT_SCOPE: 'replies:act' }],
    ['one scope for what services and operators may', { AUTH_ACT_SCOPE: 'more', AUTH_EXPLAIN_SCOPE: 'more' }],
    ['a file', { ...table, UID_TABLE_URL: 'file:uids.json' }],
    ['a file of lines', { ...table, UID_TABLE_URL: 'file:uids.ndjson' }],
    ['a URL with a token', { ...table, UID_TABLE_URL: 'https://app.test/{subject}', UID_TABLE_TOKEN: 'x' }],
    ['a URL with a query', { ...table, UID_TABLE_URL: 'https://app.test/?issuer={issuer}&subject={subject}' }],
    ['a table on loopback', { ...table, UID_TABLE_URL: 'http://127.0.0.1:8080/{subject}' }],
    ['creation', { UID_CREATE: 'on' }],
    ['lower', { UID_MODE: 'lower', UID_STRIP: 'auth0|', UID_ISSUER: 'urn:users', UID_CLAIM: 'app_metadata.uid' }]
  ]
  for (const [title, change] of cases) t.strictSame(problemsOf(change), [], title)
})

t.test('secrets never print themselves', async t => {
  const config = load({
    ...introspection,
    ...table,
    UID_TABLE_URL: 'https://app.test/{subject}',
    UID_TABLE_TOKEN: 'canary-token'
  })
  const { inspect } = await import('node:util')

  t.notMatch(JSON.stringify(config) + inspect(config, { depth: 9, showHidden: true }), /canary/)
})
