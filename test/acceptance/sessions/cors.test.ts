import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const LISTED = 'https://app.example.com'
const LOCAL = 'http://localhost:5173'
const { emulator, env, parentId } = await startEmulator(t)
const SHELL = 'capacitor://localhost'
const LAN = 'http://192.168.1.20:5173'
const service = await hostService(t, {
  ...env,
  CORS_ORIGINS: `${LISTED}, ${LOCAL}, ${SHELL}, ${LAN}`,
  CORS_HEADERS: 'X-App-Version'
})
const path = `/threads/${parentId}/replies`

const preflight = (origin: string, headers: Record<string, string> = {}) =>
  fetch(service.url + path, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-csrf', ...headers }
  })

const corsHeaders = (headers: Headers): string[] =>
  Array.from(headers.keys()).filter(name => name.startsWith('access-control-'))

t.test('a page of a listed origin may call and read, also what is refused', async t => {
  for (const origin of [LISTED, LOCAL, SHELL, LAN]) {
    const posted = await postReply(service, { parentId, headers: { origin } })
    const refused = await postReply(service, { parentId, headers: { origin }, token: 'a.b.c' })
    const invalid = await postReply(service, { parentId, headers: { origin }, body: { data: {} } })

    t.same(
      [posted, refused, invalid].map(({ status }) => status),
      [201, 401, 422],
      origin
    )
    for (const { headers } of [posted, refused, invalid]) {
      t.equal(headers.get('access-control-allow-origin'), origin)
      t.equal(headers.get('access-control-allow-credentials'), 'true')
      t.match(
        headers.get('access-control-expose-headers'),
        /(?=.*x-request-id)(?=.*retry-after)(?=.*idempotent-replayed)/
      )
      t.match(headers.get('vary'), /\borigin\b/i)
    }
  }
})

t.test('a preflight of a listed origin needs no credential, is kept for hours, and reaches nobody', async t => {
  emulator.clear()
  const answer = await preflight(LISTED)

  t.equal(answer.status, 204)
  t.equal(answer.headers.get('access-control-allow-origin'), LISTED)
  t.equal(answer.headers.get('access-control-allow-credentials'), 'true')
  t.equal(answer.headers.get('access-control-allow-methods'), 'GET, POST, PATCH, DELETE')
  t.equal(answer.headers.get('access-control-max-age'), '7200')
  t.match(answer.headers.get('vary'), /\borigin\b/i)
  const allowed = answer.headers.get('access-control-allow-headers')?.split(', ') ?? []
  const needed = [
    ...'content-type authorization idempotency-key x-csrf prefer x-request-id x-signed-in-as last-event-id x-app-version'.split(
      ' '
    ),
    ...'traceparent tracestate baggage sentry-trace'.split(' ')
  ]
  t.same(allowed.sort(), needed.sort(), 'and nothing that would name somebody else')
  for (const origin of [SHELL, LAN]) {
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const { status, headers } = await preflight(origin, { 'access-control-request-method': method })
      t.same([status, headers.get('access-control-allow-origin')], [204, origin], `${method} from ${origin}`)
    }
  }
  t.same(emulator.requests, [])
})

t.test('whatever is answered, a listed page can read it: no address, no method, no credential', async t => {
  for (const [method, address, status] of [
    ['GET', '/nowhere', 404],
    ['PUT', path, 405],
    ['POST', path, 401],
    ['GET', `${path}/%`, 400]
  ] as const) {
    const answer = await fetch(service.url + address, {
      method,
      headers: { origin: SHELL, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: '{}' })
    })
    t.equal(answer.status, status, `${method} ${address}`)
    t.equal(answer.headers.get('access-control-allow-origin'), SHELL, `${method} ${address}`)
  }
})

t.test('what tracing and streams add to a call of a page decides nothing', async t => {
  const noise = {
    'last-event-id': '"1\u00e9',
    tracestate: 'a=b,=',
    baggage: 'sentry-environment=production',
    'sentry-trace': '0-0-0',
    'x-app-version': '1'
  }
  const { status } = await postReply(service, { parentId, headers: { origin: LISTED, ...noise } })
  t.equal(status, 201)
})

t.test('an origin that is only like a listed one gets nothing', async t => {
  const { host } = new URL(LISTED)
  const origins = [
    'null',
    '*',
    `${LISTED}.evil.test`,
    `${LISTED}:443`,
    `${LISTED}:8443`,
    `${LISTED}/`,
    `${LISTED} `.trim().toUpperCase(),
    'https://App.example.com',
    `http://${host}`,
    `https://evil${host}`,
    `https://evil.${host}`,
    'https://example.com',
    `https://user@${host}`,
    `https://evil.test#${LISTED}`,
    `${LISTED},https://evil.test`,
    `${LISTED} https://evil.test`,
    'https://app-example.com',
    'https://appxexample.com',
    'http://localhost',
    'http://localhost:5174',
    'http://127.0.0.1:5173',
    'file://',
    'chrome-extension://abcdefgh',
    'capacitor://localhost/',
    'capacitor://localhost:80',
    'Capacitor://localhost',
    'ionic://localhost'
  ]

  for (const origin of origins) {
    const asked = await preflight(origin)
    t.not(asked.ok, true, `${origin}: no preflight`)
    t.same(corsHeaders(asked.headers), [], `${origin}: no header`)
    t.match(asked.headers.get('vary'), /\borigin\b/i)
    const posted = await postReply(service, { parentId, headers: { origin } })
    t.equal(posted.status, 201, `${origin}: a bearer token is proof enough, whoever reads the answer`)
    t.same(corsHeaders(posted.headers), [], `${origin}: no header here either`)
    t.match(posted.headers.get('vary'), /\borigin\b/i)
  }
})

t.test('what is not a browser is answered as before, and caches are told', async t => {
  const answer = await postReply(service, { parentId })

  t.equal(answer.status, 201)
  t.same(corsHeaders(answer.headers), [])
  t.match(answer.headers.get('vary'), /\borigin\b/i)
})

t.test('OPTIONS that is no preflight is harmless, and never plain text', async t => {
  const withoutOrigin = await fetch(service.url + path, { method: 'OPTIONS' })
  const withoutMethod = await fetch(service.url + path, { method: 'OPTIONS', headers: { origin: LISTED } })

  t.equal(withoutOrigin.status, 405)
  t.match(withoutOrigin.headers.get('content-type'), 'application/problem+json')
  t.equal(withoutMethod.status, 405)
})

t.test('two origins in one request are refused', async t => {
  const headers = new Headers({
    authorization: `Bearer ${await tokenFor('alice')}`,
    'content-type': 'application/json'
  })
  headers.append('origin', LISTED)
  headers.append('origin', 'https://evil.test')
  const answer = await fetch(service.url + path, { method: 'POST', headers, body: '{"data":{"text":"hello"}}' })

  t.same(corsHeaders(answer.headers), [])
})

t.test('without a list nobody gets anything', async t => {
  const closed = await hostService(t, env)
  const asked = await fetch(closed.url + path, {
    method: 'OPTIONS',
    headers: { origin: LISTED, 'access-control-request-method': 'POST' }
  })
  const posted = await postReply(closed, { parentId, headers: { origin: LISTED } })

  t.equal(asked.status, 405)
  t.equal(posted.status, 201)
  t.same([...corsHeaders(asked.headers), ...corsHeaders(posted.headers)], [])
})
