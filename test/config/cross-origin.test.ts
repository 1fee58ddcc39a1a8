// Which origins and headers of pages are taken, and what is said of the others.
import t from 'tap'
import type { Environment } from '../../src/config/env-reader.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { refusalsOf } from './refusals.ts'

const minimal: Environment = {
  COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
  COMETCHAT_API_KEY: 'an-api-key-of-nobody',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies'
}
const GOOD = 'https://app.example.com'

const load = (env: Environment) => loadConfig({ ...minimal, ...env }, () => '')

function problemsOf(env: Environment): readonly string[] {
  return refusalsOf(() => load(env))
}

t.test('origins are taken exactly as browsers and apps write them', async t => {
  const good = [
    GOOD,
    'https://app.example.com:8443',
    'https://xn--bcher-kva.example',
    'https://localhost',
    'http://localhost:5173',
    'http://127.0.0.1',
    'http://[::1]:3000',
    'http://app.localhost:8100',
    'http://tauri.localhost',
    'https://app.localhost',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app.example.shell://main:8080',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'http://192.168.1.20:5173',
    'http://10.0.2.2',
    'http://172.31.255.255:1',
    'http://169.254.1.1',
    'http://[fe80::1]:3000',
    'http://[fd12::1]',
    'http://laptop.local:5173'
  ]
  t.same([...load({ CORS_ORIGINS: good.join(', ') }).cors.origins], good)
})

const WRONG: readonly (readonly [origin: string, reason: string])[] = [
  ['*', 'every page there is'],
  ['https://*.example.com', 'pattern'],
  ['null', 'names nobody'],
  ['app.example.com', 'has no scheme: an origin is https://app.example.com'],
  ['//app.example.com', 'has no scheme: an origin is https://app.example.com'],
  ['https://app.example.com/', 'browsers write as https://app.example.com'],
  ['https://app.example.com/path', 'browsers write as https://app.example.com'],
  ['https://app.example.com?x', 'browsers write as https://app.example.com'],
  ['https://app.example.com#x', 'browsers write as https://app.example.com'],
  ['https://App.example.com', 'browsers write as https://app.example.com'],
  ['HTTPS://app.example.com', 'browsers write as https://app.example.com'],
  ['https://app.example.com:443', 'browsers write as https://app.example.com'],
  ['http://localhost:80', 'browsers write as http://localhost'],
  ['http://0x7f.1', 'browsers write as http://127.0.0.1'],
  ['https://bücher.example', 'browsers write as https://xn--bcher-kva.example'],
  ['http://app.example.com', 'is http: only localhost'],
  ['http://localhost.evil.example', 'is http: only localhost'],
  ['http://8.8.8.8', 'is http: only localhost'],
  ['http://172.32.0.1', 'is http: only localhost'],
  ['http://[2001:db8::1]', 'is http: only localhost'],
  ['file:///', 'scheme no page has'],
  ['ftp://localhost', 'scheme no page has'],
  ['ws://localhost', 'scheme no page has'],
  ['https://a.test https://b.test', 'a comma separates two'],
  ['https://', 'is no origin'],
  ['capacitor://localhost/', 'no app sends'],
  ['Capacitor://localhost', 'no app sends'],
  ['capacitor://', 'no app sends']
]

t.test('every wrong entry is named with its reason, and a good one beside it is not', async t => {
  for (const [origin, reason] of WRONG) {
    const [problem = '', ...others] = problemsOf({ CORS_ORIGINS: `${GOOD},${origin}` })
    t.same(others, [], origin)
    t.ok(problem.startsWith(`CORS_ORIGINS holds ${JSON.stringify(origin)}, `), problem)
    t.ok(problem.includes(reason), problem)
  }
  const all = problemsOf({ CORS_ORIGINS: WRONG.map(([origin]) => origin).join(',') })
  t.equal(all.length, WRONG.length, 'all of them are named at once')
})

t.test('a password in an entry is not repeated, and a long one is cut', async t => {
  const [secret = ''] = problemsOf({ CORS_ORIGINS: 'https://user:pass-word@app.example.com' })
  t.match(secret, 'a user name or a password')
  t.notMatch(secret, 'pass-word')
  const [long = ''] = problemsOf({ CORS_ORIGINS: `https://app.example.com/${'x'.repeat(5000)}` })
  t.ok(long.length < 500)
})

t.test('headers of the app are taken in any case, once', async t => {
  const { cors } = load({
    CORS_ORIGINS: GOOD,
    CORS_HEADERS: 'X-App-Version, x-app-version, Ngrok-Skip-Browser-Warning'
  })
  t.same([...new Set(cors.headers)], ['x-app-version', 'ngrok-skip-browser-warning'])
})

t.test('a header that means nothing, is refused here, or that no page can send is named with its reason', async t => {
  for (const [name, reason] of [
    ['*', 'list each header'],
    ['x app', 'no name of a header'],
    ['x:app', 'no name of a header'],
    ['apikey', 'refused here'],
    ['on_behalf_of', 'refused here'],
    ['Auth-Token', 'refused here'],
    ['cookie', 'no page set'],
    ['sec-fetch-site', 'no page set']
  ] as const) {
    const [problem = '', ...others] = problemsOf({ CORS_ORIGINS: GOOD, CORS_HEADERS: `x-fine,${name}` })
    t.same(others, [], name)
    t.ok(problem.startsWith(`CORS_HEADERS holds ${JSON.stringify(name.toLowerCase())}, `), problem)
    t.ok(problem.includes(reason), problem)
  }
  t.match(problemsOf({ CORS_HEADERS: 'x-app' }), ['CORS_HEADERS needs CORS_ORIGINS'])
})
