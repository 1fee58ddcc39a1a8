import type { Clock } from '../lib/clock.ts'
import type { ExchangeResult } from './transport/exchange-types.ts'

/** CometChat's time, as the `Date` header (RFC 9110 §6.6.1) of its last answer told it. */
export class CometChatTime {
  readonly #clock: Pick<Clock, 'monotonic'>
  #header: string | undefined
  /** How far its clock is ahead of the monotonic one of this process. */
  #aheadMs: number | undefined

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Milliseconds since the Unix epoch; undefined before the first answer with a date. */
  nowMs(): number | undefined {
    return this.#aheadMs === undefined ? undefined : Math.floor(this.#clock.monotonic() + this.#aheadMs)
  }

  note(outcome: ExchangeResult): void {
    const header = outcome.kind === 'answer' ? outcome.headers['date'] : undefined
    // Within a second all answers have the same.
    if (typeof header !== 'string' || header === this.#header) return
    const dateMs = Date.parse(header)
    if (!Number.isFinite(dateMs)) return
    this.#header = header
    this.#aheadMs = dateMs - this.#clock.monotonic()
  }
}
