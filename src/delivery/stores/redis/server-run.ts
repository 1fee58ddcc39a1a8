import { WatchedTime } from '../trusted-clock.ts'

/** What this process knows of the server that holds the records: whose clock it is, and when records may have got lost. */
export class KnownServer {
  readonly #monotonic: () => number
  readonly #lossMattersMs: number
  /** Undefined before the first greeting; empty where the server does not say. */
  #runId: string | undefined
  #time: WatchedTime | undefined
  #loss: { readonly since: number; readonly atMs: number } | undefined

  constructor(monotonic: () => number, lossMattersMs: number) {
    this.#monotonic = monotonic
    this.#lossMattersMs = lossMattersMs
  }

  /** The run met before: nothing for none, `?` for one that would not say. */
  get met(): string {
    return this.#runId === undefined ? '' : this.#runId || '?'
  }

  /** Takes note of an answered greeting; `since` is the server's date of the last possible loss, -1 for none. */
  greeted(runId: string, nowMs: number, since: number): void {
    if (!this.#time) this.#time = new WatchedTime(this.#monotonic, nowMs)
    else if (this.#runId !== runId) this.#time.restart(nowMs)
    else this.#time.observe(nowMs)
    this.#runId = runId
    if (since === -1) this.#loss = undefined
    // Counted on by the monotonic clock from here: that of the server may jump.
    else if (this.#loss?.since !== since) this.#loss = { since, atMs: this.#monotonic() - Math.max(0, nowMs - since) }
  }

  /** How much of the time since a lease ended on the server's clock is certain (watched-time.ts). */
  believedMs(nowMs: number, sinceLeaseMs: number, leaseMs: number): number {
    this.#time?.observe(nowMs)
    return this.#time?.believedMs(sinceLeaseMs, leaseMs) ?? -leaseMs
  }

  forgetfulForMs(): number | undefined {
    if (!this.#loss) return undefined
    const ms = this.#monotonic() - this.#loss.atMs
    return ms < this.#lossMattersMs ? ms : undefined
  }
}
