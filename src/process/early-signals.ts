import cluster from 'node:cluster'
import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Until the service stops in order a signal ends the process: nothing is under way yet. Without that the first process of
 * a container, to which the system applies no default, would hear nothing. A service that was stopped has done what it
 * should; a command that was has not. Returns what undoes it.
 */
export function catchEarlySignals(isService: boolean): () => void {
  // A worker hears the signals of its group, too; its primary decides.
  const end = (signal: NodeJS.Signals): void => {
    if (!cluster.isWorker) process.exit(isService ? 0 : 128 + constants.signals[signal])
  }
  for (const signal of SIGNALS) process.on(signal, end)
  return () => {
    for (const signal of SIGNALS) process.off(signal, end)
  }
}
