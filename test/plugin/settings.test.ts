// What a host may say, and what of its environment is its own.
import t from 'tap'
import { ConfigError } from '../../src/config/env-reader.ts'
import type { ThreadRepliesSettings } from '../../src/plugin/setting-names.ts'
import { readSettings } from '../../src/plugin/settings.ts'
import { BY_TOKENS, IN_MEMORY } from './host.ts'

const GIVEN = { ...IN_MEMORY, COMETCHAT_BASE_URL: 'http://127.0.0.1:1', COMETCHAT_API_KEY: 'an-api-key-of-nobody' }

function problemsOf(settings: ThreadRepliesSettings, execArgv: readonly string[] = [], hasSqlite = true): string[] {
  try {
    readSettings(settings, execArgv, hasSqlite)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [...error.problems]
  }
}

t.test('values are what they are in JavaScript, and texts as in an environment', async t => {
  const config = readSettings(
    {
      ...GIVEN,
      REPLY_DEADLINE_MS: 5000,
      UID_CREATE: true,
      CORS_ORIGINS: ['https://a.test', 'https://b.test'],
      DELIVERY_MARKER: 'off'
    },
    []
  )
  t.equal(config.delivery.deadlineMs, 5000)
  t.equal(config.uid.create, true)
  t.same([...config.cors.origins], ['https://a.test', 'https://b.test'])
  t.equal(config.delivery.marker, false)
})

t.test('every mistake is named by its variable, in one error and without a value', async t => {
  const problems = problemsOf({ ...GIVEN, COMETCHAT_API_KEY: undefined, REPLY_DEADLINE_MS: 1, UID_MODE: 'shouting' })
  t.equal(problems.length, 3)
  t.match(problems.join('\n'), /COMETCHAT_API_KEY.*REPLY_DEADLINE_MS/s)
  t.notMatch(problems.join('\n'), 'shouting')
})

t.test('what an environment says of the host is left alone, and flags of its process count', async t => {
  const environment: NodeJS.ProcessEnv = {
    ...GIVEN,
    PORT: 'no port',
    HOST: '???',
    LOG_LEVEL: 'loud',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://somewhere',
    OTEL_TRACES_SAMPLER: 'of the host',
    DRAIN_DELAY_MS: 'x'
  }
  t.same(problemsOf(environment), [])
  t.equal(readSettings(environment, []).traces, undefined)
  t.match(problemsOf(GIVEN, ['--insecure-http-parser']), [/--insecure-http-parser/])
})

t.test('without a SQLite a file is refused in words, and everything else is not', async t => {
  const { STORE_URL: _, ...withoutStore } = GIVEN
  t.match(problemsOf(withoutStore, [], false), [
    /^Without STORE_URL records are in a file of SQLite, which Node .*set STORE_URL/
  ])
  const secret = 'a-secret-of-at-least-thirty-two-bytes'
  t.match(problemsOf({ ...GIVEN, STORE_URL: 'file:a.db', STORE_SECRET: secret }, [], false), [
    /^STORE_URL=file: is a file/
  ])
  t.same(problemsOf(GIVEN, [], false), [])
  t.same(problemsOf({ ...GIVEN, STORE_URL: 'redis://127.0.0.1', STORE_SECRET: secret }, [], false), [])
  t.ok(Object.keys(BY_TOKENS).length > 0)
})
