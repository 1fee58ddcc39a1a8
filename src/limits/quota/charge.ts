import type { AppError } from '../../errors.ts'
import type { Budget, BudgetAnswer } from '../budget.ts'
import type { Awaitable } from '../quota-store.ts'
import type { LogAnswer } from '../sliding-log.ts'
import type { Lateness } from './lateness.ts'
import type { QuotaOptions } from './options.ts'
import { blockRefusal, limitRefusal, limitsAway, type QuotaPolicy } from './refusals.ts'
import type { Standings } from './standings.ts'

/** Whose message it is. */
export interface Sender {
  readonly uid: string
  /** The service that acts for the user. */
  readonly service?: string | undefined
}

/** What is charged. */
export interface Message {
  /** Messages that it is at CometChat. */
  readonly units: number
  /** The same when the same message is sent again. */
  readonly tag: number
}

/** What became of a message. `isFresh` is false for an answer that was given before. */
export interface MessageEnd {
  readonly delivery: 'sent' | 'not-sent' | 'unknown'
  readonly isFresh: boolean
}

/** What the charges of one quota share. */
export interface ChargeParts {
  readonly options: QuotaOptions
  readonly lateness: Lateness
  readonly standings: Standings
  /** Whether a user's messages are charged to a log, not to a budget. */
  readonly isLogged: boolean
  /** Those that a message of this sender is charged to. */
  readonly budgetsOf: (sender: Sender) => readonly ChargedBudget[]
  /** For how long this user sends nothing, because CometChat refused too many of their messages. */
  readonly refusedForMs: (uid: string) => number | undefined
}

export interface ChargedBudget {
  readonly policy: QuotaPolicy
  readonly budget: Budget
}

interface Asked extends ChargedBudget {
  readonly answer: Awaitable<BudgetAnswer>
}

interface Answered extends Asked {
  readonly answer: BudgetAnswer
}

const MINUTE_MS = 60_000

/** One message that is charged: to its user, to the service that acts for them, and to the app. */
export class Charge {
  /** Rejects with `rate-limited`, or, where the store is away, with `store-unavailable`; undefined once it may be sent. */
  readonly admitted: Promise<void> | undefined
  /** Set at once where it is refused at once. */
  refusal: AppError | undefined
  readonly #parts: ChargeParts
  readonly #sender: Sender
  readonly #units: number
  readonly #chargedAtMs: number
  readonly #latenessMs: number
  /** What has answered. */
  #log: LogAnswer | undefined
  #budgets: readonly Answered[] = []
  #isOver = false

  constructor(parts: ChargeParts, sender: Sender, { units, tag }: Message) {
    const { upstream, isEnforced, onRefusal, monotonic, random } = parts.options
    const { uid } = sender
    this.#parts = parts
    this.#sender = sender
    this.#units = units
    this.#chargedAtMs = monotonic()
    this.#latenessMs = parts.lateness.ms
    const block = upstream.blockOf(uid)
    if (block) {
      onRefusal(block.policy)
      if (isEnforced) this.refusal = blockRefusal(block.policy, block.forMs, random)
      if (isEnforced && block.policy === 'user') {
        parts.standings.note(uid, { remaining: 0, nextInMs: block.forMs }, this.#chargedAtMs)
      }
    }
    const refusedForMs = this.refusal ? undefined : parts.refusedForMs(uid)
    if (refusedForMs !== undefined) onRefusal('user')
    if (refusedForMs !== undefined && isEnforced) this.refusal = limitRefusal('user', refusedForMs)
    if (this.refusal) this.#isOver = true
    else this.admitted = this.#begin(tag)
  }

  /** Gives back what was not sent, and dates anew what took its time. Must follow, once. */
  end({ delivery, isFresh }: MessageEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    const { admitted } = this
    if (admitted) void admitted.then(() => this.#close(delivery, isFresh)).catch(() => undefined)
    else this.#close(delivery, isFresh)
  }

  /** Asks everything in one turn; undefined where everything has answered in it. */
  #begin(tag: number): Promise<void> | undefined {
    const log = this.#parts.isLogged ? this.#chargeLog(tag) : undefined
    const asked: Asked[] = []
    for (const { policy, budget } of this.#parts.budgetsOf(this.#sender)) {
      asked.push({ policy, budget, answer: budget.take(this.#units, this.#chargedAtMs) })
    }
    if (!(log instanceof Promise) && asked.every(hasAnswered)) {
      this.refusal = this.#judge(log, asked, this.#chargedAtMs)
      return undefined
    }
    const admitted = this.#wait(log, asked)
    // Its rejection is met later, when the delivery waits for it.
    admitted.catch(() => undefined)
    return admitted
  }

  #chargeLog(tag: number): Awaitable<LogAnswer> {
    const { store, userLimit, random } = this.#parts.options
    const order = { units: this.#units, limit: userLimit, random: random(), latenessMs: this.#latenessMs, tag }
    return store.charge(this.#sender.uid, order)
  }

  /** Without the user's log nothing is sent; a budget goes on without its store, and never rejects. */
  async #wait(log: Awaitable<LogAnswer> | undefined, asked: readonly Asked[]): Promise<void> {
    let found: LogAnswer | undefined
    let isLost = false
    try {
      found = await log
    } catch {
      isLost = true
    }
    const answered = asked.every(hasAnswered) ? asked : await Promise.all(asked.map(answerOf))
    const refusal = this.#judge(found, answered, this.#parts.options.monotonic())
    if (refusal) throw refusal
    if (!isLost || !this.#parts.options.isEnforced) return
    this.#giveBack()
    throw limitsAway()
  }

  /** What refuses it; whatever else was charged is given back then. */
  #judge(log: LogAnswer | undefined, budgets: readonly Answered[], nowMs: number): AppError | undefined {
    this.#log = log
    this.#budgets = budgets
    this.#noteStanding(nowMs)
    const { isEnforced, onRefusal } = this.#parts.options
    if (log?.isAdmitted !== false && budgets.every(isAdmitted)) return undefined
    const violated: QuotaPolicy[] = []
    let waitMs = 0
    for (const { policy, answer } of log ? [{ policy: 'user' as const, answer: log }, ...budgets] : budgets) {
      if (answer.isAdmitted) continue
      onRefusal(policy)
      violated.push(policy)
      waitMs = Math.max(waitMs, answer.retryAfterMs)
    }
    const [first] = violated
    if (!first || !isEnforced) return undefined
    this.#giveBack()
    return limitRefusal(first, waitMs, violated)
  }

  #noteStanding(nowMs: number): void {
    const { standings, options } = this.#parts
    const { uid } = this.#sender
    if (this.#log) {
      standings.note(uid, this.#log, nowMs)
      return
    }
    const user = this.#budgets.find(({ policy }) => policy === 'user')
    if (!user) return
    const { budget, answer } = user
    const standing = answer.isAdmitted
      ? { remaining: Math.max(0, options.userLimit - budget.used), nextInMs: MINUTE_MS }
      : { remaining: 0, nextInMs: answer.retryAfterMs }
    standings.note(uid, standing, nowMs)
  }

  #close(delivery: MessageEnd['delivery'], isFresh: boolean): void {
    if (this.refusal) return
    if (delivery === 'not-sent' || !isFresh) this.#giveBack()
    else this.#keep()
  }

  #keep(): void {
    const { lateness, options } = this.#parts
    const log = this.#log
    const tookMs = options.monotonic() - this.#chargedAtMs
    lateness.note(tookMs)
    if (tookMs <= this.#latenessMs || !log?.isAdmitted) return
    quietly(() => options.store.moveCharge(this.#sender.uid, log.atMs, this.#units))
  }

  #giveBack(): void {
    const { options, standings } = this.#parts
    const units = this.#units
    const { uid } = this.#sender
    const log = this.#log
    if (log?.isAdmitted) {
      standings.note(uid, { remaining: log.remaining + units, nextInMs: log.nextInMs }, options.monotonic())
      quietly(() => options.store.giveBack(uid, log.atMs, units))
    }
    for (const { budget, answer } of this.#budgets) if (answer.isAdmitted) budget.giveBack(units, answer.second)
  }
}

function hasAnswered(asked: Asked): asked is Answered {
  return !(asked.answer instanceof Promise)
}

function isAdmitted({ answer }: Answered): boolean {
  return answer.isAdmitted
}

async function answerOf({ policy, budget, answer }: Asked): Promise<Answered> {
  return { policy, budget, answer: await answer }
}

/** For a transition whose failure costs a unit and no truth. */
function quietly(transition: () => Awaitable<void>): void {
  try {
    const done = transition()
    if (done instanceof Promise) done.catch(() => undefined)
  } catch {
    // As above.
  }
}
