// Real backends of somebody's app, as their documentation sets them up: sign in there, take the cookie, reply here.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import fastify from 'fastify'
import { createClient } from 'redis'
import type { Test } from 'tap'

declare module 'express-session' {
  interface SessionData {
    user: { id: unknown }
    visits: number
  }
}

declare module 'fastify' {
  interface Session {
    user: { id: unknown }
    visits: number
  }
}

export interface BackendOptions {
  readonly redisUrl: string
  /** The first signs; all are accepted. */
  readonly secrets: readonly string[]
  readonly prefix?: string
  readonly maxAgeMs?: number
  readonly cookie?: { readonly secure?: boolean; readonly sameSite?: 'none' | 'lax' }
  /** What apps write although the types of the library do not allow it. */
  readonly looseCookie?: { readonly expires?: false; readonly maxAge?: false }
  /** Every answer renews the session and its cookie. */
  readonly rolling?: boolean
  readonly newId?: () => string
  /** A page to serve at `/`. */
  readonly page?: string
}

export interface AppBackend {
  readonly url: string
  /** Name and value of the session cookie, exactly as it was set; with a cookie the former session is left behind. */
  login(user: unknown, cookie?: string): Promise<string>
  /** A session that belongs to nobody yet. */
  visit(cookie?: string): Promise<string>
  logout(cookie: string): Promise<void>
}

export type StartBackend = (t: Test, options: BackendOptions) => Promise<AppBackend>

export const SECRET = 'a-secret-that-signs-session-cookies-1'

/** express 5, express-session and connect-redis; the page and the proxy headers are for browsers. */
export const startExpressBackend: StartBackend = async (t, options) => {
  const { prefix = 'sess:', secrets, maxAgeMs, cookie, looseCookie, rolling = false, newId, page = '' } = options
  const app = express()
  app.set('trust proxy', 'loopback')
  app.get('/', (_request, response) => void response.type('html').send(page))
  app.use(
    session({
      store: new RedisStore({ client: await connected(t, options.redisUrl), prefix }),
      secret: [...secrets],
      resave: false,
      saveUninitialized: false,
      rolling,
      ...(newId && { genid: newId }),
      cookie: { ...cookie, ...(looseCookie as object), ...(maxAgeMs !== undefined && { maxAge: maxAgeMs }) }
    })
  )
  app.post('/login', express.json(), (request, response, next) => {
    request.session.regenerate(error => {
      request.session.user = { id: request.body.user }
      if (error) next(error)
      else response.json({})
    })
  })
  app.post('/visit', (request, response) => {
    request.session.visits ??= 0
    response.json({})
  })
  app.post('/logout', (request, response, next) => {
    request.session.destroy(error => (error ? next(error) : response.json({})))
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

/** fastify 5 and @fastify/session over the same connect-redis, as its documentation names it. */
export const startFastifyBackend: StartBackend = async (t, options) => {
  const { prefix = 'sess:', secrets, maxAgeMs, looseCookie, rolling, newId } = options
  const app = fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    store: new RedisStore({ client: await connected(t, options.redisUrl), prefix }),
    secret: [...secrets],
    cookieName: 'connect.sid',
    saveUninitialized: false,
    ...(rolling !== undefined && { rolling }),
    ...(newId && { idGenerator: newId }),
    cookie: { secure: false, ...(looseCookie as object), ...(maxAgeMs !== undefined && { maxAge: maxAgeMs }) }
  })
  app.post<{ Body: { user: unknown } }>('/login', async request => {
    await request.session.regenerate()
    request.session.user = { id: request.body.user }
    return {}
  })
  app.post('/visit', async request => {
    request.session.visits ??= 0
    return {}
  })
  app.post('/logout', async request => {
    await request.session.destroy()
    return {}
  })
  t.teardown(() => app.close())
  return clientOf(await app.listen({ host: '127.0.0.1', port: 0 }))
}

export const BACKENDS: readonly (readonly [name: string, start: StartBackend])[] = [
  ['express-session', startExpressBackend],
  ['@fastify/session', startFastifyBackend]
]

/** A client of that Redis; the libraries' own, so that nothing here is a second opinion about the format. */
export async function connected(t: Test, url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: false } })
  // The tests take the server away on purpose.
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.destroy())
  return client
}

function clientOf(url: string): AppBackend {
  async function call(path: string, cookie?: string, body?: unknown): Promise<string> {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(cookie !== undefined && { cookie }) },
      body: JSON.stringify(body ?? {})
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    return response.headers.get('set-cookie')?.split(';')[0] ?? cookie ?? ''
  }
  return {
    url,
    login: (user, cookie) => call('/login', cookie, { user }),
    visit: cookie => call('/visit', cookie),
    logout: async cookie => void (await call('/logout', cookie))
  }
}
