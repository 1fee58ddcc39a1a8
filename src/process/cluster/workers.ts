import cluster from 'node:cluster'
import type { Logger } from 'pino'
import { logEvents } from '../../observability/event-log.ts'
import { type Family, gauge, joinFamilies, type Labels, withLabel } from '../../observability/metrics/family.ts'
import type { Readiness } from '../../plugin/readiness.ts'
import { StartError } from '../start-error.ts'
import { type Ending, type WorkerFailure, WorkerProcess } from './worker-process.ts'

/** A place for one worker; when it ends, another one takes its place. */
interface Slot {
  worker?: WorkerProcess
  startedAtMs: number
  hasListened: boolean
  /** In a row, without one that listened. */
  failedStarts: number
  /** Of the last start. */
  refusal: WorkerFailure | undefined
  retry?: NodeJS.Timeout
}

const NOT_MORE_OFTEN_THAN_MS = 1000
const MOST_FAILED_STARTS = 3

/** Keeps a number of workers running, for as long as that makes sense. */
export class Workers {
  readonly #log: Logger
  readonly #slots: readonly Slot[]
  /** What was said last of each issuer. */
  readonly #rulesOf = new Map<string, string>()
  #wereAllListening = false
  #isEnding = false
  #isKilling = false
  #onAllListening: (url: string) => void = () => undefined
  #giveUp: (error: StartError) => void = () => undefined

  constructor(count: number, log: Logger) {
    this.#log = log
    const empty = { startedAtMs: 0, hasListened: false, failedStarts: 0, refusal: undefined }
    this.#slots = Array.from({ length: count }, () => ({ ...empty }))
  }

  /** Whether all of them have listened at any time. */
  get haveServed(): boolean {
    return this.#wereAllListening
  }

  /** Never resolves; rejects with a StartError when they cannot be kept running, and then none runs. */
  run(onAllListening: (url: string) => void): Promise<never> {
    // Each in its turn, whatever NODE_CLUSTER_SCHED_POLICY says: few connections would not spread by themselves.
    cluster.schedulingPolicy = cluster.SCHED_RR
    return new Promise((_, reject) => {
      this.#onAllListening = onAllListening
      this.#giveUp = error => {
        this.kill()
        reject(error)
      }
      for (const slot of this.#slots) this.#fill(slot)
    })
  }

  /** Why this instance should get no calls: what any worker says, and that one is missing. */
  async readiness(): Promise<Readiness> {
    const listening = this.#listening()
    const told = await Promise.all(listening.map(worker => worker.readiness()))
    const isOneMissing = listening.length < this.#slots.length
    const own = this.#isEnding ? ['draining'] : isOneMissing ? ['workers'] : []
    return {
      reasons: [...new Set([...own, ...told.flatMap(({ reasons }) => reasons)])],
      warnings: [...new Set(told.flatMap(({ warnings }) => warnings))],
      limits: [...new Set(told.flatMap(({ limits = [] }) => limits))]
    }
  }

  /**
   * What each worker counts, by its place: another one in its place begins at nothing, which a sum over all of them would
   * hide. One that does not answer is left out, and said to be.
   */
  async metrics(): Promise<Family[]> {
    const told = await Promise.all(
      this.#slots.map(({ worker }) => (worker?.isListening ? worker.metrics() : undefined))
    )
    const families = told.flatMap((of, index) => (of ?? []).map(family => withLabel(family, placeOf(index))))
    const samples = told.map((of, index) => ({ labels: placeOf(index), value: of ? 1 : 0 }))
    const up = gauge('worker_up', 'Whether the worker in this place answered the scrape.', samples)
    return [up, ...joinFamilies(families)]
  }

  /** Probes say no from now on; a worker that ends is not replaced. */
  drain(): void {
    this.#end()
    for (const { worker } of this.#slots) worker?.order({ order: 'drain' })
  }

  /** Resolves once every worker has finished what was under way, and has ended. */
  async close(): Promise<void> {
    this.#end()
    for (const { worker } of this.#slots) {
      // Before the first of them serves there is nothing to finish, and to load all that it needs takes time.
      if (this.#wereAllListening || worker?.isListening) worker?.order({ order: 'close' })
      else worker?.kill()
    }
    await Promise.all(this.#slots.map(({ worker }) => worker?.ended))
  }

  kill(): void {
    this.#end()
    this.#isKilling = true
    for (const { worker } of this.#slots) worker?.kill()
  }

  #end(): void {
    this.#isEnding = true
    for (const { retry } of this.#slots) clearTimeout(retry)
  }

  #listening(): WorkerProcess[] {
    return this.#slots.flatMap(({ worker }) => (worker?.isListening ? [worker] : []))
  }

  #fill(slot: Slot): void {
    slot.startedAtMs = performance.now()
    const worker = new WorkerProcess({
      listening: url => this.#listens(slot, url),
      refused: refusal => this.#isRefused(slot, refusal),
      issuerReady: (issuer, rules) => this.#sayIssuer(issuer, rules),
      ended: how => {
        // Towards the end every worker ends, and one that never served may do so as it likes.
        const isAsOrdered = this.#isEnding && (how.code === 0 || !slot.hasListened)
        if (!isAsOrdered && !this.#isKilling)
          this.#log.error({ worker: worker.id, pid: worker.pid, ...how }, 'worker ended')
        if (!this.#isEnding) this.#refill(slot, how)
      }
    })
    slot.worker = worker
    slot.hasListened = false
    slot.refusal = undefined
  }

  #listens(slot: Slot, url: string): void {
    slot.hasListened = true
    slot.failedStarts = 0
    if (this.#isEnding) return
    if (this.#wereAllListening) this.#log.info({ worker: slot.worker?.id, pid: slot.worker?.pid }, 'worker replaced')
    else if (this.#listening().length === this.#slots.length) {
      this.#wereAllListening = true
      this.#onAllListening(url)
    }
  }

  /** Every worker finds the same, also one that takes the place of another. */
  #sayIssuer(issuer: string, rules: string): void {
    if (this.#rulesOf.get(issuer) === rules) return
    this.#rulesOf.set(issuer, rules)
    logEvents(this.#log)({ name: 'issuer-ready', issuer, rules })
  }

  #isRefused(slot: Slot, refusal: WorkerFailure): void {
    slot.refusal = refusal
    if (this.#isEnding) return
    // What is wrong at the first start is wrong for the other workers, too, and remains so: it is said once.
    if (!this.#wereAllListening) this.#giveUp(new StartError(refusal.sentence, refusal.exitCode))
    else this.#log.error({ reason: refusal.sentence }, 'a worker cannot start')
  }

  /** At once, unless the last one began a moment ago: what cannot live must not eat the machine by being born. */
  #refill(slot: Slot, { code, signal }: Ending): void {
    slot.failedStarts += slot.hasListened ? 0 : 1
    // While others serve, this one may fail for as long as it likes.
    const noWorkerServes = !this.#wereAllListening || this.#listening().length === 0
    if (slot.failedStarts >= MOST_FAILED_STARTS && noWorkerServes) {
      const sentence = `Workers end before they listen, the last one with ${signal ?? `code ${code}`}.`
      this.#giveUp(new StartError(slot.refusal?.sentence ?? sentence, slot.refusal?.exitCode))
      return
    }
    const waitMs = slot.startedAtMs + NOT_MORE_OFTEN_THAN_MS - performance.now()
    slot.retry = setTimeout(() => this.#fill(slot), Math.max(0, waitMs))
  }
}

/** From 1, as operators count. */
function placeOf(index: number): Labels {
  return { worker: String(index + 1) }
}
