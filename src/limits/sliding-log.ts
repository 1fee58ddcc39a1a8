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
/** A place whose caller is so late may be taken by another one. */
const OVERDUE_MS = 1000
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
  OVERDUE_MS,
  MAX_LATENESS_MS,
  MAX_JITTER_MS,
  JITTER,
  MAX_LINE,
  MAX_AHEAD_MS
} as const

/** In milliseconds of one clock, in ascending order. */
export interface SlidingLog {
  readonly charged: number[]
  readonly promised: number[]
  /** Of the message that was refused, for each promise: it is known by it when it comes back. */
  readonly tags: number[]
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
  /** Tells one message from others, so that a new one does not take the place of one that was told to come back. */
  readonly tag: number
  /**
   * How much later CometChat may count the message: it is dated so, because no minute of CometChat's own may hold more
   * than the limit. One that takes longer is dated again (`moveCharge`).
   */
  readonly latenessMs: number
}

export function emptyLog(): SlidingLog {
  return { charged: [], promised: [], tags: [] }
}

/** Charges units, or says when to come back: whoever does finds the units free, in the order of the refusals. */
export function charge(log: SlidingLog, nowMs: number, order: LogCharge): LogAnswer {
  const { units, limit, latenessMs } = order
  settle(log, nowMs)
  const { charged, promised } = log
  const free = limit - charged.length
  if (free < units) return promise(log, nowMs, order)
  if (promised.length > 0) {
    const isFlooded = promised.length >= MAX_LINE * limit
    const isKept = takePlaces(log, nowMs, order)
    if (!isKept && !isFlooded && free - promised.length < units) return promise(log, nowMs, order)
  }
  const atMs = nowMs + latenessMs
  for (let unit = 0; unit < units; unit++) insert(charged, atMs)
  const { remaining, nextInMs } = standing(log, nowMs, limit)
  return { isAdmitted: true, atMs, remaining, nextInMs }
}

/** Refuses, and keeps a place in the line, unless that is flooded. */
function promise(log: SlidingLog, nowMs: number, { units, limit, random, tag }: LogCharge): LogAnswer {
  const waitMs = freeAtMs(log, units, limit) - nowMs
  const jitterMs = random * Math.min(MAX_JITTER_MS, Math.max(0, waitMs) * JITTER)
  const retryAfterMs = Math.max(1, Math.ceil((waitMs + jitterMs + EARLY_MS) / 1000)) * 1000
  if (log.promised.length < MAX_LINE * limit) {
    for (let unit = 0; unit < units; unit++)
      log.tags.splice(insert(log.promised, nowMs + retryAfterMs - EARLY_MS), 0, tag)
  }
  const { remaining, nextInMs } = standing(log, nowMs, limit)
  return { isAdmitted: false, retryAfterMs, remaining, nextInMs }
}

/** Takes the places that are kept for this message and due, or those whose callers did not come; false with too few. */
function takePlaces({ promised, tags }: SlidingLog, nowMs: number, { units, tag }: LogCharge): boolean {
  const places: number[] = []
  const due = countUpTo(promised, nowMs)
  for (let place = 0; place < due && places.length < units; place++) if (tags[place] === tag) places.push(place)
  const overdue = countUpTo(promised, nowMs - OVERDUE_MS)
  for (let place = 0; place < overdue && places.length < units; place++) if (tags[place] !== tag) places.push(place)
  if (places.length < units) return false
  for (const place of places.sort((one, other) => other - one)) {
    promised.splice(place, 1)
    tags.splice(place, 1)
  }
  return true
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
export function settle({ charged, promised, tags }: SlidingLog, nowMs: number): void {
  const latestMs = nowMs + MAX_LATENESS_MS
  for (let last = charged.length - 1; last >= 0 && (charged[last] ?? 0) > latestMs; last--) charged[last] = latestMs
  if ((charged[0] ?? nowMs) <= nowMs - WINDOW_MS) charged.splice(0, countUpTo(charged, nowMs - WINDOW_MS))
  if (promised.length === 0) return
  const isAhead = (promised.at(-1) ?? 0) > nowMs + MAX_AHEAD_MS
  const over = isAhead ? promised.length : countUpTo(promised, nowMs - KEPT_MS)
  promised.splice(0, over)
  tags.splice(0, over)
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

/** Returns the place. */
function insert(times: number[], atMs: number): number {
  let index = times.length
  while (index > 0 && (times[index - 1] ?? 0) > atMs) index--
  if (index === times.length) times.push(atMs)
  else times.splice(index, 0, atMs)
  return index
}
