// The one list of variables against the code that reads them: none is listed and not read, none is read and not listed.
import t from 'tap'
import { ConfigError } from '../../src/config/env-reader.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { VARIABLE_ROWS, VARIABLES } from '../../src/config/variables.ts'

/** Node's own, which are judged and not configured here. */
const OF_NODE = ['NODE_ENV', 'NODE_OPTIONS', 'NODE_TLS_REJECT_UNAUTHORIZED']
/** The same variables in small letters, as curl reads them. */
const IN_SMALL_LETTERS = ['https_proxy', 'http_proxy', 'no_proxy']

/** The names that are asked for while a configuration is read. */
function namesRead(env: Readonly<Record<string, string>>): Set<string> {
  const names = new Set<string>()
  const watched = new Proxy(env, {
    get(target, name) {
      names.add(String(name))
      return target[String(name)]
    }
  })
  try {
    loadConfig(watched, () => 'text of a file')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
  return names
}

/** What each variable must hold so that the ones which depend on it are read as well. */
const EVERYTHING_ON = {
  COMETCHAT_API_KEY: 'api-key-1',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies',
  AUTH_INTROSPECTION_URL: 'https://issuer.test/introspect',
  AUDIT_FILE: 'audit.log',
  AUTH_LOGIN_ISSUER: 'https://issuer.test',
  AUTH_SESSION_STORE_URL: 'redis://h',
  UID_MODE: 'table',
  UID_TABLE_URL: 'https://users.test/{subject}'
}

t.test('what is listed is read, and what is read is listed', async t => {
  const read = new Set([...namesRead({}), ...namesRead(EVERYTHING_ON)])

  t.strictSame([...read].sort(), [...VARIABLES, ...OF_NODE, ...IN_SMALL_LETTERS].sort())
})

t.test('each is listed once, and only what is listed can be a secret', async t => {
  t.equal(new Set(VARIABLES).size, VARIABLES.length)
  for (const { names, secrets = [] } of VARIABLE_ROWS) t.ok(secrets.every(secret => names.includes(secret)))
})
