import { type Cell, freeInMs, RESERVATION_MS } from './cells.ts'
import { LocalShare } from './local-share.ts'
import type { Awaitable, BudgetSource, Reserved } from './quota-store.ts'

export type BudgetAnswer =
  /** `second` is where the units are given back to. */
  | { readonly isAdmitted: true; readonly second: number }
  /** Whole seconds, in milliseconds. */
  | { readonly isAdmitted: false; readonly retryAfterMs: number }

export interface BudgetOptions {
  readonly name: string
  /** Units in any minute. */
  readonly limit: number
  readonly source: BudgetSource
  readonly monotonic: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** A hundredth of a budget is reserved at a time, so that the store is not asked for every message. */
const RESERVED_PART = 100
const MAX_RESERVED = 1000
const JITTER = 0.1
const MAX_JITTER_MS = 5000
const MINUTE_MS = 60_000
/** As many rounds of the whole budget may be promised to callers who were refused. */
const MAX_ROUNDS = 10

/** Since when nothing is left, and when there is more. */
interface Full {
  readonly sinceMs: number
  readonly untilMs: number
  readonly frees: Reserved['frees']
}

/** A budget of a minute that instances share. Units are reserved in the store some at a time, and used from here. */
export class Budget {
  readonly limit: number
  readonly #options: BudgetOptions
  readonly #reservedAtOnce: number
  readonly #share = new LocalShare()
  #units = 0
  #second = 0
  #endsAtMs = Number.NEGATIVE_INFINITY
  /** What the store is told with the next question. */
  #returned: Cell[] = []
  #debt = 0
  #wanted = 0
  #asking: Promise<void> | undefined
  #full: Full | undefined
  /** To callers who were told to come back since the budget was full. */
  #promised = 0
  #promisedUntilMs = 0
  #used = 0
  #usedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: BudgetOptions) {
    this.#options = options
    this.limit = options.limit
    const part = Math.min(MAX_RESERVED, Math.floor(options.limit / RESERVED_PART))
    this.#reservedAtOnce = Math.max(1, part)
  }

  /** What all instances have used in the last minute, as far as this one knows. */
  get used(): number {
    const isKnown = this.#options.monotonic() - this.#usedAtMs < MINUTE_MS
    return isKnown ? Math.max(0, this.#used - this.#units) : 0
  }

  /** At once where units are reserved, or nothing has to be waited for. Never rejects. */
  take(units: number, nowMs = this.#options.monotonic()): Awaitable<BudgetAnswer> {
    return this.#takeNow(units, nowMs) ?? this.#ask(units)
  }

  /** In how many whole seconds, in milliseconds, there is a unit again; undefined where there may be one now. No store is asked. */
  spentForMs(): number | undefined {
    const nowMs = this.#options.monotonic()
    const hasUnits = this.#units > 0 && nowMs < this.#endsAtMs
    const restMs = this.#full && !hasUnits ? this.#full.untilMs - nowMs : 0
    return restMs > 0 ? Math.ceil(restMs / 1000) * 1000 : undefined
  }

  /** Counts units that are used whether they are there or not. */
  note(units: number): void {
    if (!this.#takeReserved(units, this.#options.monotonic())) this.#debt += units
  }

  /** Gives back units that nothing was done with. */
  giveBack(units: number, second: number): void {
    if (second === this.#second && this.#options.monotonic() < this.#endsAtMs) this.#units += units
    else this.#returned.push([second, units])
  }

  /** The same, of those that were taken last. */
  giveBackLatest(units: number): void {
    this.giveBack(units, this.#second)
  }

  /** Tells the store that this instance lives, and hears what is used. */
  beat(): void {
    const { name, source } = this.#options
    const answer = source.reserve({ name, limit: this.limit, wanted: 0, force: 0, returned: [] })
    const note = ({ used, instances }: Reserved): void => {
      const nowMs = this.#options.monotonic()
      this.#share.note(nowMs, used, instances)
      this.#used = used
      this.#usedAtMs = nowMs
    }
    if (answer instanceof Promise) answer.then(note, () => undefined)
    else note(answer)
  }

  #takeNow(units: number, nowMs: number): BudgetAnswer | undefined {
    if (this.#takeReserved(units, nowMs)) return { isAdmitted: true, second: this.#second }
    const full = this.#full
    return full && nowMs < full.untilMs ? this.#refuse(units, full) : undefined
  }

  #takeReserved(units: number, nowMs: number): boolean {
    if (this.#units < units || nowMs >= this.#endsAtMs) return false
    this.#units -= units
    return true
  }

  /** One question at a time: those who come while it is under way ask the next one together. */
  #ask(units: number): Awaitable<BudgetAnswer> {
    this.#wanted += units
    return this.#await(units)
  }

  #await(units: number): Awaitable<BudgetAnswer> {
    const asking = this.#asking ?? this.#reserve()
    const again = (): Awaitable<BudgetAnswer> => this.#takeNow(units, this.#options.monotonic()) ?? this.#await(units)
    return asking ? asking.then(again) : again()
  }

  /** Undefined where the store has answered at once. */
  #reserve(): Promise<void> | undefined {
    const { name, source, monotonic } = this.#options
    const wanted = Math.max(this.#wanted, this.#reservedAtOnce)
    if (this.#units > 0) this.#returned.push([this.#second, this.#units])
    const order = { name, limit: this.limit, wanted, force: this.#debt, returned: this.#returned }
    this.#wanted = 0
    this.#units = 0
    this.#debt = 0
    this.#returned = []
    const askedAtMs = monotonic()
    const answer = source.reserve(order)
    if (!(answer instanceof Promise)) {
      this.#note(answer, wanted, askedAtMs)
      return undefined
    }
    this.#asking = answer
      .then(
        reserved => this.#note(reserved, wanted, askedAtMs),
        () => this.#goOnAlone(wanted)
      )
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }

  #note({ granted, second, used, instances, frees }: Reserved, wanted: number, askedAtMs: number): void {
    const nowMs = this.#options.monotonic()
    this.#share.note(nowMs, used, instances)
    this.#used = used
    this.#usedAtMs = nowMs
    // Counted from the question, so that it is over here before its cell is; but who has asked may use it in any case.
    this.#hold(granted, wanted, Math.max(askedAtMs + RESERVATION_MS, nowMs + 1))
    this.#second = second
    if (this.#full) this.#full = fullUntil(nowMs, frees)
    else if (nowMs > this.#promisedUntilMs) this.#promised = 0
  }

  /** The store is away: what this instance may use without it, until it is back. */
  #goOnAlone(wanted: number): void {
    const nowMs = this.#options.monotonic()
    this.#hold(this.#share.take(nowMs, wanted, this.limit), wanted, nowMs + RESERVATION_MS)
  }

  #hold(granted: number, wanted: number, endsAtMs: number): void {
    this.#units = granted
    this.#endsAtMs = endsAtMs
    this.#full = granted < wanted ? fullUntil(this.#options.monotonic(), []) : undefined
  }

  /** Each caller is told the time of another unit, as far as this instance knows. */
  #refuse(units: number, { sinceMs, frees }: Full): BudgetAnswer {
    const nowMs = this.#options.monotonic()
    if (nowMs > this.#promisedUntilMs) this.#promised = 0
    this.#promised = Math.min(this.#promised + units, MAX_ROUNDS * this.limit)
    const freeMs = frees.length === 0 ? RESERVATION_MS : freeInMs(frees, this.#promised, this.limit)
    const waitMs = Math.max(0, freeMs - (nowMs - sinceMs))
    const jitterMs = this.#options.random() * Math.min(MAX_JITTER_MS, waitMs * JITTER)
    this.#promisedUntilMs = Math.max(this.#promisedUntilMs, nowMs + waitMs)
    return { isAdmitted: false, retryAfterMs: Math.max(1, Math.ceil((waitMs + jitterMs) / 1000)) * 1000 }
  }
}

function fullUntil(sinceMs: number, frees: Reserved['frees']): Full {
  return { sinceMs, untilMs: sinceMs + Math.max(1, frees[0]?.inMs ?? RESERVATION_MS), frees }
}
