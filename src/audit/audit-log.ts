import { randomBytes } from 'node:crypto'
import { type Clock, createTimestamp } from '../lib/clock.ts'
import { createDeferred } from '../lib/node20/deferred.ts'
import type { Emit } from '../observability/events.ts'
import type { CallerFields } from '../observability/log-fields.ts'
import type { AppendFile } from './append-file.ts'
import type { Seal } from './chain.ts'
import { ChainedFile, type Entry } from './chained-file.ts'
import { type AuditFields, checkpoint, closing, ofIntent, ofRequest } from './lines.ts'

export interface AuditLogOptions {
  readonly file: AppendFile
  readonly seal: Seal
  readonly clock: Clock
  readonly emit: Emit
  /** The last look at what a line holds, before it is sealed. */
  readonly cut?: (text: string) => string
}

interface Waiting extends Entry {
  /** Told once what became of an intent: undefined when it is on the disk, else a code. */
  readonly settle?: (code: string | undefined) => void
  /** The log is told how far the chain has come when this line is in the file. */
  readonly isCheckpoint?: boolean
}

/** So much is lost when the process is killed; a write costs as much as several lines. */
const GATHER_MS = 5
const TICK_MS = 1000
const TICKS_TO_CHECKPOINT = 10
const LINES_TO_CHECKPOINT = 1000
/** Some 6 MiB. */
const MOST_WAITING = 10_000
const ALARM_AGAIN_MS = 60_000
const STALLED_MS = 2000
const INTENT_WITHIN_MS = 2000
const CLOSE_WITHIN_MS = 2000

/**
 * Writes the audit lines of this process beside its replies. Nothing waits for it but the intents of AUDIT=strict: not a
 * reply, not a probe, not a signal.
 */
export class AuditLog {
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #file: ChainedFile
  readonly #cut: (text: string) => string
  readonly #time: () => string
  readonly #ticks: NodeJS.Timeout
  #queue: Waiting[] = []
  #gathering: NodeJS.Timeout | undefined
  #busy: Promise<void> | undefined
  #busySinceMs = 0
  #failedAtMs = Number.NEGATIVE_INFINITY
  #alarmedAtMs = Number.NEGATIVE_INFINITY
  #isCheckpointDue = false
  #checkpointAt = 0
  #tick = 0

  constructor({ file, seal, clock, emit, cut = text => text }: AuditLogOptions) {
    this.#cut = cut
    this.#clock = clock
    this.#emit = emit
    this.#time = createTimestamp(clock.now)
    this.#file = new ChainedFile(file, { id: randomBytes(12).toString('base64url'), seal, time: this.#time })
    this.#ticks = setInterval(() => this.#onTick(), TICK_MS).unref()
  }

  /** The first line; resolves when it is written, or cannot be for now. */
  async begin(members: string): Promise<void> {
    this.#queue.push({ time: this.#time(), members, isCheckpoint: true })
    await this.#run()
  }

  /** Why lines cannot be written at the moment; undefined where they can. */
  trouble(): string | undefined {
    return this.#file.gap?.reason
  }

  /** A request that is answered: its fields do not change any more. */
  note(fields: AuditFields, subject: string | undefined): void {
    if (this.#queue.length >= MOST_WAITING) return void this.#fail('queue-full', 1)
    this.#queue.push({ time: this.#time(), members: this.#cut(ofRequest(fields, subject)) })
    this.#gather()
  }

  /** Resolves when the intent is on the disk. Rejects where it cannot get there. */
  async intend(fields: CallerFields, subject: string | undefined): Promise<void> {
    const hasJustFailed = this.#file.gap !== undefined && this.#clock.monotonic() - this.#failedAtMs < TICK_MS
    if (hasJustFailed || this.#queue.length >= MOST_WAITING) throw new Error('the audit file cannot be written')
    const { promise, resolve, reject } = createDeferred<void>()
    const timer = setTimeout(() => reject(new Error('the audit file takes too long')), INTENT_WITHIN_MS)
    const settle = (code: string | undefined): void => {
      clearTimeout(timer)
      if (code === undefined) resolve()
      else reject(new Error(code))
    }
    this.#queue.push({ time: this.#time(), members: this.#cut(ofIntent(fields, subject)), settle })
    // With the others of this turn.
    setImmediate(() => void this.#run())
    return promise
  }

  /** Writes what is left and the last line, as far as that is possible. */
  async close(): Promise<void> {
    clearInterval(this.#ticks)
    this.#queue.push({ time: this.#time(), members: closing(), isCheckpoint: true })
    await Promise.race([this.#drain(), this.#clock.sleep(CLOSE_WITHIN_MS)])
    clearTimeout(this.#gathering)
    // Under a write that hangs the file stays open: its end is that of the process.
    if (!this.#busy) await this.#file.close()
  }

  async #drain(): Promise<void> {
    await this.#busy
    do await this.#run()
    while (this.#queue.length > 0 && !this.#file.gap)
  }

  #onTick(): void {
    this.#tick++
    if (this.#tick % TICKS_TO_CHECKPOINT === 0) this.#isCheckpointDue = this.#file.state.count > this.#checkpointAt
    if (this.#busy && this.#clock.monotonic() - this.#busySinceMs > STALLED_MS) this.#fail('timeout')
    void this.#run(true)
  }

  #gather(): void {
    // After a failure the next try comes with a tick.
    if (this.#busy || this.#file.gap) return
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      void this.#run()
    }, GATHER_MS)
  }

  /** One write at a time; the next one takes what has gathered meanwhile. */
  #run(isTick = false): Promise<void> {
    if (this.#busy) return this.#busy
    this.#busySinceMs = this.#clock.monotonic()
    this.#busy = this.#turn(isTick).finally(() => {
      this.#busy = undefined
      if (this.#queue.length === 0) return
      if (this.#queue.some(({ settle }) => settle)) setImmediate(() => void this.#run())
      else this.#gather()
    })
    return this.#busy
  }

  async #turn(isTick: boolean): Promise<void> {
    const code = isTick ? await this.#file.follow() : undefined
    if (code !== undefined) this.#fail(code)
    if (this.#isCheckpointDue || this.#file.state.count - this.#checkpointAt >= LINES_TO_CHECKPOINT) {
      this.#queue.push({ time: this.#time(), members: checkpoint(), isCheckpoint: true })
      this.#isCheckpointDue = false
      this.#checkpointAt = this.#file.state.count
    }
    await this.#write()
  }

  async #write(): Promise<void> {
    const gap = this.#file.gap
    const { taken, code } = await this.#file.append(this.#queue)
    const written = this.#queue.slice(0, taken)
    this.#queue = this.#queue.slice(taken)
    if (gap && !this.#file.gap) this.#emit({ name: 'audit-writable', lost: gap.lost })
    if (code !== undefined) this.#fail(code)
    await this.#settle(written)
    if (code !== undefined) this.#refuseIntents(code)
    if (!written.some(({ isCheckpoint }) => isCheckpoint)) return
    const { count, head } = this.#file.state
    this.#checkpointAt = count
    this.#emit({ name: 'audit-checkpoint', chain: this.#file.id, count, head })
  }

  async #settle(written: readonly Waiting[]): Promise<void> {
    const intents = written.filter(({ settle }) => settle)
    if (intents.length === 0) return
    const code = await this.#file.sync()
    if (code !== undefined) this.#fail(code)
    for (const { settle } of intents) settle?.(code)
  }

  /** What is refused now stays in the queue: its line comes before that of its refusal. */
  #refuseIntents(code: string): void {
    for (const { settle } of this.#queue) settle?.(code)
    this.#queue = this.#queue.map(({ settle: _, ...entry }) => entry)
  }

  #fail(code: string, lost = 0): void {
    const nowMs = this.#clock.monotonic()
    this.#file.noteGap(code, lost)
    this.#failedAtMs = nowMs
    if (nowMs - this.#alarmedAtMs < ALARM_AGAIN_MS) return
    this.#alarmedAtMs = nowMs
    const waiting = this.#queue.length
    this.#emit({
      name: 'alarm',
      alarm: 'audit-unwritable',
      reason: code,
      waiting,
      lost: this.#file.gap?.lost ?? 0
    })
  }
}
