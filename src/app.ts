import type { FastifyInstance } from 'fastify'
import type { Config } from './config/load-config.ts'
import { ClientPresence } from './http/client-presence.ts'
import { createCrossOrigin } from './http/cross-origin.ts'
import { Drain, endUnusedConnections } from './http/drain.ts'
import { Connections } from './http/memory/connections.ts'
import { UnreadAnswers } from './http/memory/unread-answers.ts'
import { refuseConnection } from './http/parser-errors.ts'
import { createPublicServer } from './http/public-server.ts'
import { createAddressTest } from './lib/network.ts'
import type { Family } from './observability/metrics/family.ts'
import { type Adapters, createParts } from './parts/parts.ts'
import type { Readiness } from './plugin/readiness.ts'
import { readinessOf, registerScopes } from './plugin/scopes.ts'

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
  const { cometchat, limits, metrics } = parts
  const { deadlineMs } = config.delivery
  const drain = new Drain(parts.clock, deadlineMs)
  const isProxy = createAddressTest(config.trustProxy)
  const crossOrigin = config.cors.origins.size > 0 ? createCrossOrigin(config.cors) : undefined
  const app = createPublicServer({
    isProxy,
    crossOrigin,
    deadlineMs,
    keepAliveTimeoutMs: config.keepAliveTimeoutMs,
    onMalformed: limits.door.noteMalformed,
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
  await app.register(endUnusedConnections)
  await registerScopes(app, { config, parts, log: adapters.log, drain, presence, isProxy, crossOrigin, connections })

  return {
    app,
    drain,
    keyFingerprints: () => cometchat.keyring.fingerprints(),
    readiness: () => readinessOf(parts, drain),
    metrics: () => metrics.families()
  }
}
