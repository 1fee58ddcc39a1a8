import type { FastifyInstance } from 'fastify'
import { createService, type Service } from '../app.ts'
import type { Config } from '../config/load-config.ts'
import { schemeOf } from '../lib/service/store-address.ts'
import { VERSION } from '../lib/service/version.ts'
import type { ProcessLog } from '../observability/logger.ts'
import { createAdminServer } from './admin-server.ts'
import { addressOf, listen } from './listen.ts'
import { closeService, stopOnSignals } from './shutdown.ts'
import { StartError } from './start-error.ts'

/** A service that takes calls, and its probes. */
export interface Serving {
  readonly service: Service
  readonly admin: FastifyInstance
  /** What the log says of it. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** One process does it all. Throws a StoreError or a StartError when it cannot. */
export async function runSingle(config: Config, processLog: ProcessLog, releaseSignals: () => void): Promise<void> {
  const { service, admin, facts } = await serve(config, processLog)
  stopOnSignals(config, processLog, {
    begin: () => service.drain.begin(),
    hasServed: () => true,
    async finish() {
      await closeService(service)
      await admin.close()
    }
  })
  releaseSignals()
  processLog.log.info(facts, 'listening')
}

/** Replies at one port, probes and figures at the other. Throws a StoreError or a StartError when it cannot. */
export async function serve(config: Config, { log, tripwire }: Pick<ProcessLog, 'log' | 'tripwire'>): Promise<Serving> {
  for (const warning of config.warnings) log.warn(warning)
  if (config.proxy) log.info({ proxy: config.proxy.shown }, 'outgoing calls go through a proxy')
  const service = await createService(config, { log, tripwire })
  const { app, keyFingerprints, readiness, metrics } = service
  const admin = await createAdminServer({ readiness, metrics, log, tripwire })
  const tries = [listen(admin, config.admin, 'ADMIN_PORT'), listen(app, config.public, 'PORT')]
  const refusals = (await Promise.allSettled(tries)).flatMap(result => (result.status === 'rejected' ? [result] : []))
  if (refusals.length > 0) {
    await Promise.all([app.close(), admin.close()])
    throw new StartError(refusals.map(({ reason }) => reason.message).join('\n'))
  }
  return {
    service,
    admin,
    facts: {
      version: VERSION,
      url: addressOf(app),
      adminUrl: addressOf(admin),
      cometchat: config.cometchat.origin,
      keys: keyFingerprints(),
      store: schemeOf(config.delivery.store)
    }
  }
}
