import { createHmac } from 'node:crypto'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { createService } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config/load-config.ts'
import { type RegisteredRoute, registeredRoutes } from '../helpers/registered-routes.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET, tokenFor } from '../helpers/tokens.ts'

const SECRET = 'a-secret-that-signs-session-cookies-1'
const LISTED = 'https://app.example.com'
const ID = 'a'.repeat(32)
const SIGNED = `s:${ID}.${createHmac('sha256', SECRET).update(ID).digest('base64').replace(/=+$/, '')}`
const cookie = `connect.sid=${encodeURIComponent(SIGNED)}`
const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** Routes that change something outside the signed-in scope: why they may, and what stands in for its checks. */
const ELSEWHERE: ReadonlyMap<string, readonly [reason: string, withoutProof: number]> = new Map([
  ['POST /auth/logout', ['ends a session and nothing else; needs proof of origin', 403]],
  ['POST /auth/backchannel-logout', ['the provider calls it, with a token that it signed', 400]]
])

const log = pino({ level: 'silent' })
const config = loadConfig(
  {
    STORE_URL: 'memory:',
    COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
    COMETCHAT_API_KEY: 'key',
    AUTH_JWT_ISSUER: ISSUER,
    AUTH_JWT_AUDIENCE: AUDIENCE,
    AUTH_JWT_SECRET: SHARED_SECRET,
    // Nobody listens there: a session that is read is answered with 503.
    AUTH_SESSION_STORE_URL: 'redis://127.0.0.1:1',
    AUTH_SESSION_SECRET: SECRET,
    CORS_ORIGINS: LISTED,
    AUTH_LOGIN_ISSUER: 'http://127.0.0.1:1',
    AUTH_LOGIN_URL: 'https://replies.example.com',
    AUTH_LOGIN_CLIENT_ID: 'replies',
    AUTH_LOGIN_CLIENT_SECRET: 'y'.repeat(32)
  },
  () => ''
)

/** The real service, with every route it registers; `extend` sees each scope before its own code runs. */
async function startWatched(
  t: Test,
  extend: (scope: FastifyInstance) => void = () => undefined,
  settings: Config = config
) {
  const found = await registeredRoutes(async () => (await createService(settings, { log })).app, extend)
  t.teardown(() => found.app.close())
  return found
}

type Route = Pick<RegisteredRoute, 'method' | 'url'>

const call = (app: FastifyInstance, { method, url }: Route, headers: Record<string, string>) =>
  app.inject({ method: method as 'POST', url: url.replace(/:\w+/g, '100'), headers, payload: '{}' })

/** What the scope promises of each of its routes: refused without a credential, without proof, in another type. */
async function isProtected(t: Test, app: FastifyInstance, route: Route): Promise<void> {
  const name = `${route.method} ${route.url}`
  const listed = { ...json, origin: LISTED }
  const cells: [title: string, headers: Record<string, string>, status: number][] = [
    ['nobody', json, 401],
    ['a wrong token', { ...json, authorization: 'Bearer a.b.c' }, 401],
    ['two credentials', { ...json, authorization: 'Bearer a.b.c', cookie }, 400],
    ['a cookie without proof of origin', { ...json, cookie }, 403],
    ['a cookie from another site', { ...json, cookie, 'sec-fetch-site': 'cross-site', 'x-csrf': '1' }, 403],
    [
      'a cookie from an origin that is not listed',
      { ...json, cookie, origin: 'https://evil.test', 'x-csrf': '1' },
      403
    ],
    ['a cookie and a form', { ...form, cookie, 'x-csrf': '1' }, 415],
    ['a cookie and plain text', { cookie, 'content-type': 'text/plain', 'x-csrf': '1' }, 415],
    ['a forged cookie with proof', { ...json, cookie: `${cookie}x`, 'x-csrf': '1' }, 401],
    ['a cookie with proof, whose session cannot be read', { ...json, cookie, 'x-csrf': '1' }, 503]
  ]
  for (const [title, headers, status] of cells) {
    t.equal((await call(app, route, headers)).statusCode, status, `${name}: ${title}`)
  }
  const answer = await call(app, route, listed)
  t.match(
    answer.headers,
    { 'access-control-allow-origin': LISTED, vary: /\borigin\b/i },
    `${name}: a listed page may read`
  )
  const foreign = await call(app, route, { ...json, origin: 'https://evil.test' })
  t.equal(foreign.headers['access-control-allow-origin'], undefined, `${name}: another page may not`)
}

t.test('every route of the service that could change something is protected', async t => {
  const { app, routes } = await startWatched(t)
  const changing = routes.filter(({ method }) => !['GET', 'HEAD', 'OPTIONS'].includes(method))
  t.ok(
    changing.some(({ method, url }) => method === 'POST' && url === '/threads/:parentId/replies'),
    'it finds routes'
  )

  for (const route of changing) {
    const name = `${route.method} ${route.url}`
    const [reason, withoutProof] = ELSEWHERE.get(name) ?? []
    const { statusCode } = await call(app, route, { ...(reason === undefined ? json : form), cookie })
    if (statusCode === 405) t.pass(`${name} does nothing`)
    else if (reason !== undefined) t.equal(statusCode, withoutProof, `${name}: ${reason}`)
    else await isProtected(t, app, route)
  }
})

t.test('every route has an operation, and what does something has one of its own', async t => {
  const { routes } = await startWatched(t)
  for (const { method, url, config } of routes) t.match(config?.operation, /^[a-z]+(-[a-z]+)+$/, `${method} ${url}`)
  const names = routes.map(({ config }) => config?.operation).filter(name => name !== 'refuse-method')
  t.equal(new Set(names).size, names.length)
})

t.test('a route that is added to the signed-in scope is protected without doing anything for it', async t => {
  const url = '/threads/:parentId/reactions'
  let calls = 0
  const { app } = await startWatched(t, scope => {
    if (scope.pluginName !== 'signedIn') return
    scope.post(url, async () => ({ calls: ++calls }))
  })

  await isProtected(t, app, { method: 'POST', url })
  t.equal(calls, 0)
})

t.test('the walk would find a route outside of it', async t => {
  const { app, routes } = await startWatched(t, scope => {
    if (scope.pluginName === 'otherMethodsRoutes') scope.post('/open', async () => ({}))
  })

  t.ok(routes.some(({ url }) => url === '/open'))
  t.equal((await call(app, { method: 'POST', url: '/open' }, json)).statusCode, 200, 'and it is open')
})

/** What no route has to look for: a request, and what it is refused with before the route's own code runs. */
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const many = (length: number): string => JSON.stringify(Array.from({ length }, (_, index) => index))
const members = (length: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length }, (_, i) => [`m${i}`, 1])))

const HOSTILE: readonly {
  readonly title: string
  readonly body?: string
  readonly headers?: Record<string, string>
  readonly path?: string
  readonly refused: readonly [status: number, code: string, pointer?: string, violation?: string]
}[] = [
  { title: 'no JSON', body: '{', refused: [400, 'malformed-request'] },
  { title: 'no body', body: '', refused: [400, 'malformed-request'] },
  { title: '__proto__', body: '{"__proto__":{"a":1}}', refused: [422, 'invalid-request', '', 'not-allowed'] },
  {
    title: '__proto__ below',
    body: '{"data":{"__proto__":1}}',
    refused: [422, 'invalid-request', '/data', 'not-allowed']
  },
  {
    title: 'half a surrogate pair',
    body: '{"data":"\\ud800"}',
    refused: [422, 'invalid-request', '/data', 'wrong-format']
  },
  { title: 'half a pair in a name', body: '{"\\ud800":1}', refused: [422, 'invalid-request', '', 'not-allowed'] },
  {
    title: 'a rounded number',
    body: '{"n":12345678901234567890}',
    refused: [422, 'invalid-request', '/n', 'out-of-range']
  },
  { title: 'an endless number', body: '[1e400]', refused: [422, 'invalid-request', '/0', 'out-of-range'] },
  { title: '33 levels', body: nested(33), refused: [422, 'invalid-request', '', 'too-deep'] },
  { title: '5,000 levels', body: `{"a":${nested(5000)}}`, refused: [422, 'invalid-request', '', 'too-deep'] },
  { title: '100,000 levels', body: nested(100_000), refused: [422, 'invalid-request', '', 'too-deep'] },
  { title: '1,001 entries', body: many(1001), refused: [422, 'invalid-request', '', 'too-many'] },
  {
    title: '1,001 entries below',
    body: `{"a":[{"b":${many(1001)}}]}`,
    refused: [422, 'invalid-request', '/a/0/b', 'too-many']
  },
  { title: '1,001 members', body: `{"data":${members(1001)}}`, refused: [422, 'invalid-request', '/data', 'too-many'] },
  {
    title: 'an identity',
    body: '{"onBehalfOf":"bob"}',
    refused: [400, 'reserved-name', '/onBehalfOf', 'reserved-name']
  },
  {
    title: 'an identity, spelled',
    body: '{"Parent_ID":1}',
    refused: [400, 'reserved-name', '/Parent_ID', 'reserved-name']
  },
  {
    title: 'an identity in data',
    body: '{"data":{"sender":"b"}}',
    refused: [400, 'reserved-name', '/data/sender', 'reserved-name']
  },
  {
    title: 'the marker',
    body: '{"data":{"metadata":{"bffDelivery":1}}}',
    refused: [400, 'reserved-name', '/data/metadata/bffDelivery', 'reserved-name']
  },
  { title: 'a secret header', headers: { 'api-key': 'x' }, refused: [400, 'reserved-name'] },
  { title: 'an identity header', headers: { on_behalf_of: 'bob' }, refused: [400, 'reserved-name'] },
  { title: 'no key', headers: { 'idempotency-key': '' }, refused: [400, 'idempotency-key-invalid'] },
  { title: 'half a quoted key', headers: { 'idempotency-key': '"abc' }, refused: [400, 'idempotency-key-invalid'] },
  { title: 'a long key', headers: { 'idempotency-key': 'k'.repeat(256) }, refused: [400, 'idempotency-key-invalid'] },
  {
    title: 'an encoded id',
    path: '/threads/%31%30%30/later',
    refused: [422, 'invalid-request', '/parentId', 'wrong-format']
  },
  {
    title: 'an encoded slash',
    path: '/threads/1%2F2/later',
    refused: [422, 'invalid-request', '/parentId', 'wrong-format']
  },
  { title: 'an encoded word', path: '/thre%61ds/100/later', refused: [422, 'invalid-request', '', 'wrong-format'] },
  { title: 'a query', path: '/threads/100/later?uid=bob', refused: [422, 'invalid-request', '/uid', 'unknown-member'] }
]

const token = await tokenFor('alice')
const asAlice = { ...json, authorization: `Bearer ${token}` }

/** The service with one more route in the signed-in scope, which answers with what reached it. */
async function startWithRoute(t: Test, options: Pick<RouteOptions, 'schema'> = {}) {
  const reached: unknown[] = []
  const { app } = await startWatched(t, scope => {
    if (scope.pluginName !== 'signedIn') return
    scope.post('/threads/:parentId/later', options, async ({ body }) => {
      reached.push(body)
      return { key: 'kept' }
    })
  })
  const send = (body: string, headers: Record<string, string> = {}, url = '/threads/100/later') =>
    app.inject({ method: 'POST', url, headers: { ...asAlice, ...headers }, payload: body })
  return { send, reached }
}

for (const [name, options] of [
  ['without a schema', {}],
  ['with nothing but a schema', { schema: { body: { anyOf: [{ type: 'object' }, { type: 'array' }] } } }]
] as const) {
  t.test(`a route ${name} is reached by no hostile request`, async t => {
    const { send, reached } = await startWithRoute(t, options)

    for (const { title, body = '{}', headers, path, refused } of HOSTILE) {
      const answer = await send(body, headers, path)
      const { code, delivery, errors } = answer.json()
      t.same(
        [answer.statusCode, code, errors?.[0]?.pointer, errors?.[0]?.code],
        [...refused, undefined, undefined].slice(0, 4),
        title
      )
      t.equal(delivery, 'not-sent', title)
    }
    t.same(reached, [])
  })

  t.test(`a route ${name} is reached by what is fine`, async t => {
    const { send, reached } = await startWithRoute(t, options)
    const fine = [
      '{}',
      '[]',
      nested(32),
      many(1000),
      members(1000),
      '{"n":9007199254740991,"f":0.1,"data":{"text":"\\ud83d\\ude00"}}',
      '{"data":{"customData":{"sender":"bob"},"metadata":{"onBehalfOf":"bob"}}}'
    ]
    for (const body of fine) t.equal((await send(body)).statusCode, 200, body.slice(0, 60))
    for (const key of ['k', '"a key"', 'k'.repeat(255)]) {
      t.equal((await send('{}', { 'idempotency-key': key })).statusCode, 200, key)
    }
    t.equal((await send('{}', {}, '/threads/100/later?')).statusCode, 200, 'a question mark without a query')
    t.same(
      reached.slice(0, fine.length),
      fine.map(body => JSON.parse(body))
    )
  })
}

t.test('the schema of an added route coerces nothing, takes nothing out and describes every mistake', async t => {
  const body = {
    type: 'object',
    additionalProperties: false,
    properties: { n: { type: 'integer' }, tags: { type: 'array', items: { type: 'string' } }, kind: { type: 'string' } }
  }
  const { send, reached } = await startWithRoute(t, { schema: { body } })

  for (const [sent, pointers] of [
    ['{"n":"1"}', ['/n']],
    ['{"n":null}', ['/n']],
    ['{"tags":"x"}', ['/tags']],
    ['{"kind":1}', ['/kind']],
    ['{"more":1}', ['/more']],
    ['{"n":true,"kind":1,"more":1}', ['/more', '/n', '/kind']]
  ] as const) {
    const answer = await send(sent)
    const { code, errors } = answer.json()
    t.same([answer.statusCode, code], [422, 'invalid-request'], sent)
    t.same(errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [...pointers].sort(), sent)
  }
  t.same(reached, [])
  t.equal((await send('{"n":1,"tags":["x"],"kind":"y"}')).statusCode, 200)
})

t.test('a schema that leaves open which members there are keeps the service from starting', async t => {
  const open = { type: 'object', properties: { a: { type: 'array', items: { type: 'object', properties: {} } } } }
  for (const [body, place] of [
    [open, 'body '],
    [{ ...open, additionalProperties: false }, 'body/properties/a/items '],
    [{ oneOf: [{ type: 'string' }, open] }, 'body/oneOf/1 ']
  ] as const) {
    await t.rejects(startWithRoute(t, { schema: { body } }), {
      message: `POST /threads/:parentId/later: the schema of ${place}has to say additionalProperties.`
    })
  }
})

t.test('where a key is required, an added route requires it for POST only', async t => {
  const { app } = await startWatched(
    t,
    scope => {
      if (scope.pluginName !== 'signedIn') return
      scope.route({ method: ['POST', 'PATCH'], url: '/later', handler: async () => ({}) })
    },
    { ...config, delivery: { ...config.delivery, keyRequired: true } }
  )
  const send = (method: 'POST' | 'PATCH', headers = {}) =>
    app.inject({ method, url: '/later', headers: { ...asAlice, ...headers }, payload: '{}' })

  t.same((await send('POST')).json().code, 'idempotency-key-required')
  t.equal((await send('POST', { 'idempotency-key': 'one' })).statusCode, 200)
  t.equal((await send('PATCH')).statusCode, 200)
  t.same((await send('PATCH', { 'idempotency-key': '"' })).json().code, 'idempotency-key-invalid')
})
