// A process in which a test starts services, one beside the other: they are what bin/thread-reply-bff starts, on ports,
// with a log and settings of their own, and cost a tenth of a process. The launcher starts it in the place of the service
// (`--import`), so that its settings hold here, too. Orders and lines of the logs go through the channel of Node.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { loadConfig } from '../../src/config/load-config.ts'
import { Tripwire } from '../../src/lib/tripwire/tripwire.ts'
import { createGuardedLog } from '../../src/observability/logger.ts'
import { prepareDataDirectory } from '../../src/parts/data-directory.ts'
import { watchSecrets } from '../../src/parts/watched-secrets.ts'
import { type Serving, serve } from '../../src/process/run.ts'
import type { HostOrder, HostReport } from '../helpers/host-messages.ts'

const services = new Map<number, Promise<Serving | undefined>>()

process.on('message', (order: HostOrder) => {
  if (order.order === 'start') services.set(order.id, start(order.id, order.env))
  else void end(order.id)
})
process.once('disconnect', () => process.exit())
// What the launcher would run next is the service.
await new Promise(() => undefined)

async function start(id: number, env: Readonly<Record<string, string>>): Promise<Serving | undefined> {
  try {
    const { config, notes } = prepareDataDirectory(loadConfig(env, path => readFileSync(path, 'utf8')))
    const tripwire = new Tripwire()
    const origin = { instance: config.instance, worker: undefined }
    const log = createGuardedLog(config.logLevel, line => tell({ report: 'line', id, line }), tripwire, origin)
    watchSecrets(tripwire, config)
    for (const note of notes) log.info(note)
    const serving = await serve(config, { log, tripwire })
    log.info(serving.facts, 'listening')
    // This process may be killed, too.
    flushCompileCache()
    return serving
  } catch (error) {
    tell({ report: 'ended', id, reason: String(error) })
    return undefined
  }
}

/** Like a process that is killed it answers no caller any more; what it has open it closes when it comes to it. */
async function end(id: number): Promise<void> {
  const serving = await services.get(id)
  services.delete(id)
  if (!serving) return
  const servers = [serving.service.app, serving.admin]
  const silent = servers.map(({ server }) => once(server, 'close'))
  for (const app of servers) {
    // A store that is away by now closes with an error.
    app.close().catch(() => undefined)
    app.server.closeAllConnections()
  }
  await Promise.all(silent)
  tell({ report: 'ended', id, reason: 'it was ended' })
}

function tell(report: HostReport): void {
  process.send?.(report, () => undefined)
}
