import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { requireCaller } from './auth/require-caller.ts'
import type { Config } from './config/load-config.ts'
import { createDelivery } from './delivery/delivery.ts'
import { parseIdempotencyKey } from './delivery/idempotency-key.ts'
import type { RecordStore } from './delivery/record.ts'
import { createRecordNames } from './delivery/record-keys.ts'
import { openStore } from './delivery/stores/open.ts'
import { Drain, endUnusedConnections } from './http/drain.ts'
import { setErrorHandler } from './http/error-handler.ts'
import { requestGuard } from './http/guard/request-guard.ts'
import { checkContent } from './http/header-rules.ts'
import { lifecycle } from './http/lifecycle.ts'
import { createPublicServer } from './http/public-server.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { SESSION_COOKIE } from './login/cookies.ts'
import { logEvents } from './observability/event-log.ts'
import { createEmit } from './observability/events.ts'
import { createJsonFetcher } from './outbound/fetch-json.ts'
import { type AppSessions, openAppSessions } from './parts/app-sessions.ts'
import { type Bearer, createBearer } from './parts/bearer.ts'
import { type CometChat, createCometChat } from './parts/cometchat.ts'
import { type OwnLogin, openLogin } from './parts/own-login.ts'
import { createUids } from './parts/uids.ts'
import { otherMethodsRoutes, repliesRoutes } from './routes/replies.ts'
import type { Keyring } from './upstream/keyring.ts'
import { MARKER_MEMBER } from './upstream/marker.ts'

/** What a test replaces; everything else is real everywhere. */
export interface Adapters {
  readonly log: Logger
  readonly clock?: Clock
  readonly random?: () => number
  readonly store?: RecordStore
}

export interface Service {
  readonly app: FastifyInstance
  readonly drain: Drain
  readonly keyring: Keyring
  /** Why this process should get no calls; empty when it should. */
  readonly notReadyReasons: () => readonly string[]
}

/**
 * Makes and joins every part, in the order in which a request meets them; nothing listens yet. What only some
 * configurations need is loaded where it is made: nobody waits at start for a Redis client that is not used.
 */
export async function createService(config: Config, adapters: Adapters): Promise<Service> {
  const { log, clock = systemClock, random = Math.random } = adapters
  const emit = createEmit([logEvents(log)])
  // First the stores: they can refuse to start, and then nothing else must be running.
  const store = adapters.store ?? (await openStore({ address: config.delivery.store, clock, log }))
  const fetchJson = createJsonFetcher()
  const login = await openLogin(config, { fetchJson, clock, emit }).catch(async error => {
    await Promise.all([fetchJson.close(), store.close()])
    throw error
  })
  const bearer = createBearer(config, { fetchJson, clock, emit })
  const uids = createUids(config.uid, clock, emit)
  const appSessions = await openAppSessions(config, clock, emit)
  const cometchat = createCometChat(config, { clock, emit, random })
  const delivery = createDelivery({
    cometchat: cometchat.client,
    receiverOf: cometchat.receiverOf,
    store,
    names: createRecordNames(config.delivery.secret?.reveal()),
    clock,
    deadlineMs: config.delivery.deadlineMs,
    quietPeriodMs: config.delivery.quietPeriodMs,
    marker: config.delivery.marker
  })
  const drain = new Drain(clock, config.delivery.deadlineMs)

  const app = createPublicServer({ trustProxy: config.trustProxy, deadlineMs: config.delivery.deadlineMs })
  setErrorHandler(app, log)
  await app.register(lifecycle, { drain, log })
  await app.register(endUnusedConnections)
  const csrf = { allowedOrigins: new Set([...config.corsOrigins, ...(login ? [login.routes.origin] : [])]) }
  const signedIn = async (scope: FastifyInstance): Promise<void> => {
    await scope.register(requireCaller, {
      checkFirst: checkContent,
      bearer: bearer.authenticate,
      cookies: new Map([
        [config.auth.sessionCookie, appSessions.authenticate],
        [SESSION_COOKIE, login?.authenticate]
      ]),
      csrf,
      uidOf: uids.uidOf,
      onCaller: noteCaller,
      forgetCredentials: true
    })
    await scope.register(requestGuard, {
      checkFirst: () => drain.check(),
      idempotencyKeyOf: header => parseIdempotencyKey(header, config.delivery.keyRequired),
      reservedMetadata: [MARKER_MEMBER]
    })
    await scope.register(repliesRoutes, {
      deliver: order => delivery.deliver(order),
      multipleReceiversMax: config.multipleReceiversMax
    })
  }
  await app.register(async function crossOriginCalls(scope) {
    if (config.corsOrigins.size > 0) {
      const { crossOrigin } = await import('./http/cross-origin.ts')
      await scope.register(crossOrigin, { origins: config.corsOrigins })
    }
    await scope.register(signedIn)
  })
  await app.register(otherMethodsRoutes)
  await app.register(async function signingIn(scope) {
    if (!login) return
    const { loginRoutes } = await import('./login/routes.ts')
    await scope.register(loginRoutes, { ...login.routes, csrf, uidOf: uids.uidOf })
  })
  app.addHook('onClose', async () => {
    // A client that went away has no connection to wait for, but its reply may still be under way.
    await delivery.idle()
    await Promise.all([cometchat, fetchJson, bearer, uids, appSessions, login, store].map(part => part?.close()))
  })

  const readyParts = { drain, store, bearer, appSessions, login, cometchat }
  return { app, drain, keyring: cometchat.keyring, notReadyReasons: () => notReadyReasons(readyParts) }
}

function noteCaller({ caller, facts }: FastifyRequest): void {
  const { scheme, issuer, subject, uid, actors } = caller
  facts.scheme = scheme
  facts.issuer = issuer
  facts.subject = subject.slice(0, 128)
  facts.uid = uid
  if (actors.length > 0) facts.actors = actors
}

interface ReadyParts {
  readonly drain: Drain
  readonly store: RecordStore
  readonly bearer: Bearer
  readonly appSessions: AppSessions
  readonly login: OwnLogin | undefined
  readonly cometchat: CometChat
}

function notReadyReasons({ drain, store, bearer, appSessions, login, cometchat }: ReadyParts): string[] {
  return [
    ...(drain.draining ? ['draining'] : []),
    ...(store.isReady() ? [] : ['store']),
    ...(bearer.isReady() ? [] : ['identity-provider-keys']),
    ...(appSessions.isReady() ? [] : ['session-store']),
    ...(!login || login.isReady() ? [] : ['login-store']),
    ...(cometchat.isReady() ? [] : ['cometchat-key-refused'])
  ]
}
