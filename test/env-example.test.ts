import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseEnv, promisify } from 'node:util'
import { jwtVerify } from 'jose'
import t from 'tap'
import { createKey, createRandom } from '../emulator/random.ts'
import { loadConfig } from '../src/config/load-config.ts'
import { VARIABLES } from '../src/config/variables.ts'

const ROOT = new URL('..', import.meta.url)
const text = readFileSync(new URL('.env.example', ROOT), 'utf8')
const env = parseEnv(text) as Record<string, string>
/** The same with every commented variable switched on. */
const everything = parseEnv(text.replaceAll(/^# (?=[A-Z][A-Z0-9_]*=)/gm, '')) as Record<string, string>
const noFiles = () => {
  throw new Error('nothing is read from a file')
}

/** That everybody knows its secrets is the only thing wrong with an example. */
const isOfExample = (warning: string) =>
  warning.endsWith('stands in the documents of this project: everybody knows it.')

t.test('a copy of it is a valid configuration, warned of for its secrets alone', async t => {
  const { warnings, cometchat } = loadConfig(env, noFiles)

  t.strictSame(
    warnings.map(warning => warning.split(' ')[0]),
    ['COMETCHAT_API_KEY', 'AUTH_JWT_SECRET']
  )
  t.ok(warnings.every(isOfExample))
  t.equal(cometchat.origin, 'http://127.0.0.1:4000')
})

t.test('its key is the one that the emulator accepts', async t => {
  t.equal(env['COMETCHAT_API_KEY'], createKey(createRandom(1)))
})

t.test('it mentions every variable once and knows no other', async t => {
  const mentioned = Array.from(text.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm), ([, name = '']) => name)

  t.strictSame(mentioned.sort(), [...VARIABLES].sort())
})

const pick = (names: RegExp) => Object.fromEntries(Object.entries(everything).filter(([name]) => names.test(name)))

t.test('a default that it shows is the default', async t => {
  const defaults = pick(
    /^(AUTH_SESSION_COOKIE|UID_(CLAIM|MODE|PREFIX|CREATE)|(ADMIN_)?(HOST|PORT)|WEB_CONCURRENCY|LOG_LEVEL|.*_(MS|MAX)|DELIVERY_.*|IDEMPOTENCY_.*)$/
  )
  for (const name of ['AUTH_LOGIN_IDLE_MS', 'AUTH_LOGIN_ABSOLUTE_MS']) delete defaults[name]

  const spelledOut = loadConfig({ ...env, ...defaults }, noFiles)

  t.ok(Object.keys(defaults).length > 15)
  t.strictSame(JSON.parse(JSON.stringify(spelledOut)), JSON.parse(JSON.stringify(loadConfig(env, noFiles))))
})

const WITHOUT_SECRET = { AUTH_JWT_SECRET: undefined }
for (const [title, names, changes] of [
  ['CometChat itself', /^COMETCHAT_(APP_ID|REGION|TOKENS)$/, { COMETCHAT_BASE_URL: undefined }],
  ['tokens with published keys', /^AUTH_(JWT|ACT)_(?!SECRET|KEY_FILE)/, WITHOUT_SECRET],
  ['opaque tokens', /^AUTH_(INTROSPECTION|JWT)_(?!.*(SECRET|KEY|TOKEN)_FILE|TOKEN$)/, WITHOUT_SECRET],
  ['opaque tokens, asked about with a token', /^AUTH_INTROSPECTION_(URL|TOKEN)$/, {}],
  ['the session of a backend', /^AUTH_SESSION_(?!.*_FILE$)/, {}],
  ['a sign-in of its own', /^AUTH_LOGIN_(?!.*_FILE$)/, {}],
  ['a table of users', /^UID_(?!.*_FILE$)/, { UID_MODE: 'table' }],
  ['an audit file', /^AUDIT(_FILE|_SECRET)?$/, {}],
  ['a durable store', /^STORE_SECRET$/, { STORE_URL: 'file:/data/replies.db' }],
  ['a service behind a proxy, for browsers', /^(TRUST_PROXY|CORS_ORIGINS|CORS_HEADERS)$/, {}]
] as const) {
  t.test(`its examples for ${title} are accepted`, async t => {
    const { warnings } = loadConfig({ ...env, ...pick(names), ...changes }, noFiles)

    t.strictSame(
      warnings.filter(warning => !isOfExample(warning)),
      []
    )
  })
}

t.test('the command in it makes a token for alice that this configuration accepts', async t => {
  const command = /^# {3}(node --env-file=.*)$/m.exec(text)?.[1]?.replace('=.env', '=.env.example') ?? ''
  const key = new TextEncoder().encode(env['AUTH_JWT_SECRET'])

  const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd: ROOT })

  const { payload } = await jwtVerify(stdout.trim(), key, {
    issuer: env['AUTH_JWT_ISSUER'] ?? '',
    audience: env['AUTH_JWT_AUDIENCE'] ?? ''
  })
  t.equal(payload.sub, 'alice')
})
