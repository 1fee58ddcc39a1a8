import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Scheme } from './auth/caller.ts'
import type { Credential } from './auth/credentials.ts'
import { requireCaller } from './auth/require-caller.ts'
import type { Config } from './config/load-config.ts'
import type { ReplyCommand } from './delivery/command.ts'
import { parseIdempotencyKey } from './delivery/record-keys.ts'
import { ClientPresence } from './http/client-presence.ts'
import { createCrossOrigin } from './http/cross-origin.ts'
import { Drain, endUnusedConnections } from './http/drain.ts'
import { setErrorHandler } from './http/error-handler.ts'
import { requestGuard } from './http/guard/request-guard.ts'
import { checkContent, hasContent, isEmpty } from './http/head/content-rules.ts'
import { lifecycle } from './http/lifecycle.ts'
import { Connections } from './http/memory/connections.ts'
import { heldBodies } from './http/memory/held-bodies.ts'
import { UnreadAnswers } from './http/memory/unread-answers.ts'
import { refuseConnection } from './http/parser-errors.ts'
import { createPublicServer } from './http/public-server.ts'
import { createAddressTest, networkOf } from './lib/network.ts'
import { SESSION_COOKIE } from './lib/service/cookie-names.ts'
import { noteCaller } from './observability/log-fields.ts'
import type { Family } from './observability/metrics/family.ts'
import { explainReply } from './parts/explain/explained-reply.ts'
import { type Adapters, createParts } from './parts/parts.ts'
import { checkExplain } from './routes/explain-guard.ts'
import { meRoute } from './routes/me.ts'
import { otherMethodsRoutes } from './routes/other-methods.ts'
import { ownReplyRoutes } from './routes/own-reply.ts'
import { repliesRoutes } from './routes/replies.ts'
import { threadRoutes } from './routes/thread.ts'
import { MARKER_MEMBER } from './upstream/marker.ts'

/** What `/readyz` says: why there should be no calls, and what an operator should look at all the same. */
export interface Readiness {
  readonly reasons: readonly string[]
  readonly warnings: readonly string[]
  /** A line for each limit. */
  readonly limits?: readonly string[]
}

export interface Service {
  readonly app: FastifyInstance
  readonly drain: Drain
  /** Of the API keys in use. */
  readonly keyFingerprints: () => readonly string[]
  readonly readiness: () => Readiness
  /** What a scraper is told. */
  readonly metrics: () => readonly Family[]
}

const isLoopbackAddress = createAddressTest(['127.0.0.0/8', '::1'])

/** The HTTP side of the service, in the order in which a request meets it; nothing listens yet. */
export async function createService(config: Config, adapters: Adapters): Promise<Service> {
  const parts = await createParts(config, adapters)
  const { bearer, appSessions, login, sdkTokens, uids, cometchat, audit, limits, shedding, metrics, traces } = parts
  const { deadlineMs, keyRequired } = config.delivery
  const drain = new Drain(parts.clock, deadlineMs)
  const isProxy = createAddressTest(config.trustProxy)
  const csrf = { allowedOrigins: new Set([...config.cors.origins, ...(login ? [login.routes.origin] : [])]), isProxy }

  const { door } = limits
  const crossOrigin = config.cors.origins.size > 0 ? createCrossOrigin(config.cors) : undefined
  const app = createPublicServer({
    isProxy,
    crossOrigin,
    deadlineMs,
    keepAliveTimeoutMs: config.keepAliveTimeoutMs,
    onMalformed: door.noteMalformed,
    tripwire: parts.tripwire
  })
  const connections = new Connections({
    max: config.maxConnections,
    isExempt: address => isProxy(address) || isLoopbackAddress(address),
    refuse: refuseConnection
  })
  connections.watch(app.server)
  new UnreadAnswers().watch(app.server)
  const presence = new ClientPresence()
  presence.watch(app.server)
  const presenceOf = (request: IncomingMessage): (() => boolean) => presence.of(request)
  setErrorHandler(app, adapters.log, door.judge)
  app.addHook('onRoute', ({ url }) => metrics.knowRoute(url))
  await app.register(lifecycle, {
    drain,
    log: adapters.log,
    connections,
    ignoredHeaders: config.ignoredHeaders,
    crossOrigin,
    onArrival: door.enter,
    onAnswer: limits.onAnswer,
    tripwire: parts.tripwire,
    ...(traces && {
      beginTrace: ({ method, routeOptions }, traceparent) => traces.begin(method, routeOptions.url, traceparent)
    }),
    onRequestLine({ facts, caller, trace }) {
      metrics.note(facts)
      audit?.note(facts, caller?.subject)
      trace?.end(facts)
    }
  })
  await app.register(heldBodies, { holderOf })
  await app.register(endUnusedConnections)
  /** What a new reply would be refused with is known before anything is done for it. */
  const admit = (order: ReplyCommand): ReplyCommand => {
    const refusal = cometchat.refusalAhead(order.waitMs ?? deadlineMs)
    return refusal ? { ...order, refusal } : shedding.admit(order)
  }
  const signedIn = async (scope: FastifyInstance): Promise<void> => {
    await scope.register(requireCaller, {
      checkFirst(request) {
        shedding.check(request)
        if (hasContent(request) && !(isEmpty(request) && request.routeOptions.config.needsNoBody))
          checkContent(request.headers)
      },
      bearer: bearer.authenticate,
      cookies: new Map([
        [config.auth.sessionCookie, appSessions.authenticate],
        [SESSION_COOKIE, login?.authenticate]
      ]),
      tokenPlaces: config.auth.tokenPlaces,
      csrf,
      uidOf: uids.uidOf,
      onCredential: ({ facts }, credential) => facts.noteCredential(schemeOf(credential)),
      onCaller(request) {
        noteCaller(request.facts, request.caller)
        door.checkCaller(request)
        checkExplain(request)
      },
      onWaited: ({ facts }) => facts.noteAuthentication(),
      forgetCredentials: true
    })
    await scope.register(requestGuard, {
      checkFirst: () => drain.check(),
      idempotencyKeyOf: header => parseIdempotencyKey(header, keyRequired),
      reservedMetadata: [MARKER_MEMBER]
    })
    await scope.register(meRoute)
    await scope.register(threadRoutes, { ...parts.threads, presenceOf })
    await scope.register(ownReplyRoutes, { ...parts.threads, presenceOf })
    if (sdkTokens && config.cometchat.sdk) {
      const { cometchatTokenRoutes } = await import('./routes/cometchat-token.ts')
      const monotonic = (): number => parts.clock.monotonic()
      await scope.register(cometchatTokenRoutes, { tokens: sdkTokens, ...config.cometchat.sdk, deadlineMs, monotonic })
    }
    await scope.register(repliesRoutes, {
      deliver: order => limits.deliver(admit(order), parts.delivery),
      explain: order => explainReply(admit(order), { limits, mode: config.limits.mode, explain: parts.explain }),
      presenceOf,
      multipleReceiversMax: config.multipleReceiversMax,
      categories: config.cometchat.categories
    })
  }
  await app.register(async function threads(scope) {
    const answered = new Map<string, Set<string>>()
    scope.addHook('onRoute', ({ url, method }) => {
      answered.set(url, new Set([...(answered.get(url) ?? []), ...[method].flat()]))
    })
    await scope.register(signedIn)
    if (config.servesDocument) {
      const { documentRoute } = await import('./routes/openapi/route.ts')
      await scope.register(documentRoute, { checkFirst: request => door.checkCaller(request) })
    }
    await scope.register(otherMethodsRoutes, { answered: new Map(answered) })
  })
  await app.register(async function signingIn(scope) {
    if (!login) return
    const { loginRoutes } = await import('./login/routes.ts')
    scope.addHook('onRequest', async request => door.checkCaller(request))
    await scope.register(loginRoutes, { ...login.routes, csrf, uidOf: uids.uidOf })
  })
  app.addHook('onClose', () => parts.close())

  const health = [{ reason: 'draining', isReady: () => !drain.draining }, ...parts.health]
  return {
    app,
    drain,
    keyFingerprints: () => cometchat.keyring.fingerprints(),
    readiness: () => ({
      reasons: health.filter(({ isReady }) => !isReady()).map(({ reason }) => reason),
      warnings: parts.warnings(),
      limits: limits.lines()
    }),
    metrics: () => metrics.families()
  }
}

/** How whoever comes with this credential wants to prove who they are. */
function schemeOf(credential: Credential): Scheme {
  if (credential.kind === 'bearer') return 'bearer'
  return credential.name === SESSION_COOKIE ? 'login' : 'app-session'
}

/** The caller where one is known, else the network that a request came from. */
function holderOf({ caller, ip }: FastifyRequest): string {
  return caller ? `${caller.issuer} ${caller.subject}` : networkOf(ip ?? '')
}
