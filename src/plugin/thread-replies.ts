// Thread replies as a plugin of Fastify: docs/plugin.md.
import type { FastifyBaseLogger, FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config/load-config.ts'
import { ClientPresence } from '../http/client-presence.ts'
import { createCrossOrigin } from '../http/cross-origin.ts'
import { Drain } from '../http/drain.ts'
import { systemClock } from '../lib/clock.ts'
import { createAddressTest } from '../lib/network.ts'
import { Tripwire } from '../lib/tripwire/tripwire.ts'
import { prepareDataDirectory } from '../parts/data-directory.ts'
import { createParts, type Parts } from '../parts/parts.ts'
import { checkHost } from './host-checks.ts'
import { createHostLog } from './host-log.ts'
import type { Readiness } from './readiness.ts'
import { readinessOf, registerScopes } from './scopes.ts'
import type { ThreadRepliesSettings } from './setting-names.ts'
import { readSettings } from './settings.ts'

export interface ThreadRepliesOptions {
  /** The variables of README.md by their names. An environment can be handed over whole: what is the host's is left alone. */
  readonly settings: ThreadRepliesSettings
  /** Where the lines of the log go; by default to that of the app. */
  readonly log?: FastifyBaseLogger
}

/** To be registered once, under any prefix. */
export interface ThreadReplies extends FastifyPluginAsync {
  /** For a probe: whoever gives a reason should get no calls at the moment. */
  readonly readiness: () => Readiness
  /** From now on every answer ends its connection; to be called when probes begin to say no, before `app.close()`. */
  readonly beginDrain: () => void
}

/**
 * Makes a plugin that takes replies and posts them to CometChat, with everything that a request meets on its way in the
 * service. Throws a ConfigError that names every setting that is wrong; the registration fails with a HostError for an app
 * that cannot host it, and with a StoreError for a store that cannot be used.
 */
export function threadReplies({ settings, log }: ThreadRepliesOptions): ThreadReplies {
  const config = readSettings(settings, process.execArgv)
  const drain = new Drain(systemClock, config.delivery.deadlineMs)
  let parts: Parts | undefined
  let isRegistered = false

  async function register(app: FastifyInstance, { prefix }: { readonly prefix?: string }): Promise<void> {
    if (isRegistered) throw new Error('This plugin is registered already: call threadReplies() for each registration.')
    isRegistered = true
    parts = await host(app, config, { log: log ?? app.log, drain, hasPrefix: prefix !== undefined && prefix !== '' })
  }
  const plugin = fp(register, { name: 'thread-replies', fastify: '5.x', encapsulate: true })
  return Object.assign(plugin, {
    readiness: () => (parts ? readinessOf(parts, drain) : { reasons: ['starting'], warnings: [] }),
    beginDrain: () => drain.begin()
  })
}

interface Hosting {
  readonly log: FastifyBaseLogger
  readonly drain: Drain
  /** Of this registration: then what is not found below it is ours to answer. */
  readonly hasPrefix: boolean
}

async function host(app: FastifyInstance, read: Config, { log: hostLog, drain, hasPrefix }: Hosting): Promise<Parts> {
  const hostWarnings = checkHost(app, read)
  const { config, notes } = prepareDataDirectory(read)
  const tripwire = new Tripwire()
  const log = createHostLog(hostLog, tripwire)
  const parts = await createParts(config, { log, tripwire, clock: systemClock, prefix: app.prefix })
  for (const note of notes) log.info(note)
  for (const warning of [...config.warnings, ...hostWarnings]) log.warn(warning)
  const presence = new ClientPresence()
  presence.watch(app.server)
  const isProxy = createAddressTest(config.trustProxy)
  const crossOrigin = config.cors.origins.size > 0 ? createCrossOrigin(config.cors) : undefined
  app.addHook('preClose', async () => void drain.close())
  await registerScopes(app, { config, parts, log, drain, presence, isProxy, crossOrigin, hasPrefix })
  return parts
}
