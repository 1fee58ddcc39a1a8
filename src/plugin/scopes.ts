// What a request meets, in order: the same scopes for the service's own server and for a host's app.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Scheme } from '../auth/caller.ts'
import type { Credential } from '../auth/credentials.ts'
import { CALLER, requireCaller } from '../auth/require-caller.ts'
import type { Config } from '../config/load-config.ts'
import type { ReplyCommand } from '../delivery/command.ts'
import { parseIdempotencyKey } from '../delivery/record-keys.ts'
import type { ClientPresence } from '../http/client-presence.ts'
import type { CrossOrigin } from '../http/cross-origin.ts'
import type { Drain } from '../http/drain.ts'
import { setErrorHandler, setNotFoundHandler } from '../http/error-handler.ts'
import { forgetHostWays } from '../http/guard/host-ways.ts'
import { requestGuard } from '../http/guard/request-guard.ts'
import { checkContent } from '../http/head/content-rules.ts'
import { lifecycle, TRACE } from '../http/lifecycle.ts'
import type { Connections } from '../http/memory/connections.ts'
import { heldBodies } from '../http/memory/held-bodies.ts'
import { parseJsonBodies } from '../http/memory/read-body.ts'
import { networkOf } from '../lib/network.ts'
import { SESSION_COOKIE } from '../lib/service/cookie-names.ts'
import { FACTS, noteCaller } from '../observability/log-fields.ts'
import { explainReply } from '../parts/explain/explained-reply.ts'
import type { Parts } from '../parts/parts.ts'
import { checkExplain } from '../routes/explain-guard.ts'
import { meRoute } from '../routes/me.ts'
import { otherMethodsRoutes } from '../routes/other-methods.ts'
import { ownReplyRoutes } from '../routes/own-reply.ts'
import { repliesRoutes } from '../routes/replies.ts'
import { threadRoutes } from '../routes/thread.ts'
import { MARKER_MEMBER } from '../upstream/marker.ts'
import type { Readiness } from './readiness.ts'

export interface ScopesOptions {
  readonly config: Config
  readonly parts: Parts
  readonly log: Logger
  readonly drain: Drain
  /** Watches the server that requests come from. */
  readonly presence: ClientPresence
  /** Whether an address is that of a proxy in front, whose X-Forwarded headers count. */
  readonly isProxy: (address: string | undefined) => boolean
  /** Undefined where pages of other origins may not call. */
  readonly crossOrigin: CrossOrigin | undefined
  /** Of a server of our own; undefined inside a host's app, whose hooks see their requests whole. */
  readonly connections?: Pick<Connections, 'check'>
  /** Of an app of our own, and below a prefix of this registration: whatever has no route is ours to answer. */
  readonly hasPrefix?: boolean
}

/** What a probe is told. */
export function readinessOf({ health, warnings, limits }: Parts, drain: Drain): Readiness {
  const all = [{ reason: 'draining', isReady: () => !drain.draining }, ...health]
  return {
    reasons: all.filter(({ isReady }) => !isReady()).map(({ reason }) => reason),
    warnings: warnings(),
    limits: limits.lines()
  }
}

/** Registers everything that callers see on an app, or on a scope of one. */
export async function registerScopes(app: FastifyInstance, options: ScopesOptions): Promise<void> {
  const { config, parts, log, drain, crossOrigin, connections } = options
  const { login, limits, metrics, traces, audit, uids } = parts
  const { door } = limits
  const isHosted = connections === undefined
  app.addHook('onClose', () => parts.close())
  if (isHosted) forgetHostWays(app)
  if (isHosted) parseJsonBodies(app)
  setErrorHandler(app, { log, judge: door.judge, isHosted })
  if (!isHosted || options.hasPrefix) setNotFoundHandler(app)
  app.addHook('onRoute', ({ url }) => metrics.requests.knowRoute(url))
  await app.register(lifecycle, {
    drain,
    log,
    connections,
    ignoredHeaders: config.ignoredHeaders,
    crossOrigin,
    isHosted,
    onArrival: door.enter,
    onAnswer: limits.onAnswer,
    tripwire: parts.tripwire,
    ...(traces && {
      beginTrace: ({ method, routeOptions }, traceparent) => traces.begin(method, routeOptions.url, traceparent)
    }),
    onRequestLine({ [FACTS]: facts, [CALLER]: caller, [TRACE]: trace }) {
      metrics.requests.note(facts)
      audit?.note(facts, caller?.subject)
      trace?.end(facts)
    }
  })
  await app.register(heldBodies, { holderOf, isHosted })
  const csrf = {
    allowedOrigins: new Set([...config.cors.origins, ...(login ? [login.routes.origin] : [])]),
    isProxy: options.isProxy
  }
  const signedIn = (scope: FastifyInstance): Promise<void> => registerSignedIn(scope, options, csrf)
  await app.register(async function threads(scope) {
    const answered = new Map<string, Set<string>>()
    scope.addHook('onRoute', ({ routePath, method }) => {
      answered.set(routePath, new Set([...(answered.get(routePath) ?? []), ...[method].flat()]))
    })
    await scope.register(signedIn)
    if (config.servesDocument) {
      const { documentRoute } = await import('../routes/openapi/route.ts')
      await scope.register(documentRoute, { checkFirst: request => door.checkCaller(request) })
    }
    await scope.register(otherMethodsRoutes, { answered: new Map(answered) })
  })
  await app.register(async function signingIn(scope) {
    if (!login) return
    const { loginRoutes } = await import('../login/routes.ts')
    scope.addHook('onRequest', async request => door.checkCaller(request))
    await scope.register(loginRoutes, { ...login.routes, csrf, uidOf: uids.uidOf })
  })
}

/** The routes that only a caller reaches who is known. */
async function registerSignedIn(
  scope: FastifyInstance,
  { config, parts, drain, presence, connections }: ScopesOptions,
  csrf: { readonly allowedOrigins: ReadonlySet<string>; readonly isProxy: (address: string | undefined) => boolean }
): Promise<void> {
  const { bearer, appSessions, login, sdkTokens, uids, cometchat, limits, shedding } = parts
  const { deadlineMs, keyRequired } = config.delivery
  /** What a new reply would be refused with is known before anything is done for it. */
  const admit = (order: ReplyCommand): ReplyCommand => {
    const refusal = cometchat.refusalAhead(order.waitMs ?? deadlineMs)
    return refusal ? { ...order, refusal } : shedding.admit(order)
  }
  await scope.register(requireCaller, {
    checkFirst(request) {
      shedding.check(request)
      checkContent(request)
    },
    bearer: bearer.authenticate,
    cookies: new Map([
      [config.auth.sessionCookie, appSessions.authenticate],
      [SESSION_COOKIE, login?.authenticate]
    ]),
    tokenPlaces: config.auth.tokenPlaces,
    csrf,
    uidOf: uids.uidOf,
    onCredential: ({ [FACTS]: facts }, credential) => facts.noteCredential(schemeOf(credential)),
    onCaller(request) {
      noteCaller(request[FACTS], request[CALLER])
      limits.door.checkCaller(request)
      checkExplain(request)
    },
    onWaited: ({ [FACTS]: facts }) => facts.noteAuthentication(),
    forgetCredentials: connections !== undefined
  })
  await scope.register(requestGuard, {
    drain,
    idempotencyKeyOf: header => parseIdempotencyKey(header, keyRequired),
    reservedMetadata: [MARKER_MEMBER]
  })
  await scope.register(meRoute)
  await scope.register(threadRoutes, { ...parts.threads, presence })
  await scope.register(ownReplyRoutes, { ...parts.threads, presence })
  if (sdkTokens && config.cometchat.sdk) {
    const { cometchatTokenRoutes } = await import('../routes/cometchat-token.ts')
    const monotonic = (): number => parts.clock.monotonic()
    await scope.register(cometchatTokenRoutes, { tokens: sdkTokens, ...config.cometchat.sdk, deadlineMs, monotonic })
  }
  await scope.register(repliesRoutes, {
    deliver: order => limits.deliver(admit(order), parts.delivery),
    explain: order => explainReply(admit(order), { limits, mode: config.limits.mode, explain: parts.explain }),
    presence,
    multipleReceiversMax: config.multipleReceiversMax,
    categories: config.cometchat.categories
  })
}

/** How whoever comes with this credential wants to prove who they are. */
function schemeOf(credential: Credential): Scheme {
  if (credential.kind === 'bearer') return 'bearer'
  return credential.name === SESSION_COOKIE ? 'login' : 'app-session'
}

/** The caller where one is known, else the network that a request came from. */
function holderOf({ [CALLER]: caller, ip }: FastifyRequest): string {
  return caller ? `${caller.issuer} ${caller.subject}` : networkOf(ip ?? '')
}
