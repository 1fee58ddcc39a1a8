// What CometChat says about its limits: the headers of its answers, in both spellings that it documents, and its 429s.

/** As much of an answer as says something about limits. */
export interface LimitAnswer {
  /** Undefined for a call that the app makes for itself. */
  readonly uid: string | undefined
  readonly isRefused: boolean
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** What `Retry-After` names, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** When the limit is reset, in milliseconds from now. */
  readonly resetsInMs?: number | undefined
}

export interface UpstreamBlock {
  readonly policy: 'user' | 'app'
  readonly forMs: number
}

export interface UpstreamLimitsOptions {
  readonly monotonic: () => number
  /** What one user is taken to have in a minute: headers that speak of no more than that are about a user. */
  readonly userLimit: number
  /** Told when CometChat's own refusal begins to stop callers. */
  readonly onBlock?: (block: UpstreamBlock) => void
}

/** Where a 429 names no time (docs/cometchat-facts.md §5 shows this one). */
const UNNAMED_MS = 15_000
/** An hour in a header may be a mistake: after so long CometChat is asked again. */
const LONGEST_MS = 300_000
const MINUTE_MS = 60_000
/** What an answer says of the rest without a time is believed for so long. */
const SOON_MS = 1000
/** So many users who are refused at a time are the app. */
const USERS_OF_APP = 3
const AT_A_TIME_MS = 5000
const MAX_USERS = 10_000
const COUNT = /^\d{1,9}$/

export class UpstreamLimits {
  readonly #options: UpstreamLimitsOptions
  readonly #blockedUsers = new Map<string, number>()
  readonly #refusedUsers = new Map<string, number>()
  #appUntilMs = Number.NEGATIVE_INFINITY
  /** CometChat has refused nothing yet. */
  #isQuiet = true
  /** What CometChat said is left to the app, and until when that is believed. */
  #left = Number.POSITIVE_INFINITY
  #leftUntilMs = Number.NEGATIVE_INFINITY

  constructor(options: UpstreamLimitsOptions) {
    this.#options = options
  }

  /** What refuses this user, or everybody, at the moment; undefined while nothing does. */
  blockOf(uid: string | undefined): UpstreamBlock | undefined {
    if (this.#isQuiet && this.#left > 0) return undefined
    const nowMs = this.#options.monotonic()
    if (nowMs < this.#appUntilMs) return { policy: 'app', forMs: this.#appUntilMs - nowMs }
    if (this.#left <= 0 && nowMs < this.#leftUntilMs) return { policy: 'app', forMs: this.#leftUntilMs - nowMs }
    const untilMs = uid === undefined ? undefined : this.#blockedUsers.get(uid)
    if (untilMs === undefined || untilMs <= nowMs) return undefined
    return { policy: 'user', forMs: untilMs - nowMs }
  }

  /** A call is about to be made: it takes from what CometChat said is left. */
  noteCall(): void {
    this.#left--
  }

  note(answer: LimitAnswer): void {
    const { limit, remaining } = countsIn(answer.headers)
    const isOfUser = limit !== undefined && limit <= this.#options.userLimit
    if (answer.isRefused) this.#noteRefusal(answer, remaining === 0 && !isOfUser)
    else if (remaining !== undefined && !isOfUser) this.#noteLeft(remaining, answer.resetsInMs)
  }

  /** Without a time an empty budget is believed for a moment only: what is meant by it is not documented. */
  #noteLeft(remaining: number, resetsInMs: number | undefined): void {
    this.#left = remaining
    this.#leftUntilMs = this.#options.monotonic() + (resetsInMs ? Math.min(resetsInMs, MINUTE_MS) : SOON_MS)
  }

  #noteRefusal({ uid, retryAfterMs, resetsInMs }: LimitAnswer, isOfApp: boolean): void {
    const nowMs = this.#options.monotonic()
    this.#isQuiet = false
    const forMs = Math.min(retryAfterMs ?? resetsInMs ?? UNNAMED_MS, LONGEST_MS)
    if (uid === undefined || isOfApp || this.#areMany(uid, nowMs)) {
      this.#appUntilMs = Math.max(this.#appUntilMs, nowMs + forMs)
      this.#options.onBlock?.({ policy: 'app', forMs })
      return
    }
    makeRoom(this.#blockedUsers, nowMs)
    this.#blockedUsers.set(uid, Math.max(this.#blockedUsers.get(uid) ?? 0, nowMs + forMs))
    this.#options.onBlock?.({ policy: 'user', forMs })
  }

  #areMany(uid: string, nowMs: number): boolean {
    for (const [user, atMs] of this.#refusedUsers) {
      if (nowMs - atMs <= AT_A_TIME_MS) break
      this.#refusedUsers.delete(user)
    }
    this.#refusedUsers.delete(uid)
    this.#refusedUsers.set(uid, nowMs)
    return this.#refusedUsers.size >= USERS_OF_APP
  }
}

/** Of what is negative, huge, absent, repeated or no count at all nothing is believed. */
function countsIn(headers: LimitAnswer['headers']): { limit: number | undefined; remaining: number | undefined } {
  const limit = countOf(headers['x-rate-limit'] ?? headers['x-ratelimit-limit'] ?? headers['x-rate-limit-limit'])
  const remaining = countOf(headers['x-rate-limit-remaining'] ?? headers['x-ratelimit-remaining'])
  return { limit, remaining }
}

function countOf(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && COUNT.test(value) ? Number(value) : undefined
}

/** A memory of users that a flood of them cannot make larger. */
function makeRoom(users: Map<string, number>, nowMs: number): void {
  if (users.size < MAX_USERS) return
  for (const [user, untilMs] of users) if (untilMs <= nowMs) users.delete(user)
  const [oldest] = users.keys()
  if (users.size >= MAX_USERS && oldest !== undefined) users.delete(oldest)
}
