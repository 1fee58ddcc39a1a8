import { createHmac } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { createLogger } from '../../src/observability/logger.ts'

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

const config = loadConfig(
  {
    COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
    COMETCHAT_API_KEY: 'key',
    AUTH_JWT_ISSUER: 'https://issuer.test',
    AUTH_JWT_AUDIENCE: 'replies',
    AUTH_JWT_SECRET: 'x'.repeat(32),
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
async function startWatched(t: Test, extend: (scope: FastifyInstance) => void = () => undefined) {
  const routes = new Map<FastifyInstance, RouteOptions[]>()
  const watch = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance }
    const found: RouteOptions[] = []
    routes.set(fastify, found)
    fastify.addHook('onRoute', route => void found.push(route))
    fastify.addHook('onRegister', extend)
  }
  subscribe('fastify.initialization', watch)
  const { app } = await createService(config, { log: createLogger('silent') })
  unsubscribe('fastify.initialization', watch)
  t.teardown(() => app.close())
  await app.ready()
  const found = routes.get(app) ?? []
  return { app, routes: found.flatMap(({ method, url }) => [method].flat().map(name => ({ method: name, url }))) }
}

type Route = Awaited<ReturnType<typeof startWatched>>['routes'][number]

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
    if (scope.pluginName === 'crossOriginCalls') scope.post('/open', async () => ({}))
  })

  t.ok(routes.some(({ url }) => url === '/open'))
  t.equal((await call(app, { method: 'POST', url: '/open' }, json)).statusCode, 200, 'and it is open')
})
