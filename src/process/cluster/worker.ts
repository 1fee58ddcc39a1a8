import cluster from 'node:cluster'
import closeWithGrace from 'close-with-grace'
import type { Service } from '../../app.ts'
import type { Config } from '../../config/load-config.ts'
import type { ProcessLog } from '../../observability/logger.ts'
import { addressOf, listen } from '../listen.ts'
import { closeService, ENDING_MS, logBug } from '../shutdown.ts'
import type { PrimaryMessage, WorkerMessage } from './ipc.ts'

/** A terminal and some service managers send them to every process of a group; only the primary acts on them. */
const SIGNALS_TO_A_GROUP = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR2'] as const

/** Serves replies beside others on one port. Orders come from the primary; a primary that is gone is the last one. */
export async function runWorker(config: Config, processLog: ProcessLog): Promise<void> {
  let service: Service | undefined
  for (const signal of SIGNALS_TO_A_GROUP) process.on(signal, () => undefined)
  const end = endOnce(config, processLog, () => service)
  process.once('disconnect', end)
  // Node ends a worker at once when its primary is gone, unless it takes the end for one that was agreed on.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
  process.on('message', (order: PrimaryMessage) => {
    // A worker that does not serve yet when the instance goes need not begin.
    if (order.order === 'close' || !service) end()
    else follow(order, service)
  })

  // Loaded only now: from here on a signal to the group does no harm.
  const { createService } = await import('../../app.ts')
  const { logEvents } = await import('../../observability/event-log.ts')
  const { log, tripwire } = processLog
  const logged = logEvents(log)
  service = await createService(config, {
    log,
    tripwire,
    subscriber(event) {
      if (event.name !== 'issuer-ready') return logged(event)
      tell({ report: 'issuer-ready', issuer: event.issuer, rules: event.rules })
    }
  })
  await listen(service.app, config.public, 'PORT')
  tell({ report: 'listening', url: addressOf(service.app) })
}

function follow(order: PrimaryMessage, { drain, readiness, metrics }: Service): void {
  if (order.order === 'drain') drain.begin()
  if (order.order === 'tell-reasons') tell({ report: 'reasons', question: order.question, answer: readiness() })
  if (order.order === 'tell-metrics') tell({ report: 'metrics', question: order.question, answer: metrics() })
}

/** What ends the process: by order, when the primary is gone, or after a bug; only the first counts. */
function endOnce(
  { delivery }: Config,
  { log, beginEnd, flush }: ProcessLog,
  service: () => Service | undefined
): () => void {
  const delay = delivery.deadlineMs + ENDING_MS
  let isEnding = false
  const { close } = closeWithGrace({ delay, logger: false, skip: [...SIGNALS_TO_A_GROUP] }, async ({ err }) => {
    isEnding = true
    beginEnd()
    if (err) logBug(log, err)
    const made = service()
    // Before that nothing is under way.
    if (made) await closeService(made)
    await flush()
  })
  return () => {
    if (!isEnding) close()
  }
}

function tell(report: WorkerMessage): void {
  // A primary that is gone hears nothing.
  cluster.worker?.send(report, () => undefined)
}
