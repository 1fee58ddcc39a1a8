import { join, resolve } from 'node:path'
import t from 'tap'
import { parseApiKeys } from '../../src/config/cometchat.ts'
import type { Environment } from '../../src/config/env-reader.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { refusalsOf } from './refusals.ts'

const files: Record<string, string> = { '/run/key': 'key-from-file\n', '/run/empty': '\n' }

const minimal: Environment = {
  COMETCHAT_APP_ID: 'a1b2c3',
  COMETCHAT_REGION: 'eu',
  COMETCHAT_API_KEY: 'api-key-1',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies'
}

function load(env: Environment) {
  return loadConfig(env, path => {
    const text = files[path]
    if (text === undefined) throw new Error('ENOENT')
    return text
  })
}

function problemsOf(env: Environment): string {
  return refusalsOf(() => load(env)).join('\n')
}

t.test('five variables are enough, and the rest has defaults', async t => {
  const config = load(minimal)

  t.match(config.public, { host: '127.0.0.1', port: 3000 })
  t.match(config.admin, { host: '127.0.0.1', port: 3001 })
  t.equal(config.workers, 1)
  t.equal(config.cometchat.origin, 'https://a1b2c3.api-eu.cometchat.io')
  t.match(config.auth.jwt?.algorithms.length, 11)
  const path = resolve('data')
  t.match(config.delivery, {
    store: { kind: 'file', path: join(path, 'replies.db') },
    directory: { path, secret: join(path, 'store-secret') },
    secret: undefined
  })
  t.match(config.delivery, { deadlineMs: 10_000, settleMs: 3500, quietPeriodMs: 120_000 })
  t.same(config.warnings, [])
})

t.test('every mistake is in one message, which names variables and shows no value', async t => {
  const message = problemsOf({
    PORT: 'abc',
    COMETCHAT_API_KEY: 'secret with blanks',
    COMETCHAT_REGION: 'moon',
    TRUST_PROXY: '1',
    AUTH_JWT_ISSUER: 'https://issuer.test'
  })

  for (const name of ['PORT', 'COMETCHAT_API_KEY', 'COMETCHAT_APP_ID', 'COMETCHAT_REGION', 'TRUST_PROXY']) {
    t.match(message, name)
  }
  t.match(message, 'AUTH_JWT_AUDIENCE')
  for (const value of ['abc', 'secret with blanks', 'moon', 'issuer.test']) t.notMatch(message, value)
})

t.test('a configuration that would be unsafe or half done is refused', async t => {
  const cases: [title: string, change: Environment, names: string][] = [
    ['a key and a key file', { COMETCHAT_API_KEY_FILE: '/run/key' }, 'COMETCHAT_API_KEY_FILE'],
    ['a key file that is not there', { COMETCHAT_API_KEY: undefined, COMETCHAT_API_KEY_FILE: '/no' }, 'cannot be read'],
    ['an empty key file', { COMETCHAT_API_KEY: undefined, COMETCHAT_API_KEY_FILE: '/run/empty' }, 'is empty'],
    ['an empty key', { COMETCHAT_API_KEY: '' }, 'COMETCHAT_API_KEY'],
    ['three keys', { COMETCHAT_API_KEY: 'a,b,c' }, 'one or two'],
    ['one key twice', { COMETCHAT_API_KEY: 'a,a' }, 'different'],
    ['an app id that changes the host', { COMETCHAT_APP_ID: 'evil.example/' }, 'COMETCHAT_APP_ID'],
    ['an app id with a fragment', { COMETCHAT_APP_ID: 'evil.example#' }, 'COMETCHAT_APP_ID'],
    ['plain http to another machine', { COMETCHAT_BASE_URL: 'http://chat.example.com' }, 'https'],
    ['a name that only looks like loopback', { COMETCHAT_BASE_URL: 'http://127.0.0.1.evil.example' }, 'https'],
    ['a base URL with a password', { COMETCHAT_BASE_URL: 'https://a:b@chat.example.com' }, 'plain URL'],
    ['a base URL with another path', { COMETCHAT_BASE_URL: 'https://chat.example.com/v2' }, 'origin'],
    ['no way to sign in', { AUTH_JWT_ISSUER: undefined, AUTH_JWT_AUDIENCE: undefined }, 'Nobody could sign in'],
    ['an audience without an issuer', { AUTH_JWT_ISSUER: undefined }, 'AUTH_JWT_ISSUER must be set'],
    ['a secret and a key set', { AUTH_JWT_SECRET: 'x'.repeat(32), AUTH_JWT_JWKS_URL: 'https://i.test/k' }, 'exclude'],
    ['a short secret', { AUTH_JWT_SECRET: 'short' }, 'at least 32 bytes'],
    ['a secret and asymmetric algorithms', { AUTH_JWT_SECRET: 'x'.repeat(32), AUTH_JWT_ALGORITHMS: 'RS256' }, 'HS256'],
    ['algorithm none', { AUTH_JWT_ALGORITHMS: 'RS256,none' }, 'AUTH_JWT_ALGORITHMS'],
    ['a symmetric algorithm with public keys', { AUTH_JWT_ALGORITHMS: 'RS256,HS256' }, 'AUTH_JWT_ALGORITHMS'],
    ['discovery at an issuer without https', { AUTH_JWT_ISSUER: 'http://issuer.test' }, 'https'],
    ['a number of proxies', { TRUST_PROXY: '1' }, 'TRUST_PROXY'],
    ['every proxy', { TRUST_PROXY: 'true' }, 'TRUST_PROXY'],
    ['a durable store without a secret', { STORE_URL: 'file:records.db' }, 'STORE_SECRET'],
    [
      'several workers with records in memory',
      { WEB_CONCURRENCY: '2', STORE_URL: 'memory:' },
      'WEB_CONCURRENCY above 1 needs another STORE_URL than memory:'
    ],
    ['no worker', { WEB_CONCURRENCY: '0' }, 'WEB_CONCURRENCY must be a whole number from 1 to 64'],
    ['more workers than a machine has cores', { WEB_CONCURRENCY: '65' }, 'WEB_CONCURRENCY must'],
    ['a store of another kind', { STORE_URL: 'mysql://x' }, 'STORE_URL'],
    ['a prefix that would be ignored', { UID_PREFIX: 'app_' }, 'UID_MODE=hash'],
    ['an upper-case prefix', { UID_MODE: 'hash', UID_PREFIX: 'APP' }, 'UID_PREFIX'],
    ['TLS without verification', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, 'NODE_TLS_REJECT_UNAUTHORIZED'],
    ['a lenient HTTP parser', { NODE_OPTIONS: '--insecure-http-parser' }, 'insecure-http-parser'],
    ['the same in its other spelling', { NODE_OPTIONS: '--insecure_http_parser' }, 'insecure-http-parser']
  ]
  for (const [title, change, names] of cases) t.match(problemsOf({ ...minimal, ...change }), names, title)
})

t.test('what is unusual but right is accepted', async t => {
  const cases: [title: string, change: Environment][] = [
    ['two keys', { COMETCHAT_API_KEY: 'api-key-1,api-key-2' }],
    ['a key file', { COMETCHAT_API_KEY: undefined, COMETCHAT_API_KEY_FILE: '/run/key' }],
    ['a local CometChat', { COMETCHAT_BASE_URL: 'http://127.0.0.1:4000' }],
    ['a base URL as the documentation writes it', { COMETCHAT_BASE_URL: 'https://chat.example.com/v3' }],
    ['CIDR blocks and addresses', { TRUST_PROXY: '10.0.0.0/8, 192.0.2.1, 2001:db8::/32' }],
    ['a file store', { STORE_URL: 'file:records.db', STORE_SECRET: 'x'.repeat(32) }],
    ['one worker with records in memory', { WEB_CONCURRENCY: '1' }],
    ['workers that share a file', { WEB_CONCURRENCY: '2', STORE_URL: 'file:records.db', STORE_SECRET: 'x'.repeat(32) }],
    ['workers that share a Redis', { WEB_CONCURRENCY: '64', STORE_URL: 'rediss://h/0', STORE_SECRET: 'x'.repeat(32) }],
    ['hashed UIDs', { UID_MODE: 'hash', UID_PREFIX: 'app_', UID_CLAIM: 'https://example.com/uid' }]
  ]
  for (const [title, change] of cases) t.equal(problemsOf({ ...minimal, ...change }), '', title)
})

t.test('a misspelt variable is warned of, with the nearest name', async t => {
  const { warnings } = load({ ...minimal, COMETCHAT_REGOIN: 'eu', PATH: '/bin' })

  t.same(warnings, ['COMETCHAT_REGOIN is not known here: did you mean COMETCHAT_REGION?'])
})

t.test('a drain that may outlast the patience of an orchestrator is warned of, naming both variables', async t => {
  const cases: [change: Environment, isWarned: boolean][] = [
    [{ DRAIN_DELAY_MS: '16000', REPLY_DEADLINE_MS: '10000' }, false],
    [{ DRAIN_DELAY_MS: '16001', REPLY_DEADLINE_MS: '10000' }, true],
    [{ DRAIN_DELAY_MS: '16000', REPLY_DEADLINE_MS: '10001' }, true],
    [{ REPLY_DEADLINE_MS: '120000' }, true]
  ]
  for (const [change, isWarned] of cases) {
    const { warnings } = load({ ...minimal, ...change })
    t.match(warnings, isWarned ? [/DRAIN_DELAY_MS.*REPLY_DEADLINE_MS/] : [], JSON.stringify(change))
    t.equal(warnings.length, isWarned ? 1 : 0)
  }
})

t.test('a secret never prints itself', async t => {
  const config = load({ ...minimal, AUTH_JWT_SECRET: 'a-secret-that-nobody-should-ever-see' })
  const { inspect } = await import('node:util')

  const shown = `${JSON.stringify(config)} ${inspect(config, { depth: 9, showHidden: true })} ${config.auth.jwt?.secrets}`

  t.notMatch(shown, 'a-secret-that')
  t.notMatch(shown, 'api-key-1')
  t.match(shown, /sha256:[0-9a-f]{8}/)
})

t.test('keys may stand on lines of their own', async t => {
  t.equal(parseApiKeys('api-key-1\r\napi-key-2\n')?.length, 2)
  t.equal(parseApiKeys('\n'), undefined)
})

t.test('an address that a store would refuse at the start is refused with the configuration', async t => {
  const STORE_SECRET = 'a-store-secret-of-at-least-32-bytes'
  for (const STORE_URL of ['redis://h/notadb', 'redis://h:1/0?tls=true', 'redis://user:pa%ZZ@h', 'redis://']) {
    t.match(problemsOf({ ...minimal, STORE_SECRET, STORE_URL }), /^STORE_URL is not redis\(s\):/, STORE_URL)
  }
  t.match(problemsOf({ ...minimal, STORE_SECRET, STORE_URL: 'mysql://h' }), /^STORE_URL must be memory:, file:PATH/)
  t.equal(problemsOf({ ...minimal, STORE_SECRET, STORE_URL: 'rediss://user:pa%5A@h/3' }), '')
})

t.test('a configuration that is logged by accident shows no password of a store', async t => {
  const url = 'redis://u:hunter2@h:6379/0'
  const env = { STORE_URL: url, STORE_SECRET: 'a-store-secret-of-at-least-32-bytes' }
  const session = { AUTH_SESSION_STORE_URL: url, AUTH_SESSION_SECRET: 'a-session-secret-of-at-least-32-bytes' }
  const text = JSON.stringify(load({ ...minimal, ...env, ...session }))

  t.match(text, '"host":"h"')
  t.notMatch(text, 'hunter2')
})
