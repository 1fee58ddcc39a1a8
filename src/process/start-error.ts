import cluster from 'node:cluster'
import type { WorkerMessage } from './cluster/ipc.ts'

/** A process that cannot start, or cannot go on. The message is for the operator: it names variables, not values. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Says why this process ends: a worker to its primary, which says it once, any other to the operator. */
export function refuse(exitCode: number, sentence: string): void {
  if (cluster.worker) {
    const report: WorkerMessage = { report: 'refused', sentence, exitCode }
    cluster.worker.send(report, () => process.exit(exitCode))
    return
  }
  process.stderr.write(`${sentence}\n`)
  process.exitCode = exitCode
}
