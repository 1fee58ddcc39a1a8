import cluster, { type Worker } from 'node:cluster'
import type { Readiness } from '../../app.ts'
import type { PrimaryMessage, WorkerMessage } from './ipc.ts'

/** A probe waits for a second by default: it must get its answer before. */
const SILENCE_MS = 800

export interface WorkerFailure {
  readonly sentence: string
  readonly exitCode: number
}

export interface Ending {
  readonly code: number | null
  readonly signal: string | null
}

export interface WorkerEvents {
  listening(url: string): void
  refused(refusal: WorkerFailure): void
  issuerReady(issuer: string, rules: string): void
  ended(how: Ending): void
}

/** One worker, as the primary sees it. */
export class WorkerProcess {
  isListening = false
  readonly ended: Promise<void>
  readonly #worker: Worker
  readonly #events: WorkerEvents
  readonly #questions = new Map<number, (readiness: Readiness) => void>()
  #lastQuestion = 0

  constructor(events: WorkerEvents) {
    this.#events = events
    this.#worker = cluster.fork()
    this.#worker.on('message', (report: WorkerMessage) => this.#hear(report))
    this.ended = new Promise(resolve => {
      const end = (code: number | null, signal: string | null): void => {
        this.isListening = false
        for (const answer of this.#questions.values()) answer({ reasons: [], warnings: [] })
        resolve()
        events.ended({ code, signal })
      }
      this.#worker.once('exit', end)
      // A process that could not be made has no exit. Of any other the exit follows.
      this.#worker.on('error', () => this.pid ?? end(null, null))
    })
  }

  /** As the lines of the worker's log name it. */
  get id(): number {
    return this.#worker.id
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  /** Why it should get no calls; a worker that does not answer should not either. */
  readiness(): Promise<Readiness> {
    const question = ++this.#lastQuestion
    return new Promise<Readiness>(resolve => {
      const silence = setTimeout(() => answer({ reasons: ['worker-silent'], warnings: [] }), SILENCE_MS)
      const answer = (readiness: Readiness): void => {
        clearTimeout(silence)
        this.#questions.delete(question)
        resolve(readiness)
      }
      this.#questions.set(question, answer)
      this.order({ order: 'tell-reasons', question })
    })
  }

  order(order: PrimaryMessage): void {
    // A worker that is gone takes no messages; `ended` tells of its end.
    this.#worker.send(order, () => undefined)
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  #hear(report: WorkerMessage): void {
    if (report.report === 'reasons') this.#questions.get(report.question)?.(report.readiness)
    else if (report.report === 'refused') this.#events.refused(report)
    else if (report.report === 'issuer-ready') this.#events.issuerReady(report.issuer, report.rules)
    else {
      this.isListening = true
      this.#events.listening(report.url)
    }
  }
}
