import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config/load-config.ts'
import { schemeOf } from '../../lib/service/store-address.ts'
import { VERSION } from '../../lib/service/version.ts'
import type { ProcessLog } from '../../observability/logger.ts'
import { addressOf, listen } from '../listen.ts'
import { stopOnSignals } from '../shutdown.ts'
import { Workers } from './workers.ts'

/**
 * Several processes serve replies on one port. This one starts them, answers probes and takes the signals; it sees no
 * reply and opens no store. Throws a StartError when the workers cannot start, or can no longer be kept running.
 */
export async function runPrimary(config: Config, processLog: ProcessLog, releaseSignals: () => void): Promise<void> {
  const { log, tripwire } = processLog
  for (const warning of config.warnings) log.warn(warning)
  if (config.proxy) log.info({ proxy: config.proxy.shown }, 'outgoing calls go through a proxy')
  const workers = new Workers(config.workers, log)
  let admin: FastifyInstance | undefined
  // However this process ends, save by SIGKILL: then they notice it themselves. Before the log, which may end it.
  process.prependOnceListener('exit', () => workers.kill())
  const ignoreSignals = stopOnSignals(config, processLog, {
    begin: () => workers.drain(),
    hasServed: () => workers.haveServed,
    async finish() {
      await workers.close()
      await admin?.close()
    }
  })
  releaseSignals()

  const listening = Promise.withResolvers<string>()
  async function answerProbes(): Promise<void> {
    // Loaded while the workers load what they need.
    const { createAdminServer } = await import('../admin-server.ts')
    admin = await createAdminServer({
      readiness: () => workers.readiness(),
      metrics: () => workers.metrics(),
      log,
      tripwire
    })
    await listen(admin, config.admin, 'ADMIN_PORT')
    log.info(listeningLine(config, await listening.promise, addressOf(admin)), 'listening')
  }
  try {
    await Promise.all([workers.run(listening.resolve), answerProbes()])
  } catch (error) {
    ignoreSignals()
    workers.kill()
    await admin?.close()
    throw error
  }
}

function listeningLine({ cometchat, delivery, workers }: Config, url: string, adminUrl: string) {
  return {
    version: VERSION,
    url,
    adminUrl,
    cometchat: cometchat.origin,
    keys: cometchat.apiKeys.map(({ fingerprint }) => fingerprint),
    store: schemeOf(delivery.store),
    workers
  }
}
