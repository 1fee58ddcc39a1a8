import cluster, { type Worker } from 'node:cluster'
import type { Family } from '../../observability/metrics/family.ts'
import type { Readiness } from '../../plugin/readiness.ts'
import type { PrimaryMessage, WorkerMessage } from './ipc.ts'

/** A probe waits for a second by default: it must get its answer before. */
const SILENCE_MS = 800
/** A scraper waits for ten. */
const NO_METRICS_MS = 2000

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
  #hasEnded = false
  readonly ended: Promise<void>
  readonly #worker: Worker
  readonly #events: WorkerEvents
  /** Those that are open; without an answer where there is none to come. */
  readonly #questions = new Map<number, (answer?: unknown) => void>()
  #lastQuestion = 0

  constructor(events: WorkerEvents) {
    this.#events = events
    this.#worker = cluster.fork()
    this.#worker.on('message', (report: WorkerMessage) => this.#hear(report))
    this.ended = new Promise(resolve => {
      const end = (code: number | null, signal: string | null): void => {
        this.isListening = false
        this.#hasEnded = true
        for (const close of this.#questions.values()) close()
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
  async readiness(): Promise<Readiness> {
    const answer = await this.#ask<Readiness>('tell-reasons', SILENCE_MS)
    return answer ?? { reasons: this.#hasEnded ? [] : ['worker-silent'], warnings: [] }
  }

  /** Undefined where it does not answer, or ends before it does. */
  metrics(): Promise<readonly Family[] | undefined> {
    return this.#ask<readonly Family[]>('tell-metrics', NO_METRICS_MS)
  }

  order(order: PrimaryMessage): void {
    // A worker that is gone takes no messages; `ended` tells of its end.
    this.#worker.send(order, () => undefined)
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  /** Undefined after so long without an answer, and where the worker ends. */
  #ask<T>(order: 'tell-reasons' | 'tell-metrics', silenceMs: number): Promise<T | undefined> {
    const question = ++this.#lastQuestion
    return new Promise(resolve => {
      const close = (answer?: unknown): void => {
        clearTimeout(silence)
        this.#questions.delete(question)
        resolve(answer as T | undefined)
      }
      const silence = setTimeout(close, silenceMs)
      this.#questions.set(question, close)
      this.order({ order, question })
    })
  }

  #hear(report: WorkerMessage): void {
    if ('question' in report) this.#questions.get(report.question)?.(report.answer)
    else if (report.report === 'refused') this.#events.refused(report)
    else if (report.report === 'issuer-ready') this.#events.issuerReady(report.issuer, report.rules)
    else {
      this.isListening = true
      this.#events.listening(report.url)
    }
  }
}
