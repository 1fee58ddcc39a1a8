import { randomUUID } from 'node:crypto'
import type { StoreTime } from '../record.ts'
import { TrustedClock } from './trusted-clock.ts'

/** What a greeted server answers. Dates are its own. */
export interface Greeting {
  readonly nowMs: number
  /** When records may last have got lost; -1 for never. */
  readonly lostAtMs: number
  /** For how long that matters. */
  readonly mattersForMs: number
  readonly epoch: string
  /** Of those that count their greetings, the number of this one. */
  readonly beat?: number
  /** Why records may have got lost, in a word of the store. */
  readonly why?: string | undefined
  /** True where everything that the run of before had is here. */
  readonly isWhole?: boolean
}

/** What a server is told with a greeting. */
export interface Introduction {
  /** The run that this process saw last: `?` for an unknown one, empty for none. */
  readonly metRun: string
  /** For how long a loss matters. */
  readonly mattersForMs: number
  /** The epoch that this process saw last, or nothing. */
  readonly metEpoch: string
  /** The greeting that this process saw last, of those that are counted. */
  readonly metBeat: number
  /** For where one has to begin. */
  readonly newEpoch: string
  /** By how much this process saw the clock jump ahead. */
  readonly jumpMs: number
}

/** When records may have got lost, on the monotonic clock: that of the server may jump. */
interface Loss {
  readonly lostAtMs: number
  readonly atMs: number
  readonly endsAtMs: number
  readonly why?: string | undefined
}

/** What this process knows of the server that holds the records: whose clock it is, and when records may have got lost. */
export class ServerRun {
  readonly #monotonic: () => number
  readonly #lossMattersMs: number
  /** Undefined before the first greeting; empty where the server does not say. */
  #runId: string | undefined
  #epoch = ''
  #beat = 0
  #clock: TrustedClock | undefined
  #loss: Loss | undefined
  /** What the server has not been told of. */
  #jumpedAheadMs = 0
  #toldJumpMs = 0

  constructor(monotonic: () => number, lossMattersMs: number) {
    this.#monotonic = monotonic
    this.#lossMattersMs = lossMattersMs
  }

  /** False before the first greeting: nothing is known of it. */
  get isMet(): boolean {
    return this.#runId !== undefined
  }

  /** Changes with every loss that an instance has noticed; what rests on another epoch may be forgotten. */
  get epoch(): string {
    return this.#epoch
  }

  /** True after a jump of which the server does not know yet. */
  get hasNews(): boolean {
    return this.#jumpedAheadMs > 0
  }

  /** What the server is told of the run and epoch that this process saw last. */
  introduction(): Introduction {
    const metRun = this.#runId === undefined ? '' : this.#runId || '?'
    this.#toldJumpMs = this.#jumpedAheadMs
    const jumpMs = Math.ceil(this.#toldJumpMs)
    const met = { metRun, metEpoch: this.#epoch, metBeat: this.#beat }
    return { ...met, mattersForMs: this.#lossMattersMs, newEpoch: randomUUID(), jumpMs }
  }

  /** Takes note of an answered greeting. */
  greeted(runId: string, greeting: Greeting, askedAtMs: number): void {
    const { nowMs, lostAtMs, mattersForMs, epoch, beat = 0, why, isWhole = false } = greeting
    this.#jumpedAheadMs -= this.#toldJumpMs
    this.#toldJumpMs = 0
    if (!this.#clock) this.#clock = new TrustedClock(this.#monotonic, nowMs)
    else if (this.#runId !== runId && !isWhole) this.#clock.restart(nowMs, askedAtMs)
    else this.observe(nowMs, askedAtMs)
    this.#runId = runId
    this.#epoch = epoch
    this.#beat = beat
    if (this.hasNews) return
    if (lostAtMs === -1) this.#loss = undefined
    else if (this.#loss?.lostAtMs !== lostAtMs) {
      const atMs = this.#monotonic() - Math.max(0, nowMs - lostAtMs)
      this.#loss = { lostAtMs, atMs, endsAtMs: atMs + mattersForMs, why }
    }
  }

  /** Compares the server's time with what it should be. A clock that jumps ahead forgets records before their time. */
  observe(nowMs: number, askedAtMs: number): void {
    const jumpMs = this.#clock?.observe(nowMs, askedAtMs) ?? 0
    if (jumpMs <= 0) return
    this.#jumpedAheadMs += jumpMs
    const atMs = this.#monotonic()
    const endsAtMs = Math.max(atMs + Math.min(jumpMs, this.#lossMattersMs), this.#loss?.endsAtMs ?? 0)
    this.#loss = { lostAtMs: nowMs, atMs, endsAtMs, why: this.#loss?.why }
  }

  /** What the clock of the server shows now, or somewhat less; nothing is certain before the first greeting. */
  time(): StoreTime {
    const clock = this.#clock
    return clock ? { nowMs: clock.nowMs(), steadyForMs: clock.steadyForMs() } : { nowMs: 0, steadyForMs: 0 }
  }

  /** How much of the time since a lease ended on the server's clock is certain (trusted-clock.ts). */
  trustedElapsedMs(sinceLeaseMs: number, leaseMs: number): number {
    return this.#clock?.trustedElapsedMs(sinceLeaseMs, leaseMs) ?? -leaseMs
  }

  msSinceDataLoss(): number | undefined {
    if (!this.#loss) return undefined
    const nowMs = this.#monotonic()
    return nowMs < this.#loss.endsAtMs ? nowMs - this.#loss.atMs : undefined
  }

  /** Why records may have got lost, in a word of the store; undefined where they cannot have, or nobody knows. */
  whyLost(): string | undefined {
    return this.msSinceDataLoss() === undefined ? undefined : this.#loss?.why
  }
}
