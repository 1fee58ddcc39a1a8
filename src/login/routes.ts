import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { credentialOf, unauthenticated } from '../auth/credentials.ts'
import { type CsrfPolicy, verifyCsrf } from '../auth/csrf.ts'
import type { UidMap } from '../auth/uid/uid-map.ts'
import { AppError } from '../errors.ts'
import { toAppError } from '../http/framework-errors.ts'
import { cookieValue } from '../lib/cookies.ts'
import { PROBLEMS } from '../lib/refusals/problems.ts'
import { LOGIN_COOKIE, SESSION_COOKIE } from '../lib/service/cookie-names.ts'
import { FACTS, noteRefusal } from '../observability/log-fields.ts'
import { clearedLoginCookie, clearedSessionCookie, loginCookie, sessionCookie } from './cookies.ts'
import type { OidcClient } from './oidc-client.ts'
import { continuePage, PAGE_HEADERS, problemPage } from './pages.ts'
import { LOGIN_MAX_MS, type PendingLogins } from './pending-login.ts'
import { returnUrl } from './return-path.ts'
import type { LoggedIn, LoggedOut } from './schemas.ts'
import type { LoginSession, LoginSessions } from './sessions.ts'

export interface LoginRoutesOptions {
  /** Of this service, as browsers see it. */
  readonly origin: string
  /** Whose users sign in here. */
  readonly usersOf: string
  readonly provider: OidcClient
  readonly sessions: LoginSessions
  readonly pendingLogins: PendingLogins
  /** Whose cookie this is; throws `unauthenticated`. */
  readonly sessionOf: (cookie: string) => Promise<LoginSession>
  readonly backchannelLogout: (token: unknown) => Promise<number>
  readonly csrf: CsrfPolicy
  readonly uidOf: UidMap
}

const MAX_FORM_BYTES = 16 * 1024

/** Sign-in, sign-out and "who am I" for apps that have none of these. */
export const loginRoutes: FastifyPluginAsync<LoginRoutesOptions> = async (app, options) => {
  const { origin, provider, sessions, pendingLogins } = options
  const parseForm = async (_request: unknown, body: string | Buffer) => new URLSearchParams(String(body))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
    parseForm
  )
  // The addresses of these pages carry codes: no other site learns them as a referrer.
  app.addHook('onRequest', async (_request, response) => void response.header('referrer-policy', 'no-referrer'))
  app.setErrorHandler((error, request, response) => answerFailure(error, request, response))

  app.get('/auth/login', { config: { operation: 'begin-login' } }, async (request, response) => {
    const returnTo = wantedReturnUrl(request, origin)
    const { authorization, cookie } = await pendingLogins.begin(
      returnTo,
      cookieValue(request.headers.cookie, SESSION_COOKIE)
    )
    const url = await provider.authorizationUrl(authorization)
    return response.header('set-cookie', loginCookie(cookie, LOGIN_MAX_MS)).redirect(url, 303)
  })

  app.get('/auth/callback', { config: { operation: 'finish-login' } }, async (request, response) => {
    const query = queryOf(request)
    const { cookie } = request.headers
    const authorization = await pendingLogins.take(
      cookieValue(cookie, LOGIN_COOKIE),
      new URLSearchParams(query).get('state')
    )
    response.header('set-cookie', clearedLoginCookie())
    const session = await provider.exchangeCode(query, authorization)
    const former = [authorization.replaces, cookieValue(cookie, SESSION_COOKIE)]
    const id = await changeSession(session, former, sessions)
    response.header('set-cookie', sessionCookie(id)).headers(PAGE_HEADERS)
    return response.send(continuePage(authorization.returnTo))
  })

  app.post(
    '/auth/logout',
    { bodyLimit: MAX_FORM_BYTES, config: { operation: 'log-out' } },
    async (request, response) => {
      verifyCsrf(request, options.csrf)
      const returnTo = wantedReturnUrl(request, origin)
      const session = await sessions.end(cookieValue(request.headers.cookie, SESSION_COOKIE) ?? '')
      const path = returnTo.slice(origin.length)
      const url = (await provider.endSessionUrl(session, path)) ?? returnTo
      response.header('set-cookie', clearedSessionCookie())
      const told: LoggedOut = { continueAt: url }
      return isNavigation(request) ? response.redirect(url, 303) : response.send(told)
    }
  )

  app.get('/auth/logged-out', { config: { operation: 'show-logged-out' } }, async (request, response) => {
    // The provider sends it back as it was; a state that an attacker made up is checked like any other path.
    const path = new URLSearchParams(queryOf(request)).get('state')
    return response.redirect(returnUrl(path, origin) ?? `${origin}/`, 303)
  })

  app.get('/auth/me', { config: { operation: 'show-caller' } }, async (request): Promise<LoggedIn> => {
    const credential = credentialOf(request.raw.rawHeaders, [SESSION_COOKIE])
    if (credential.kind !== 'cookie')
      throw unauthenticated('credential-form', 'This address knows the login cookie only.')
    const { sub, subject, profile } = await options.sessionOf(credential.value)
    return { sub, uid: await options.uidOf({ issuer: options.usersOf, subject }), ...profile }
  })

  app.post<{ Body: unknown }>(
    '/auth/backchannel-logout',
    { bodyLimit: MAX_FORM_BYTES, config: { operation: 'end-sessions' } },
    async ({ body }, response) => {
      const token = body instanceof URLSearchParams ? body.getAll('logout_token') : []
      await options.backchannelLogout(token.length === 1 ? token[0] : undefined)
      return response.code(200).send()
    }
  )
}

/** A new id at every sign-in; whatever this browser had before ends, as does the former session of the same sid. */
async function changeSession(
  session: LoginSession,
  former: readonly (string | undefined)[],
  sessions: LoginSessions
): Promise<string> {
  for (const id of new Set(former)) if (id !== undefined) await sessions.end(id)
  if (session.sid !== undefined) await sessions.endAll({ issuer: session.issuer, sid: session.sid })
  return sessions.begin(session)
}

function wantedReturnUrl(request: FastifyRequest, origin: string): string {
  const [wanted = '/', ...more] = new URLSearchParams(queryOf(request)).getAll('return_to')
  const url = more.length === 0 ? returnUrl(wanted, origin) : undefined
  if (url === undefined)
    throw new AppError('malformed-request', 'return_to must be one path of this origin.', { reason: 'return-to' })
  return url
}

function queryOf({ raw }: FastifyRequest): string {
  const url = raw.url ?? ''
  const start = url.indexOf('?')
  return start < 0 ? '' : url.slice(start + 1)
}

/** A person looks at the answer, not a program. */
function isNavigation({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-mode'] === 'navigate' || headers.accept?.includes('text/html') === true
}

/** A page for people; for programs the problem that every other part answers with. */
function answerFailure(thrown: unknown, request: FastifyRequest, response: FastifyReply): FastifyReply {
  const error = toAppError(thrown)
  if (!isNavigation(request) || error.code === 'internal') throw thrown
  noteRefusal(request[FACTS], error)
  const { status, title } = PROBLEMS[error.code]
  response.headers(PAGE_HEADERS).code(status)
  return response.send(
    problemPage({ title, detail: error.message, code: error.code, requestId: request[FACTS].requestId ?? '' })
  )
}
