import { connect } from 'node:net'
import pino from 'pino'
import t, { type Test } from 'tap'
import { createCrossOrigin } from '../../src/http/cross-origin.ts'
import { Drain } from '../../src/http/drain.ts'
import { setErrorHandler } from '../../src/http/error-handler.ts'
import { lifecycle } from '../../src/http/lifecycle.ts'
import { createPublicServer } from '../../src/http/public-server.ts'

const LISTED = 'https://app.example.com'
const ALLOWED = ['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers']

async function start(t: Test) {
  const crossOrigin = createCrossOrigin({
    origins: new Set([LISTED, 'capacitor://localhost']),
    headers: ['x-app', 'prefer']
  })
  const log = pino({ level: 'silent' })
  const app = createPublicServer({ isProxy: () => false, deadlineMs: 1000, keepAliveTimeoutMs: 1000, crossOrigin })
  t.teardown(() => app.close())
  setErrorHandler(app, { log })
  const drain = new Drain({ monotonic: () => 0, now: () => 0, sleep: async () => undefined }, 10_000)
  await app.register(lifecycle, {
    drain,
    log,
    ignoredHeaders: [],
    crossOrigin,
    connections: { check: () => undefined }
  })
  let calls = 0
  app.post('/', async () => ({ calls: ++calls }))
  const preflight = (origin: string, headers: Record<string, string> = {}, url = '/') =>
    app.inject({
      method: 'OPTIONS',
      url,
      headers: { origin, 'access-control-request-method': 'POST', ...headers }
    })
  const post = (origin?: string) => app.inject({ method: 'POST', url: '/', headers: origin ? { origin } : {} })
  return { app, preflight, post, callsOf: () => calls }
}

t.test('a page of a listed origin may call and read', async t => {
  const { preflight, post } = await start(t)
  for (const origin of [LISTED, 'capacitor://localhost']) {
    const asked = await preflight(origin)

    t.equal(asked.statusCode, 204)
    t.match(asked.headers, {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
      'access-control-max-age': '7200',
      'x-request-id': /./,
      vary: 'Origin'
    })
    const answer = await post(origin)
    t.match(answer.headers, { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' })
    t.match(answer.headers['access-control-expose-headers'], /idempotent-replayed.*retry-after.*x-request-id/)
  }
})

t.test('the headers of the app are allowed beside those that are known, each once', async t => {
  const { preflight } = await start(t)
  const allowed = String((await preflight(LISTED)).headers['access-control-allow-headers']).split(', ')

  t.equal(new Set(allowed).size, allowed.length)
  for (const name of ['authorization', 'last-event-id', 'tracestate', 'baggage', 'sentry-trace', 'x-app', 'prefer']) {
    t.ok(allowed.includes(name), name)
  }
})

t.test('any other origin is told nothing', async t => {
  const { preflight, post } = await start(t)
  for (const origin of [
    'https://evil.test',
    `${LISTED}.evil.test`,
    `${LISTED}:8443`,
    'null',
    LISTED.toUpperCase(),
    `${LISTED}/`,
    'capacitor://localhost:80'
  ]) {
    for (const answer of [await preflight(origin), await post(origin)]) {
      for (const name of ALLOWED) t.notOk(name in answer.headers, `${origin}: ${name}`)
      t.equal(answer.headers['vary'], 'Origin')
    }
  }
  const { headers } = await post()
  t.notOk('access-control-allow-origin' in headers, 'no origin at all')
})

t.test('a preflight reaches no route, whatever its address', async t => {
  const { preflight, callsOf } = await start(t)
  t.equal((await preflight(LISTED, {}, '/nowhere')).statusCode, 204)
  t.equal((await preflight(LISTED, { 'access-control-request-method': 'DELETE' })).statusCode, 204)
  t.equal(callsOf(), 0)
})

t.test('what only looks like a preflight is answered by the service itself', async t => {
  const { app } = await start(t)
  const answer = await app.inject({ method: 'OPTIONS', url: '/', headers: { origin: LISTED } })

  t.equal(answer.statusCode, 404)
  t.match(answer.headers, { 'content-type': /problem\+json/, 'access-control-allow-origin': LISTED })
})

t.test('answers that meet no hook carry the headers, too', async t => {
  const { app } = await start(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const text = async (target: string, origin: string): Promise<string> => {
    const head = `GET ${target} HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nConnection: close\r\n\r\n`
    return (await connect(port, '127.0.0.1').end(head).setEncoding('utf8').toArray()).join('')
  }
  for (const target of ['/%', '/%c0', '/nowhere']) {
    t.match(await text(target, LISTED), new RegExp(`access-control-allow-origin: ${LISTED}`), target)
    t.notMatch(await text(target, 'https://evil.test'), 'access-control-allow', target)
  }
})
