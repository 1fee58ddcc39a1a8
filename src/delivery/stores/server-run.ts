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
}

/** What a server is told with a greeting. */
export interface Introduction {
  /** The run that this process saw last: `?` for an unknown one, empty for none. */
  readonly metRun: string
  /** For how long a loss matters. */
  readonly mattersForMs: number
  /** The epoch that this process saw last, or nothing. */
  readonly metEpoch: string
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
}

/** What this process knows of the server that holds the records: whose clock it is, and when records may have got lost. */
export class ServerRun {
  readonly #monotonic: () => number
  readonly #lossMattersMs: number
  /** Undefined before the first greeting; empty where the server does not say. */
  #runId: string | undefined
  #epoch = ''
  #clock: TrustedClock | undefined
  #loss: Loss | undefined
  /** What the server has not been told of. */
  #jumpedAheadMs = 0
  #toldJumpMs = 0

  constructor(monotonic: () => number, lossMattersMs: number) {
    this.#monotonic = monotonic
    this.#lossMattersMs = lossMattersMs
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
    return { metRun, mattersForMs: this.#lossMattersMs, metEpoch: this.#epoch, newEpoch: randomUUID(), jumpMs }
  }

  /** Takes note of an answered greeting. */
  greeted(runId: string, { nowMs, lostAtMs, mattersForMs, epoch }: Greeting, askedAtMs: number): void {
    this.#jumpedAheadMs -= this.#toldJumpMs
    this.#toldJumpMs = 0
    if (!this.#clock) this.#clock = new TrustedClock(this.#monotonic, nowMs)
    else if (this.#runId !== runId) this.#clock.restart(nowMs, askedAtMs)
    else this.observe(nowMs, askedAtMs)
    this.#runId = runId
    this.#epoch = epoch
    if (this.hasNews) return
    if (lostAtMs === -1) this.#loss = undefined
    else if (this.#loss?.lostAtMs !== lostAtMs) {
      const atMs = this.#monotonic() - Math.max(0, nowMs - lostAtMs)
      this.#loss = { lostAtMs, atMs, endsAtMs: atMs + mattersForMs }
    }
  }

  /** Compares the server's time with what it should be. A clock that jumps ahead forgets records before their time. */
  observe(nowMs: number, askedAtMs: number): void {
    const jumpMs = this.#clock?.observe(nowMs, askedAtMs) ?? 0
    if (jumpMs <= 0) return
    this.#jumpedAheadMs += jumpMs
    const atMs = this.#monotonic()
    const endsAtMs = Math.max(atMs + Math.min(jumpMs, this.#lossMattersMs), this.#loss?.endsAtMs ?? 0)
    this.#loss = { lostAtMs: nowMs, atMs, endsAtMs }
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
}
