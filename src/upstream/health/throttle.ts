const CELL_MS = 2000
const CELLS = 5
/** Twice as many are sent as CometChat takes, so that its recovery is noticed. */
const MULTIPLIER = 2
/** So many failures within ten seconds refuse nobody. */
const PADDING = 20
/** Some always go through, or the recovery would never be seen. */
const MAX_SHARE = 0.9

/**
 * Adaptive throttling on the client's side: with `max(0, (requests − K · accepts) / (requests + 1))` the share that is
 * refused here follows what CometChat fails to take (Beyer et al., Site Reliability Engineering, 2016, chapter 21,
 * "Client-Side Throttling"; K = 2). The window is ten seconds in place of two minutes, because a queue of people waits.
 */
export class Throttle {
  readonly #requests = new Float64Array(CELLS)
  readonly #accepts = new Float64Array(CELLS)
  #cell = 0
  #cellEndsAtMs = 0
  #share = 0

  /** One exchange that was sent, or refused by this throttle. */
  note(isAccepted: boolean, nowMs: number): void {
    this.#turn(nowMs)
    this.#requests[this.#cell] = (this.#requests[this.#cell] ?? 0) + 1
    if (isAccepted) this.#accepts[this.#cell] = (this.#accepts[this.#cell] ?? 0) + 1
    // While all goes well there is nothing to compute.
    if (!isAccepted || this.#share > 0) this.#compute()
  }

  /** How much is refused, from 0 to 0.9. */
  share(nowMs: number): number {
    if (this.#share > 0) this.#turn(nowMs)
    return this.#share
  }

  /** After a silence that has ended: what failed in it says nothing of now. */
  forget(): void {
    this.#requests.fill(0)
    this.#accepts.fill(0)
    this.#share = 0
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#cellEndsAtMs) return
    const passed = Math.min(CELLS, 1 + Math.floor((nowMs - this.#cellEndsAtMs) / CELL_MS))
    for (let turned = 0; turned < passed; turned++) {
      this.#cell = (this.#cell + 1) % CELLS
      this.#requests[this.#cell] = 0
      this.#accepts[this.#cell] = 0
    }
    this.#cellEndsAtMs = passed < CELLS ? this.#cellEndsAtMs + passed * CELL_MS : nowMs + CELL_MS
    if (this.#share > 0) this.#compute()
  }

  #compute(): void {
    const requests = sum(this.#requests)
    const excess = requests - MULTIPLIER * sum(this.#accepts) - PADDING
    this.#share = Math.min(MAX_SHARE, Math.max(0, excess / (requests + 1)))
  }
}

function sum(cells: Float64Array): number {
  let total = 0
  for (const count of cells) total += count
  return total
}
