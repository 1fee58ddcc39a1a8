import { type Cell, reserve, returnUnits } from '../cells.ts'
import type { QuotaStore, Reserved, ReserveOrder } from '../quota-store.ts'
import {
  charge,
  emptyLog,
  giveBack,
  isOver,
  type LogAnswer,
  type LogCharge,
  moveCharge,
  type SlidingLog,
  WINDOW_MS
} from '../sliding-log.ts'

/** Quotas of one process, on a clock that never jumps. */
export class MemoryQuotas implements QuotaStore {
  readonly isShared = false
  readonly #monotonic: () => number
  /** Users who were charged in this window, and in the one before: who is in neither has nothing that counts. */
  #recent = new Map<string, SlidingLog>()
  #former = new Map<string, SlidingLog>()
  /** Those with a line of callers, which may be longer than a window. */
  readonly #lines = new Map<string, SlidingLog>()
  readonly #budgets = new Map<string, Cell[]>()
  #turnsAtMs: number

  constructor(monotonic: () => number) {
    this.#monotonic = () => Math.floor(monotonic())
    this.#turnsAtMs = this.#monotonic() + WINDOW_MS
  }

  /** Users that are remembered. */
  get size(): number {
    return this.#recent.size + this.#former.size
  }

  charge(user: string, order: LogCharge): LogAnswer {
    const nowMs = this.#turn()
    const recent = this.#recent.get(user)
    const log = recent ?? this.#find(user) ?? emptyLog()
    const answer = charge(log, nowMs, order)
    if (!answer.isAdmitted) this.#lines.set(user, log)
    else if (!recent) this.#recent.set(user, log)
    return answer
  }

  giveBack(user: string, atMs: number, units: number): void {
    const log = this.#find(user)
    if (log) giveBack(log, atMs, units)
  }

  moveCharge(user: string, atMs: number, units: number): void {
    const nowMs = this.#turn()
    const log = this.#find(user)
    if (!log) return
    moveCharge(log, atMs, nowMs, units)
    this.#recent.set(user, log)
  }

  reserve({ name, returned, wanted, limit, force }: ReserveOrder): Reserved {
    let cells = this.#budgets.get(name)
    if (!cells) {
      cells = []
      this.#budgets.set(name, cells)
    }
    if (returned.length > 0) returnUnits(cells, returned)
    return { ...reserve(cells, this.#monotonic(), { wanted, limit, force }), instances: 1 }
  }

  close(): void {
    this.#recent.clear()
    this.#former.clear()
    this.#lines.clear()
    this.#budgets.clear()
  }

  #find(user: string): SlidingLog | undefined {
    return (
      this.#recent.get(user) ?? this.#former.get(user) ?? (this.#lines.size > 0 ? this.#lines.get(user) : undefined)
    )
  }

  /** Forgets a whole generation at a time: no call pays for a million users. */
  #turn(): number {
    const nowMs = this.#monotonic()
    if (nowMs < this.#turnsAtMs) return nowMs
    this.#former = nowMs < this.#turnsAtMs + WINDOW_MS ? this.#recent : new Map()
    this.#recent = new Map()
    this.#turnsAtMs = nowMs + WINDOW_MS
    for (const [user, log] of this.#lines) if (isOver(log, nowMs)) this.#lines.delete(user)
    for (const [name, cells] of this.#budgets) if (reserve(cells, nowMs, NOTHING).used === 0) this.#budgets.delete(name)
    return nowMs
  }
}

const NOTHING = { wanted: 0, limit: 0 }
