// What starts without a word, and what does not: flags that open the process, and settings that work with a risk.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ConfigError, type Environment } from '../../src/config/env-reader.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { HAZARDS } from '../../src/config/risks/hazards.ts'
import { REFUSED_FLAGS } from '../../src/config/risks/node-flags.ts'
import { isPublished } from '../../src/config/risks/published-secrets.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const STORE_SECRET = 'a-store-secret-of-at-least-32-bytes'
const minimal: Environment = {
  COMETCHAT_APP_ID: 'a1b2c3',
  COMETCHAT_REGION: 'eu',
  COMETCHAT_API_KEY: 'api-key-1',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies'
}
const KEY = JSON.stringify({
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
})
const audit = { AUDIT_FILE: '/var/log/audit.log', AUDIT_SECRET: 'an-audit-secret-of-at-least-32-bytes' }
const secret = { AUTH_JWT_SECRET: 'a-shared-secret-for-tests-of-40-bytes-xx' }
const session = { AUTH_SESSION_SECRET: 'a-session-secret-of-at-least-32-bytes' }

/** The warnings of a start, or the mistakes for which it is refused. */
function saidOf(change: Environment): readonly string[] {
  try {
    return loadConfig({ ...minimal, ...change }, () => KEY).warnings
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(problem => `refused: ${problem}`)
    throw error
  }
}

const OPEN = [
  '--inspect',
  '--inspect=0.0.0.0:9229',
  '--inspect-brk',
  '--inspect-wait=1',
  '--inspect_port=9229',
  '"--inspect"',
  '--heapsnapshot-signal=SIGUSR2',
  '--heapsnapshot-near-heap-limit=1',
  '--heap-prof',
  '--heap-prof-dir=/tmp',
  '--cpu-prof',
  '--cpu_prof',
  '--cpu-prof-interval=100',
  '--report-on-signal',
  '--report-uncaught-exception',
  '--report_on_fatalerror',
  '--report-dir=/tmp',
  '--abort-on-uncaught-exception',
  '--abort_on_uncaught_exception'
]

for (const flag of OPEN) {
  t.test(`${flag} is refused by name, save in development`, async t => {
    const said = saidOf({ NODE_OPTIONS: `--import=./agent.mjs ${flag} --no-warnings` })

    t.equal(said.length, 1)
    const [name = ''] = flag.replaceAll('"', '').replaceAll('_', '-').split('=')
    t.ok(said[0]?.startsWith(`refused: NODE_OPTIONS must not contain ${name}: it `), String(said[0]))
    t.match(saidOf({ NODE_OPTIONS: flag, NODE_ENV: 'production' }), [/^refused: /])
    t.strictSame(saidOf({ NODE_OPTIONS: flag, NODE_ENV: 'development' }), [])
  })
}

t.test('a lenient parser is refused in development, too', async t => {
  for (const NODE_OPTIONS of ['--insecure-http-parser', '--insecure_http_parser']) {
    t.match(saidOf({ NODE_OPTIONS, NODE_ENV: 'development' }), [/^refused: .*--insecure-http-parser: .*smuggling/])
  }
})

t.test('what agents and small machines need starts without a word', async t => {
  const flags = ['--import=./inspect.mjs', '--require=/opt/--report-dir/agent.js', '--experimental-loader=./x.mjs']
  const memory = ['--max-old-space-size=256', '--max-semi-space-size=16', '--heap-growing-percent=50']
  const warnings = ['--no-warnings', '--trace-warnings', '--disable-warning=ExperimentalWarning', '--no-deprecation']
  const others = ['--enable-source-maps', '--dns-result-order=ipv4first', '--use-openssl-ca', '--tls-min-v1.3']
  const all = [...flags, ...memory, ...warnings, ...others].join(' ')

  t.strictSame(saidOf({ NODE_OPTIONS: all }), [])
})

const file = { STORE_URL: 'file:/data/replies.db', STORE_SECRET }
/** For each row of the table: what is warned of, as whose name, and its neighbour that is not. */
const RISKS: readonly (readonly [what: RegExp, names: string, risky: Environment, right: Environment])[] = [
  [/ADMIN_HOST/, 'ADMIN_HOST', { ADMIN_HOST: '0.0.0.0' }, { ADMIN_HOST: '::1' }],
  [/COMETCHAT_API_KEY/, 'COMETCHAT_API_KEY', { COMETCHAT_API_KEY: 'abcdefg' }, { COMETCHAT_API_KEY: 'abcdefgh' }],
  [
    /AUTH_SESSION_SECRET/,
    'AUTH_SESSION_SECRET',
    { AUTH_SESSION_STORE_URL: 'rediss://h', AUTH_SESSION_SECRET: 'keyboard cat' },
    { AUTH_SESSION_STORE_URL: 'rediss://h', ...session }
  ],
  [
    /COMETCHAT_CATEGORIES/,
    'COMETCHAT_CATEGORIES',
    { COMETCHAT_CATEGORIES: 'message,card' },
    { COMETCHAT_CATEGORIES: 'message' }
  ],
  [/DRAIN_DELAY_MS/, 'DRAIN_DELAY_MS and REPLY_DEADLINE_MS', { DRAIN_DELAY_MS: '16001' }, { DRAIN_DELAY_MS: '16000' }],
  [/a secret of our own/, 'STORE_SECRET', { STORE_SECRET: 'example-of-a-store-secret-of-32-bytes' }, { STORE_SECRET }],
  [
    /QUIET_PERIOD_MS/,
    'QUIET_PERIOD_MS',
    { ...file, QUIET_PERIOD_MS: '0' },
    { STORE_URL: 'memory:', QUIET_PERIOD_MS: '0' }
  ],
  [/UID_CLAIM/, 'UID_CLAIM', { UID_CLAIM: 'preferred_username' }, { UID_CLAIM: 'https://example.com/uid' }],
  [/UID_MODE/, 'UID_MODE', { STORE_URL: 'memory:', UID_MODE: 'lower' }, { UID_MODE: 'lower' }],
  [/AUTH_JWT_SCOPE/, 'AUTH_JWT_SCOPE', { AUTH_JWT_SCOPE: 'openid' }, { AUTH_JWT_SCOPE: 'replies:write' }],
  [
    /AUTH_JWT_KEY_FILE/,
    'AUTH_JWT_SECRET',
    { ...secret, AUTH_JWT_AUDIENCE: undefined },
    { ...secret, AUTH_JWT_AUDIENCE: undefined, AUTH_JWT_CLAIMS: 'token_type=access' }
  ],
  [
    /unchecked/,
    'AUTH_JWT_AUDIENCE',
    { AUTH_JWT_AUDIENCE: 'unchecked' },
    { AUTH_JWT_AUDIENCE: 'unchecked', AUTH_JWT_CLAIMS: 'sid' }
  ],
  [/AUTH_HTTP_HOSTS/, 'AUTH_HTTP_HOSTS', { AUTH_HTTP_HOSTS: 'keycloak:8080' }, { AUTH_HTTP_HOSTS: '' }],
  [
    /CORS_ORIGINS/,
    'CORS_ORIGINS',
    { CORS_ORIGINS: 'http://192.168.1.20:5173' },
    { CORS_ORIGINS: 'https://192.168.1.20:5173,http://app.localhost,capacitor://localhost' }
  ],
  [
    /redis:/,
    'STORE_URL',
    { STORE_URL: 'redis://redis.example.com', STORE_SECRET },
    { STORE_URL: 'redis://127.0.0.1', STORE_SECRET }
  ],
  [
    /postgres:/,
    'STORE_URL',
    { STORE_URL: 'postgres://me:secret@db.example.com/replies?sslmode=require', STORE_SECRET },
    { STORE_URL: 'postgres://me:secret@db.example.com/replies?sslmode=verify-full', STORE_SECRET }
  ],
  [
    /OTEL_EXPORTER/,
    'OTEL_EXPORTER_OTLP_HEADERS',
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }
  ],
  [/LOG_LEVEL/, 'LOG_LEVEL', { ...audit, LOG_LEVEL: 'silent' }, { ...audit, LOG_LEVEL: 'error' }],
  [/tls-keylog/, '--tls-keylog', { NODE_OPTIONS: '--tls-keylog=/tmp/keys' }, { NODE_OPTIONS: '--tls-cipher-list=x' }],
  [/trace-tls/, '--trace-tls', { NODE_OPTIONS: '--trace_tls' }, { NODE_OPTIONS: '--trace-warnings' }]
]

for (const [what, names, risky, right] of RISKS) {
  t.test(`${names} is warned of where ${what.source} is a risk, and nowhere else`, async t => {
    const hazard = HAZARDS.find(candidate => what.test(candidate.what))

    t.strictSame(saidOf(risky), [`${names} ${hazard?.reason}`])
    t.strictSame(saidOf(right), [])
  })
}

t.test('an entry of AUTH_ISSUERS_FILE is warned of by its index and member as the one issuer is', async t => {
  const right = { issuer: 'https://one.test', audience: ['replies'] }
  const own = { issuer: 'app', secretFile: '/secret', usersOf: right.issuer }
  const cases: [what: RegExp, entry: object, member: string][] = [
    [/UID_CLAIM/, { ...right, issuer: 'https://two.test', uidClaim: 'email' }, 'uidClaim'],
    [/AUTH_JWT_SCOPE/, { ...right, issuer: 'https://two.test', scope: 'openid' }, 'scope'],
    [/AUTH_JWT_SCOPE/, { ...right, issuer: 'https://two.test', actScope: 'profile' }, 'actScope'],
    [/AUTH_JWT_KEY_FILE/, own, 'secretFile'],
    [/AUTH_JWT_KEY_FILE/, { issuer: 'app', keyFile: '/key' }, 'keyFile'],
    [/unchecked/, { issuer: 'https://two.test', audience: ['unchecked'] }, 'audience'],
    [/a secret of our own/, { ...own, secretFile: '/example', claims: 'token_type=access' }, 'secretFile']
  ]
  const said = (...entries: object[]): readonly string[] =>
    loadConfig(
      { ...minimal, AUTH_JWT_ISSUER: '', AUTH_JWT_AUDIENCE: '', AUTH_ISSUERS_FILE: '/issuers', UID_MODE: 'hash' },
      path => {
        if (path === '/issuers') return JSON.stringify(entries)
        if (path === '/key') return KEY
        return path === '/secret' ? secret.AUTH_JWT_SECRET : 'local-example-secret-that-protects-nothing'
      }
    ).warnings
  t.strictSame(said(right, { ...own, claims: 'token_type=access' }), [])
  for (const [what, entry, member] of cases) {
    const { reason } = HAZARDS.find(hazard => what.test(hazard.what)) ?? {}
    t.strictSame(said(right, entry), [`AUTH_ISSUERS_FILE entry 1, ${member} ${reason}`], member)
  }
})

t.test('every row of the table has its test', async t => {
  t.equal(RISKS.length, HAZARDS.length)
})

t.test('what is at stake in one variable is at stake in its siblings', async t => {
  const each: readonly (readonly [name: string, change: Environment])[] = [
    ['AUTH_JWT_KEY_FILE', { AUTH_JWT_KEY_FILE: '/run/key.json', AUTH_JWT_AUDIENCE: undefined }],
    ...['nickname', 'name', 'email'].map(claim => ['UID_CLAIM', { UID_CLAIM: claim }] as const),
    ...['profile', 'email', 'offline_access'].map(scope => ['AUTH_ACT_SCOPE', { AUTH_ACT_SCOPE: scope }] as const),
    ['AUTH_EXPLAIN_SCOPE', { AUTH_EXPLAIN_SCOPE: 'openid' }],
    ['AUTH_SDK_TOKEN_SCOPE', { AUTH_SDK_TOKEN_SCOPE: 'profile' }],
    ['AUTH_SESSION_STORE_URL', { AUTH_SESSION_STORE_URL: 'redis://10.0.0.7:6379/1', ...session }],
    ['AUTH_JWT_SECRET', { AUTH_JWT_SECRET: 'local-example-secret-that-protects-nothing' }],
    ['COMETCHAT_API_KEY', { COMETCHAT_API_KEY: 'real-api-key,a08ff49b6f772632716c43069c43a8c3b7cf3c25' }],
    ['AUDIT_SECRET', { ...audit, AUDIT_SECRET: 'example-of-an-audit-secret-of-32-bytes' }],
    [
      'AUTH_SESSION_SECRET',
      {
        AUTH_SESSION_STORE_URL: 'rediss://h',
        AUTH_SESSION_SECRET: `${session.AUTH_SESSION_SECRET},example-of-a-session-secret-of-32-bytes`
      }
    ]
  ]
  for (const [name, change] of each) {
    const said = saidOf(change)
    t.equal(said.length, 1, JSON.stringify(change))
    t.ok(said[0]?.startsWith(`${name} `), String(said[0]))
  }
})

t.test('every secret that stands in a document is known as one that everybody knows', async t => {
  const documents = [
    '.env.example',
    'README.md',
    'SECURITY.md',
    'CONTRIBUTING.md',
    'compose.yaml',
    ...markdownIn('docs')
  ]
  const found = documents.flatMap(path =>
    Array.from(
      readFileSync(join(ROOT, path), 'utf8').matchAll(
        /^[#\s>-]*((?:COMETCHAT_API_KEY|STORE_SECRET|AUDIT_SECRET|UID_TABLE_TOKEN|AUTH_[A-Z_]+_SECRET))[=:] *([^\s#]+)/gm
      ),
      ([, name = '', secret = '']) => `${path}: ${name}=${secret}`
    )
  )

  t.ok(found.length >= 8, `${found.length} were found`)
  for (const place of found) t.ok(isPublished(place.split('=').slice(1).join('=')), place)
})

t.test('docs/operations.md has the same tables', async t => {
  const document = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')
  const rows = ['flag', 'setting'].flatMap(head => {
    const table = document.split(`\n| ${head} | it |\n`)[1]?.split('\n\n')[0] ?? ''
    return table.split('\n').filter(line => !line.startsWith('| ---'))
  })

  t.strictSame(rows, [
    ...REFUSED_FLAGS.map(({ what, reason }) => `| \`${what}\` | ${reason} |`),
    ...HAZARDS.map(({ what, reason }) => `| ${what} | ${reason.replace(/\.$/, '')} |`)
  ])
})

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => join(folder, name))
}
