import fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createBearerAuthenticator } from './auth/bearer-authenticator.ts'
import type { Caller } from './auth/caller.ts'
import { createKeyReader } from './auth/key-location.ts'
import { createRemoteKeys, type KeySource } from './auth/remote-keys.ts'
import { requireCaller } from './auth/require-caller.ts'
import { createSharedKey } from './auth/shared-key.ts'
import { createUidMap } from './auth/uid-map.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { createDelivery } from './delivery/delivery.ts'
import { parseIdempotencyKey } from './delivery/idempotency-key.ts'
import { createMemoryStore } from './delivery/memory-store.ts'
import { createRecordNames } from './delivery/record-names.ts'
import type { RecordStore } from './delivery/record-store.ts'
import { Drain, drainHook } from './http/drain.ts'
import { setErrorHandler } from './http/error-handler.ts'
import { createJsonFetcher } from './http/fetch-json.ts'
import { checkContent } from './http/header-rules.ts'
import { createPublicServer } from './http/public-server.ts'
import { requestHead } from './http/request-head.ts'
import { requestLine } from './observability/request-line.ts'
import { healthRoutes } from './routes/health.ts'
import { otherMethodsRoutes, repliesRoutes } from './routes/replies.ts'
import { createCometChatClient } from './upstream/cometchat-client.ts'
import { createConnections } from './upstream/connections.ts'
import { createKeyring, type Keyring } from './upstream/keyring.ts'
import { createReceivers } from './upstream/receivers.ts'
import { MARKER_MEMBER } from './upstream/reply-answer.ts'

/** What a test replaces; everything else is real everywhere. */
export interface Adapters {
  readonly log: Logger
  readonly clock?: Clock
  readonly random?: () => number
  readonly store?: RecordStore
}

export interface Service {
  readonly app: FastifyInstance
  readonly admin: FastifyInstance
  readonly drain: Drain
  readonly keyring: Keyring
}

/** How long a refused key keeps this instance out of the balancer before it is tried again. */
const REFUSED_KEY_MS = 30_000

/** Makes and joins every part, in the order in which a request meets them; nothing listens yet. */
export async function createService(config: Config, adapters: Adapters): Promise<Service> {
  const { log, clock = systemClock, random = Math.random } = adapters
  const fetchJson = createJsonFetcher()
  const keys = createKeySource(config, fetchJson, clock, log)
  const keyring = createKeyring(config.cometchat.apiKeys, () => clock.monotonic())
  const connections = createConnections({ origin: config.cometchat.origin })
  const cometchat = createCometChatClient({
    connections,
    keyring,
    clock,
    random,
    settleMs: config.delivery.settleMs,
    onAlarm: alarm => log.error({ alarm }, 'alarm')
  })
  const store = adapters.store ?? createMemoryStore({ monotonic: () => clock.monotonic() })
  const delivery = createDelivery({
    cometchat,
    receiverOf: createReceivers(cometchat),
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
  await app.register(requestLine, { log })
  await app.register(requestHead)
  await app.register(drainHook, { drain })
  await app.register(async function signedIn(scope) {
    scope.addHook('onRequest', async request => checkContent(request.headers))
    await scope.register(requireCaller, {
      bearer: createBearerAuthenticator({ ...config.auth.jwt, uidClaim: config.uid.claim, keys, clock }),
      cookies: new Map([[config.auth.sessionCookie, undefined]]),
      csrf: { allowedOrigins: new Set<string>() },
      uidOf: createUidMap(config.uid)
    })
    scope.addHook('onRequest', async ({ caller, facts }) => void Object.assign(facts, callerFacts(caller)))
    await scope.register(repliesRoutes, {
      deliver: order => delivery.deliver(order),
      idempotencyKeyOf: header => parseIdempotencyKey(header, config.delivery.keyRequired),
      markerMember: MARKER_MEMBER,
      multipleReceiversMax: config.multipleReceiversMax
    })
  })
  await app.register(otherMethodsRoutes)
  app.addHook('onClose', async () => {
    keys.close()
    // A client that went away has no connection to wait for, but its reply may still be under way.
    await delivery.idle()
    await Promise.all([connections.close(), fetchJson.close(), store.close()])
  })

  const admin = fastify({ logger: false, forceCloseConnections: true })
  await admin.register(healthRoutes, { notReadyReasons: () => notReadyReasons(drain, keys, keyring) })
  return { app, admin, drain, keyring }
}

function createKeySource(
  { auth: { jwt } }: Config,
  fetchJson: (url: string) => Promise<unknown>,
  clock: Clock,
  log: Logger
): KeySource {
  if (jwt.secret) return createSharedKey(jwt.secret)
  return createRemoteKeys({
    fetchKeys: createKeyReader(jwt.issuer, jwt.jwksUrl, fetchJson),
    clock,
    onFailure: () => log.warn('the keys of AUTH_JWT_ISSUER cannot be read; trying again')
  })
}

function callerFacts({ issuer, subject, uid, actors }: Caller) {
  return { issuer, subject: subject.slice(0, 128), uid, ...(actors.length > 0 && { actors }) }
}

function notReadyReasons(drain: Drain, keys: KeySource, keyring: Keyring): string[] {
  const refusedForMs = keyring.refusedForMs()
  return [
    ...(drain.draining ? ['draining'] : []),
    ...(keys.isReady() ? [] : ['identity-provider-keys']),
    ...(refusedForMs !== undefined && refusedForMs < REFUSED_KEY_MS ? ['cometchat-key-refused'] : [])
  ]
}
