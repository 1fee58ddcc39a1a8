import type { Server } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'
import type { Service } from '../app.ts'
import type { Config } from '../config/load-config.ts'
import { describeBug } from '../lib/bug.ts'
import { CLOSING_MS, DRAIN_MARGIN_MS } from '../lib/service/drain-times.ts'
import type { ProcessLog } from '../observability/logger.ts'

export interface Ending {
  /** From now on probes say no, while calls are still taken. */
  begin(): void
  /** Whether a balancer may have sent anything yet; if not there is none to wait for. */
  hasServed(): boolean
  /** Finishes what is under way. */
  finish(): Promise<void>
}

/** How long an end may take beyond the delay and one reply. */
export const ENDING_MS = DRAIN_MARGIN_MS + CLOSING_MS

/**
 * SIGTERM and SIGINT: say so, wait for balancers to notice, finish what is under way; a second signal ends at once.
 * Returns what undoes it.
 */
export function stopOnSignals({ drainDelayMs, delivery }: Config, processLog: ProcessLog, ending: Ending): () => void {
  const { log } = processLog
  const longestMs = drainDelayMs + delivery.deadlineMs + ENDING_MS
  const { uninstall } = closeWithGrace({ delay: longestMs, logger: false }, async ({ signal, err }) => {
    processLog.beginEnd()
    if (err) logBug(log, err)
    ending.begin()
    // Nobody balances a terminal: Ctrl-C does not wait.
    const delayMs = signal === 'SIGTERM' && ending.hasServed() ? drainDelayMs : 0
    log.info({ signal: signal ?? 'none', delayMs }, 'draining')
    await sleep(delayMs)
    await ending.finish()
    log.info('stopped')
    await processLog.flush()
  })
  return uninstall
}

export function logBug(log: Logger, error: Error): void {
  log.fatal(describeBug(error), 'bug: the process ends')
}

/** Takes no more calls, and resolves once what was under way has ended or had its time. */
export async function closeService({ app, drain }: Pick<Service, 'app' | 'drain'>): Promise<void> {
  // What has arrived is read first: a connection with an unread request looks idle, and would be ended under it.
  await nextTurn()
  await nextTurn()
  const graceMs = drain.close()
  const forced = setTimeout(() => app.server.closeAllConnections(), graceMs)
  await untilNoneWaits(app.server)
  app.server.close()
  const idle = setInterval(() => app.server.closeIdleConnections(), 100)
  await app.close()
  clearInterval(idle)
  clearTimeout(forced)
}

/** Of callers who come faster than they are taken there is no end. It is part of the margin that a drain has. */
const TAKEN_WITHIN_MS = 1500

/**
 * Connections wait with the system, and each turn of the event loop takes one of them. Those that wait when a listener
 * closes are reset, with the requests that are on them: so it closes behind a turn in which none came.
 */
async function untilNoneWaits(server: Server): Promise<void> {
  let hasCome = false
  const note = (): void => {
    hasCome = true
  }
  server.on('connection', note)
  const endsAtMs = performance.now() + TAKEN_WITHIN_MS
  do {
    hasCome = false
    await nextTurn()
  } while (hasCome && performance.now() < endsAtMs)
  server.off('connection', note)
}
