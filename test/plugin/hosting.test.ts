// The plugin in apps that do everything in another way than the service: callers notice nothing of it, and neither do hosts.
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { threadReplies } from '../../src/plugin/thread-replies.ts'
import { until } from '../helpers/until.ts'
import { IN_MEMORY, PREFIX, startHost } from './host.ts'

/** Whatever Fastify lets an app have for all of its routes. */
function withWaysOfItsOwn(app: FastifyInstance): void {
  app.setErrorHandler((_error, _request, response) => response.code(418).send({ teapot: true }))
  app.setNotFoundHandler((_request, response) => response.code(410).send({ gone: true }))
  app.setReplySerializer(payload => JSON.stringify({ wrapped: payload }))
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => () => '"nothing"')
  app.setSchemaErrorFormatter(() => new Error('formatted'))
  app.addContentTypeParser('application/json; charset=utf-8', async () => ({ data: { text: 'of the host' } }))
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, async () => ({ data: { text: 'of the host' } }))
  for (const name of ['caller', 'facts', 'trace', 'holding', 'idempotencyKey', 'hasLine', 'standing', 'isSuspect']) {
    app.decorateRequest(name, 'of the host')
  }
  app.get('/own', { schema: { response: { 200: { type: 'object' } } } }, async request => ({
    caller: 'caller' in request ? request.caller : undefined
  }))
}

t.test("in an app with ways of its own every answer is the service's", async t => {
  const { send, url, token, posted } = await startHost(t, {
    server: {
      ajv: { customOptions: { coerceTypes: 'array', removeAdditional: 'all', useDefaults: false } },
      bodyLimit: 10,
      genReqId: () => 'a b\r\nc',
      handlerTimeout: 60_000,
      onProtoPoisoning: 'ignore'
    },
    setUp: withWaysOfItsOwn
  })

  const sent = await send()
  t.match([sent.status, sent.json], [201, { data: { data: { text: 'hello' } } }])
  t.match(sent.headers.get('x-request-id'), /^[0-9a-f-]{36}$/, 'an id of the host that no header can hold is not shown')
  t.equal((await send({ data: { text: 'hello' } }, { 'content-type': 'application/json; charset=utf-8' })).status, 201)
  t.equal(posted(), 2)
  for (const [body, headers, status, code] of [
    [{ data: { text: 5 } }, {}, 422, 'invalid-request'],
    [{ data: { text: 'a' }, more: 1 }, {}, 422, 'invalid-request'],
    [{ data: { text: 'a' }, onBehalfOf: 'bob' }, {}, 400, 'reserved-name'],
    ['{"__proto__":{},"data":{"text":"a"}}', {}, 422, 'invalid-request'],
    ['{', {}, 400, 'malformed-request'],
    [{ data: { text: 'x'.repeat(300_000) } }, {}, 413, 'payload-too-large'],
    ['text', { 'content-type': 'text/plain' }, 415, 'unsupported-media-type'],
    [{ data: { text: 'a' } }, { authorization: 'Bearer a.b.c' }, 401, 'unauthenticated']
  ] as const) {
    const refused = await send(body, headers)
    t.match([refused.status, refused.json], [status, { code, delivery: 'not-sent' }], `${status} ${code}`)
    t.equal(refused.headers.get('content-type'), 'application/problem+json')
  }
  const me = await (await fetch(`${url}${PREFIX}/me`, { headers: { authorization: `Bearer ${token}` } })).json()
  t.match(me, { uid: 'alice', scheme: 'bearer' }, 'an object is written by the schema of the service')
  const ask = async (path: string, method = 'GET') => {
    const answer = await fetch(`${url}${path}`, { method })
    t.same([answer.headers.get('content-encoding'), answer.headers.get('etag')], [null, null])
    return [answer.status, await answer.json()]
  }
  t.match(await ask(`${PREFIX}/none`), [404, { code: 'not-found' }])
  t.match(await ask(`${PREFIX}/threads/1/replies`, 'PUT'), [405, { code: 'method-not-allowed' }])
  t.equal(posted(), 2)

  t.match(await ask('/none'), [410, { gone: true }], "and beside it everything is the host's")
  t.match(await ask('/own'), [200, { wrapped: { caller: 'of the host' } }])
})

t.test('the hooks of a host see their requests whole, and its log has the line of the service', async t => {
  const lines: Record<string, unknown>[] = []
  const seen: unknown[] = []
  const loggerInstance = pino({ level: 'warn' }, { write: line => void lines.push(JSON.parse(line)) })
  const { send, app, token, parentId, env } = await startHost(t, {
    server: { loggerInstance, genReqId: () => 'req-7', disableRequestLogging: true },
    settings: { IGNORED_HEADERS: 'apikey' },
    setUp: app =>
      app.addHook('onResponse', async ({ headers, raw, body, ip }) => {
        seen.push({
          authorization: headers.authorization,
          apikey: headers['apikey'],
          raw: raw.rawHeaders.length > 8,
          body,
          ip
        })
      })
  })

  const sent = await send(undefined, { apikey: 'of-a-gateway' })
  t.equal(sent.status, 201)
  t.match(sent.headers.get('x-request-id'), 'req-7')
  await app.close()
  t.match(seen, [
    {
      authorization: `Bearer ${token}`,
      apikey: 'of-a-gateway',
      raw: true,
      body: { data: { text: 'hello' } },
      ip: '127.0.0.1'
    }
  ])
  const line = lines.find(({ msg }) => msg === 'request')
  t.match(
    line,
    {
      level: 30,
      requestId: 'req-7',
      route: `${PREFIX}/threads/:parentId/replies`,
      status: 201,
      delivery: 'sent',
      uid: 'alice',
      parentId,
      messageId: sent.json.data.id
    },
    'also where the host writes warnings only'
  )
  t.notMatch(JSON.stringify(lines), env.COMETCHAT_API_KEY)
})

t.test(
  'what a hook of the host refuses is answered by the host, but for a 429, and never once something is sent',
  async t => {
    const fail = (statusCode: number) => Object.assign(new Error('of the host'), { statusCode })
    const { send, posted } = await startHost(t, {
      setUp(app) {
        app.setErrorHandler((error, _request, response) => response.code(418).send({ message: String(error) }))
        app.addHook('preHandler', async ({ headers }, response) => {
          if (headers['x-wish'] === '403') throw fail(403)
          if (headers['x-wish'] !== '429') return
          response.header('retry-after', '7')
          throw fail(429)
        })
        app.addHook('onSend', async ({ headers }, response) => {
          if (headers['x-wish'] === 'late' && response.statusCode === 201) throw fail(503)
        })
      }
    })

    const forbidden = await send(undefined, { 'x-wish': '403' })
    t.match([forbidden.status, forbidden.json], [418, { message: 'Error: of the host' }])
    const limited = await send(undefined, { 'x-wish': '429' })
    t.match([limited.status, limited.json], [429, { code: 'rate-limited', delivery: 'not-sent', retryAfterMs: 7000 }])
    t.equal(limited.headers.get('retry-after'), '7')
    t.equal(posted(), 0)
    const late = await send(undefined, { 'x-wish': 'late' })
    t.match([late.status, late.json], [500, { code: 'internal', delivery: 'sent', messageId: /^\d+$/ }])
    t.equal(posted(), 1)
  }
)

t.test('two registrations live beside each other, and one twice is refused by name', async t => {
  const { env, path, token } = await startHost(t, { prefix: '/one' })
  const second = await startHost(t, {
    prefix: '/two',
    async setUp(host) {
      await host.register(
        threadReplies({ settings: { ...env, ...IN_MEMORY, COMETCHAT_BASE_URL: 'http://127.0.0.1:1' } }),
        {
          prefix: '/one'
        }
      )
    }
  })
  t.equal((await second.send()).status, 201)
  const other = await second.app.inject({
    method: 'POST',
    url: path,
    headers: { authorization: `Bearer ${token}` },
    payload: { data: { text: 'a' } }
  })
  t.match(other.json(), { code: 'upstream-unreachable', delivery: 'not-sent' }, 'each with its own CometChat')

  const twice = threadReplies({ settings: { ...env, ...IN_MEMORY } })
  await t.rejects(
    startHost(t, { setUp: host => host.register(twice, { prefix: '/a' }).register(twice, { prefix: '/b' }).ready() }),
    { message: 'This plugin is registered already: call threadReplies() for each registration.' }
  )
})

t.test('without a prefix it stands beside what the app has, and HEAD follows the app', async t => {
  const { send, url, token } = await startHost(t, { prefix: '', setUp: withWaysOfItsOwn })
  t.equal((await send()).status, 201)
  t.equal((await fetch(`${url}/none`)).status, 410)
  const headers = { authorization: `Bearer ${token}` }
  t.equal((await fetch(`${url}/me`, { method: 'HEAD', headers })).status, 200)
  t.equal((await fetch(`${url}/me`, { method: 'HEAD' })).status, 401)
})

t.test('a host that closes finishes the replies under way, and says so before', async t => {
  const { app, replies, send, emulator, posted } = await startHost(t)
  t.match(replies.readiness(), { reasons: [] })
  replies.beginDrain()
  t.same(replies.readiness().reasons, ['draining'])
  emulator.failNext({ kind: 'delay', delayMs: 200 }, { method: 'POST' })
  const answering = send()
  await until(() => posted() === 1)
  await app.close()
  const answer = await answering
  t.match([answer.status, answer.json], [201, { data: { data: { text: 'hello' } } }])
  t.equal(answer.headers.get('connection'), 'close')
})
