// The quota of one user as a sliding log: the times of the messages that count, and the times at which callers who were
// refused have been told to come back. A bucket of 30 lets 59 through in some minute, and a window that begins anew 60.

/** CometChat counts by the minute; one of both ends included. */
export const WINDOW_MS = 60_001
/** The most by which a message is expected to be counted later by CometChat than it was charged. */
export const MAX_LATENESS_MS = 2000
/** A clock that is read on both sides of a network, and a timer that fires early. */
const EARLY_MS = 50
/** By how much later than told a caller may come without delaying those who wait behind it. */
const LATE_MS = 1500
/** How long a place in the line is kept for a caller who does not come. */
const KEPT_MS = 5000
/** The most that is added to a wait, so that callers do not come back in one moment. */
const MAX_JITTER_MS = 1000
const JITTER = 0.1
/**
 * A user with so many times the limit in the line does not obey what it is told: places are given out no more, and
 * whoever comes first is served first.
 */
const MAX_LINE = 4
/** Further ahead no promise can be: the clock has jumped back since. */
const MAX_AHEAD_MS = (MAX_LINE + 2) * WINDOW_MS

/** For the same arithmetic in another language. */
export const LOG_TIMES = {
  WINDOW_MS,
  EARLY_MS,
  LATE_MS,
  KEPT_MS,
  MAX_LATENESS_MS,
  MAX_JITTER_MS,
  JITTER,
  MAX_LINE,
  MAX_AHEAD_MS
} as const

/** Both in ascending order, in milliseconds of one clock. */
export interface SlidingLog {
  readonly charged: number[]
  readonly promised: number[]
}

export type LogAnswer =
  | { readonly isAdmitted: true; readonly atMs: number; readonly remaining: number; readonly nextInMs: number }
  /** Whole seconds, in milliseconds. */
  | { readonly isAdmitted: false; readonly retryAfterMs: number; readonly remaining: number; readonly nextInMs: number }

export interface LogCharge {
  readonly units: number
  /** Units in any 60 s; at least `units`. */
  readonly limit: number
  /** Uniform in [0, 1), for the jitter. */
  readonly random: number
  /**
   * How much later CometChat may count the message: it is dated so, because no minute of CometChat's own may hold more
   * than the limit. One that takes longer is dated again (`moveCharge`).
   */
  readonly latenessMs: number
}

export function emptyLog(): SlidingLog {
  return { charged: [], promised: [] }
}

/** Charges units, or says when to come back: whoever does finds the units free, in the order of the refusals. */
export function charge(log: SlidingLog, nowMs: number, { units, limit, random, latenessMs }: LogCharge): LogAnswer {
  settle(log, nowMs)
  const { charged, promised } = log
  const free = limit - charged.length
  const due = countUpTo(promised, nowMs)
  const isFlooded = promised.length >= MAX_LINE * limit
  const isAdmitted = free >= units && (isFlooded || due >= units || free - promised.length >= units)
  if (isAdmitted) {
    promised.splice(0, Math.min(due, units))
    const atMs = nowMs + latenessMs
    for (let unit = 0; unit < units; unit++) insert(charged, atMs)
    return { isAdmitted, atMs, ...standing(log, nowMs, limit) }
  }
  const waitMs = freeAtMs(log, units, limit) - nowMs
  const jitterMs = random * Math.min(MAX_JITTER_MS, Math.max(0, waitMs) * JITTER)
  const retryAfterMs = Math.max(1, Math.ceil((waitMs + jitterMs + EARLY_MS) / 1000)) * 1000
  if (!isFlooded) for (let unit = 0; unit < units; unit++) insert(promised, nowMs + retryAfterMs - EARLY_MS)
  return { isAdmitted, retryAfterMs, ...standing(log, nowMs, limit) }
}

/** What is left to a caller who comes now, and when there is more of it; 0 where nothing is charged. */
export function standing(log: SlidingLog, nowMs: number, limit: number): { remaining: number; nextInMs: number } {
  const { charged, promised } = log
  const [first] = charged
  return {
    remaining: Math.max(0, limit - charged.length - promised.length),
    nextInMs: first === undefined ? 0 : first + WINDOW_MS - nowMs
  }
}

/** Forgets what no longer counts, and brings back what a clock that jumped has left in the future. */
export function settle({ charged, promised }: SlidingLog, nowMs: number): void {
  const latestMs = nowMs + MAX_LATENESS_MS
  for (let last = charged.length - 1; last >= 0 && (charged[last] ?? 0) > latestMs; last--) charged[last] = latestMs
  charged.splice(0, countUpTo(charged, nowMs - WINDOW_MS))
  if ((promised.at(-1) ?? 0) > nowMs + MAX_AHEAD_MS) promised.length = 0
  promised.splice(0, countUpTo(promised, nowMs - KEPT_MS))
}

/** Gives back what has this date: the message was not sent. */
export function giveBack({ charged }: SlidingLog, atMs: number, units: number): boolean {
  const index = charged.indexOf(atMs)
  if (index < 0) return false
  let found = 0
  while (found < units && charged[index + found] === atMs) found++
  charged.splice(index, found)
  return found === units
}

/** The message took longer than expected: CometChat may have counted it as late as now. */
export function moveCharge(log: SlidingLog, fromMs: number, nowMs: number, units: number): void {
  if (nowMs <= fromMs || !giveBack(log, fromMs, units)) return
  for (let unit = 0; unit < units; unit++) insert(log.charged, nowMs)
}

/** Until when a log has to be kept. */
export function keptUntilMs({ charged, promised }: SlidingLog, nowMs: number): number {
  return Math.max(nowMs, (charged.at(-1) ?? 0) + WINDOW_MS, (promised.at(-1) ?? 0) + KEPT_MS)
}

/** True when nothing is left that could matter to anybody. */
export function isOver(log: SlidingLog, nowMs: number): boolean {
  settle(log, nowMs)
  return log.charged.length === 0 && log.promised.length === 0
}

/** When so many units can be had behind everybody who waits: each of them is taken to come as late as it may. */
function freeAtMs({ charged, promised }: SlidingLog, units: number, limit: number): number {
  // Of the times before the new one, the limit-th from the end must be a window away.
  const place = charged.length + promised.length - limit + units - 1
  const inLine = place - charged.length
  const beforeMs = inLine < 0 ? charged[place] : (promised[inLine] ?? 0) + LATE_MS
  return (beforeMs ?? 0) + WINDOW_MS
}

function countUpTo(times: readonly number[], untilMs: number): number {
  let count = 0
  while (count < times.length && (times[count] ?? 0) <= untilMs) count++
  return count
}

function insert(times: number[], atMs: number): void {
  let index = times.length
  while (index > 0 && (times[index - 1] ?? 0) > atMs) index--
  times.splice(index, 0, atMs)
}
