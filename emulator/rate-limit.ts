// CometChat counts per minute; whether its window is fixed is not said (docs/cometchat-facts.md §5): that of a user is a switch.
import type { Switches } from './switches.ts'

const WINDOW_MS = 60_000
/** What CometChat documents for "standard operations"; shown when no real limit is switched on. */
const DOCUMENTED_PER_MINUTE = 20_000

export type Dialect = Switches['rateLimitHeaders']
export type RateLimit = ReturnType<typeof createRateLimit>

export interface Budget {
  readonly limit: number
  readonly remaining: number
  readonly resetAtMs: number
}

export function createRateLimit(switches: Switches, now: () => number) {
  let window = Number.NaN
  let operations = 0
  let messages = new Map<string, number>()
  /** When each message of a user was counted, for a window that slides. */
  const times = new Map<string, number[]>()

  const roll = (): number => {
    const current = Math.floor(now() / WINDOW_MS)
    if (current !== window) {
      window = current
      operations = 0
      messages = new Map()
    }
    return (current + 1) * WINDOW_MS
  }

  const countSliding = (uid: string, count: number, limit: number): Budget | undefined => {
    const nowMs = now()
    const recent = (times.get(uid) ?? []).filter(at => at > nowMs - WINDOW_MS)
    const first = recent[0] ?? nowMs
    if (recent.length + count > limit) return { limit, remaining: 0, resetAtMs: first + WINDOW_MS }
    times.set(uid, [...recent, ...Array.from({ length: count }, () => nowMs)])
    return undefined
  }

  return {
    /** Counts one operation of the app; `exceeded` says that it must be refused. */
    countOperation(): Budget & { readonly exceeded: boolean } {
      const resetAtMs = roll()
      const limit = switches.appOperationsPerMinute ?? DOCUMENTED_PER_MINUTE
      operations += 1
      const exceeded = switches.appOperationsPerMinute !== null && operations > limit
      return { limit, remaining: Math.max(0, limit - operations), resetAtMs, exceeded }
    },
    /** Counts messages of one user; the budget comes back only when it is used up. */
    countMessages(uid: string, count: number): Budget | undefined {
      const resetAtMs = roll()
      const limit = switches.userMessagesPerMinute
      if (limit === null) return undefined
      if (switches.userWindow === 'sliding') return countSliding(uid, count, limit)
      const used = (messages.get(uid) ?? 0) + count
      if (used > limit) return { limit, remaining: 0, resetAtMs }
      messages.set(uid, used)
      return undefined
    }
  }
}

/** Header names as one or the other of CometChat's two pages spells them; values in Unix seconds. */
export function budgetHeaders(dialect: Dialect, budget: Budget, refused: boolean): Record<string, string> {
  const reset = String(Math.ceil(budget.resetAtMs / 1000))
  if (dialect === 'none') return {}
  if (dialect === 'X-RateLimit') {
    return {
      'X-RateLimit-Limit': String(budget.limit),
      'X-RateLimit-Remaining': String(budget.remaining),
      'X-RateLimit-Reset': reset
    }
  }
  return {
    'X-Rate-Limit': String(budget.limit),
    'X-Rate-Limit-Remaining': String(budget.remaining),
    ...(refused && { 'X-Rate-Limit-Reset': reset })
  }
}

export const retryAfterSeconds = (budget: Budget, now: number): number =>
  Math.max(1, Math.ceil((budget.resetAtMs - now) / 1000))

/** The one refusal that brings headers along. */
export class UserLimitExceeded extends Error {
  readonly budget: Budget

  constructor(budget: Budget) {
    super('the user has no messages left in this minute')
    this.budget = budget
  }
}
