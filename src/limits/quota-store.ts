import type { Cell, Reservation } from './cells.ts'
import type { LogAnswer, LogCharge } from './sliding-log.ts'

/** At once where no other process or disk is waited for; a failure is always a rejected promise. */
export type Awaitable<T> = T | Promise<T>

export interface ReserveOrder {
  readonly name: string
  readonly limit: number
  readonly wanted: number
  /** Units that were used already. */
  readonly force: number
  /** Units of earlier reservations that were not used, by their second. */
  readonly returned: readonly Cell[]
}

export interface Reserved extends Reservation {
  /** How many instances share the store, this one included. */
  readonly instances: number
}

/** Where the units of a budget come from. */
export interface BudgetSource {
  /** Whether other processes take from it, too. */
  readonly isShared: boolean
  reserve(order: ReserveOrder): Awaitable<Reserved>
}

/** Where quotas are kept, for every instance that shares it; each method is one atomic transition. */
export interface QuotaStore extends BudgetSource {
  /** Charges a user's log. */
  charge(user: string, charge: LogCharge): Awaitable<LogAnswer>
  /** What was charged at `atMs` was not sent. */
  giveBack(user: string, atMs: number, units: number): Awaitable<void>
  /** What was charged at `atMs` may have been counted by CometChat as late as now. */
  moveCharge(user: string, atMs: number, units: number): Awaitable<void>
  close(): void | Promise<void>
}
