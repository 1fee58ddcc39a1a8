// What decides nothing refuses nothing: headers of proxies and gateways, spellings of clients, a side that is ended early.
import t from 'tap'
import { connectRaw, requestBytes } from '../../helpers/raw-http.ts'
import { runService } from '../../helpers/service-process.ts'
import { isRefusal, startTarget, stillServes, type Target } from '../../helpers/target.ts'

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const OTHER_TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01'
const ORIGIN = 'https://app.example.com'

const target = await startTarget(t)
const behindGateway = await startTarget(t, {
  env: { IGNORED_HEADERS: 'apikey, App-Id', CORS_ORIGINS: ORIGIN }
})

/** The headers of the one POST that reached CometChat since the last look; undefined where there was none. */
function takeForwarded({ emulator }: Target): Record<string, unknown> | undefined {
  const posts = emulator.requests.filter(({ method }) => method === 'POST')
  emulator.clear()
  return posts.length === 1 ? posts[0]?.headers : undefined
}

t.test(
  'traceparent and x-request-id twice are of no account: a new id, nothing forwarded, the reply goes on',
  async t => {
    const once = await target.send({
      lines: [...target.goodLines(), `traceparent: ${TRACE}`, 'x-request-id: request-1']
    })
    t.equal(once?.headers['x-request-id'], 'request-1')
    t.equal(takeForwarded(target)?.['traceparent'], TRACE, 'once, both count')

    for (const lines of [
      [`traceparent: ${TRACE}`, `Traceparent: ${OTHER_TRACE}`],
      [`traceparent: ${TRACE}`, `traceparent: ${TRACE}`],
      ['x-request-id: request-1', 'X-Request-Id: request-2'],
      ['x-request-id: request-1', `traceparent: ${TRACE}`, 'x-request-id: request-1', `traceparent: ${TRACE}`]
    ]) {
      const answer = await target.send({ lines: [...target.goodLines(), ...lines] })
      t.equal(answer?.status, 201, lines.join(', '))
      t.notMatch(answer?.headers['x-request-id'], /request-/)
      const forwarded = takeForwarded(target)
      t.ok(forwarded, 'it is posted')
      t.notOk('traceparent' in (forwarded ?? {}))
    }
  }
)

t.test('a header that decides something is still refused when it comes twice', async t => {
  for (const line of [
    'Host: service.test',
    'Content-Type: application/json',
    'Content-Encoding: identity',
    'Origin: https://a.example',
    'Sec-Fetch-Site: same-origin',
    'Idempotency-Key: k',
    'X-CSRF: 1',
    'X-Acting-For: bob'
  ]) {
    const others = target.goodLines().filter(other => !other.startsWith('Content-Type'))
    const type = line.startsWith('Content-Type') ? [] : ['Content-Type: application/json']
    isRefusal(t, await target.send({ lines: [...others, ...type, line, line] }), 400, 'malformed-request', line)
  }
  const twice = [...target.goodLines(), ...target.goodLines().filter(line => line.startsWith('Authorization'))]
  isRefusal(t, await target.send({ lines: twice }), 400, 'ambiguous-credentials')
  t.same(target.takePosts(), [])
})

t.test('a session cookie is no credential where sessions are off', async t => {
  target.takePosts()
  for (const cookie of ['connect.sid=s%3Aabc.def', 'connect.sid=a; connect.sid=b', '__Host-Http-session=x']) {
    t.equal((await target.send({ lines: [...target.goodLines(), `Cookie: ${cookie}`] }))?.status, 201, cookie)
    const alone = await target.send({ lines: ['Content-Type: application/json', `Cookie: ${cookie}`] })
    isRefusal(t, alone, 401, 'unauthenticated', cookie)
  }
  t.equal(target.takePosts().length, 3)
})

t.test('headers of a gateway that are ignored by name reach nothing, and no others pass', async t => {
  for (const lines of [['apikey: gateway-key'], ['APIKEY: a', 'apikey: b', 'app-id: x'], ['App-Id: gateway']]) {
    const answer = await behindGateway.send({ lines: [...lines, ...behindGateway.goodLines()] })
    t.equal(answer?.status, 201, lines.join(', '))
    const forwarded = takeForwarded(behindGateway)
    t.equal(forwarded?.['apikey'], behindGateway.emulator.apiKey, 'the only key is ours')
    t.notMatch(JSON.stringify(forwarded), 'gateway')
  }
  for (const line of ['api-key: a', 'api_key: a', 'appid: a', 'onBehalfOf: bob', 'authToken: a']) {
    const answer = await behindGateway.send({ lines: [line, ...behindGateway.goodLines()] })
    isRefusal(t, answer, 400, 'reserved-name', line)
    const [name = ''] = line.split(':')
    t.match(answer?.json.detail, `The ${name.toLowerCase()} header`)
    t.match(answer?.json.detail, 'IGNORED_HEADERS')
  }
  const refused = await target.send({ lines: ['ApiKey: gateway-key', ...target.goodLines()] })
  isRefusal(t, refused, 400, 'reserved-name', 'without the variable')
  t.match(refused?.json.detail, /^The apikey header .* IGNORED_HEADERS/)
  t.notMatch(refused?.body, 'gateway-key')
})

t.test('what decides cannot be ignored: the start names each, and takes no pattern', async t => {
  const deciding =
    'authorization cookie host origin sec-fetch-site sec-fetch-mode x-csrf content-type content-length content-encoding ' +
    'transfer-encoding idempotency-key forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x_forwarded_for ' +
    'x-acting-for expect prefer connection upgrade content_type x-gateway-token'
  const env = {
    COMETCHAT_BASE_URL: 'http://127.0.0.1:9',
    COMETCHAT_API_KEY: 'a'.repeat(40),
    AUTH_JWT_HEADER: 'x-gateway-token'
  }
  const { exitCode, errors } = await runService({ ...env, IGNORED_HEADERS: deciding.replaceAll(' ', ',') }, [
    '--check-config'
  ])
  t.equal(exitCode, 78)
  for (const name of deciding.split(' ')) t.match(errors, `IGNORED_HEADERS must not name ${name}:`)
  for (const pattern of ['*', 'x-*', 'api key', 'apikey;app-id']) {
    const refused = await runService({ ...env, IGNORED_HEADERS: pattern }, ['--check-config'])
    t.match(refused, { exitCode: 78, errors: /IGNORED_HEADERS must name headers one by one/ }, pattern)
  }
  const fine = await runService({ ...env, IGNORED_HEADERS: 'apikey,App-Id,x-consumer-id,,' }, ['--check-config'])
  t.equal(fine.exitCode, 0, fine.errors)
  t.match(fine.output, 'ignores      apikey, app-id, x-consumer-id')
})

t.test('a byte order mark before the JSON is skipped, one within it is kept', async t => {
  const answer = await target.send({ lines: target.goodLines(), body: '\ufeff{"data":{"text":"a\ufeffb"}}' })
  t.equal(answer?.status, 201)
  t.match(target.takeBodies(), [{ data: { text: 'a\ufeffb' } }])
  const twice = await target.send({ lines: target.goodLines(), body: '\ufeff\ufeff{"data":{"text":"a"}}' })
  isRefusal(t, twice, 400, 'malformed-request')
})

t.test('every other method of the route is refused with what is allowed', async t => {
  const preflight = [`Origin: ${ORIGIN}`, 'Access-Control-Request-Method: POST']
  for (const [where, lines] of [
    [target, []],
    [target, preflight],
    [behindGateway, []],
    [behindGateway, [`Origin: ${ORIGIN}`]],
    [behindGateway, ['Origin: https://evil.example', 'Access-Control-Request-Method: POST']]
  ] as const) {
    for (const method of ['OPTIONS', 'TRACE', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await where.send({ method, lines, body: '' })
      isRefusal(t, answer, 405, 'method-not-allowed', `${method} ${lines.join(' ')}`)
      t.equal(answer?.headers['allow'], 'GET, POST')
    }
  }
  const allowed = await behindGateway.send({ method: 'OPTIONS', lines: preflight, body: '' })
  t.equal(allowed?.status, 204, 'a preflight of a listed origin is answered')
})

t.test('a client that ends its side behind its request gets its answer', async t => {
  const body = target.goodBody('half-closed')
  const headers = { authorization: `Bearer ${target.tokens.alice}`, 'content-type': 'application/json' }
  const bytes = requestBytes(`POST ${target.path}`, headers, body)

  for (const delayMs of [0, 300]) {
    for (const requests of [1, 2]) {
      target.takePosts()
      if (delayMs > 0) target.emulator.failNext({ kind: 'delay', delayMs }, { method: 'POST' })
      const client = await connectRaw(t, target.service.url)
      client.socket.end(bytes.repeat(requests))
      for (let index = 0; index < requests; index++) t.equal((await client.answer()).status, 201)
      await client.ended
      t.equal(target.takePosts().length, requests, 'each posted once')
    }
  }
  const refused = await connectRaw(t, target.service.url)
  refused.socket.end(requestBytes(`POST ${target.path}`, { 'content-type': 'application/json' }, body))
  t.equal((await refused.answer()).status, 401)
  await refused.ended
  const without = await connectRaw(t, target.service.url)
  without.socket.end()
  await without.ended
  t.pass('a connection without a request ends with its client')
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
