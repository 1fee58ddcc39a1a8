import { AppError } from '../../errors.ts'
import { LruCache } from '../../lib/cache.ts'
import { Budget, type BudgetAnswer } from '../budget.ts'
import type { Awaitable } from '../quota-store.ts'
import type { PolicyState } from '../rate-limit-fields.ts'
import type { LogAnswer } from '../sliding-log.ts'
import { Lateness } from './lateness.ts'
import type { QuotaOptions } from './options.ts'
import { blockRefusal, limitRefusal } from './refusals.ts'
import { Standings } from './standings.ts'

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

/** A user with more than that is counted in cells of a second: a log of them would be too long. */
const LONGEST_LOG = 120
const MAX_BUDGETS = 10_000
const MINUTE_MS = 60_000
const APP = 'app'

/** How much users, services and the app may send in a minute, in a store that instances share. */
export class Quota {
  readonly options: QuotaOptions
  readonly app: Budget | undefined
  readonly lateness = new Lateness()
  readonly #budgets = new LruCache<Budget>({ maxEntries: MAX_BUDGETS })
  readonly standings: Standings

  constructor(options: QuotaOptions) {
    this.options = options
    this.standings = new Standings(options.monotonic)
    if (options.appLimit > 0) this.app = this.#create(APP, options.appLimit)
  }

  /** Begins to charge a message; nothing is sent before `admitted`. */
  charge(sender: Sender, message: Message): Charge {
    return new Charge(this, sender, message)
  }

  /** Before a call of this service itself, which is charged to the app alone. Throws what it is refused with. */
  async admitCall(uid: string | undefined): Promise<void> {
    const { upstream, isEnforced, onRefusal } = this.options
    const block = upstream.blockOf(uid)
    const answer = this.app?.take(1)
    const refusal = block
      ? blockRefusal(block.policy, block.forMs, this.options.random)
      : refusalBy(APP, answer instanceof Promise ? await answer : answer)
    if (!refusal) return
    onRefusal(block?.policy ?? APP)
    if (isEnforced) throw refusal
  }

  /** A call that was admitted and never made. */
  giveBackCall(): void {
    this.app?.giveBackLatest(1)
  }

  /** A call that was made beyond those that were admitted: CometChat counts it, too. */
  noteCall(): void {
    this.app?.note(1)
  }

  /** Where a user stands, as far as this instance knows; undefined without a limit. */
  standingOf(uid: string): PolicyState | undefined {
    const { userLimit: limit } = this.options
    if (limit === 0) return undefined
    return { policy: 'user', limit, ...(this.standings.of(uid) ?? { remaining: limit, nextInMs: 0 }) }
  }

  appState(retryAfterMs: number): PolicyState {
    return { policy: APP, limit: this.options.appLimit, remaining: 0, nextInMs: retryAfterMs }
  }

  /** Undefined where there is no limit. */
  budgetOf(kind: 'user' | 'service', name: string, limit: number): Budget | undefined {
    if (limit === 0) return undefined
    const key = `${kind}:${name}`
    const known = this.#budgets.get(key)
    if (known) return known
    const budget = this.#create(key, limit)
    this.#budgets.set(key, budget)
    return budget
  }

  /** A refusal of CometChat's own names the limit that it stands for here, and a time that is not the same for all. */
  namingPolicy(error: unknown, uid: string): unknown {
    if (!(error instanceof AppError) || error.code !== 'rate-limited' || error.options.violatedPolicies) return error
    const { upstream, random } = this.options
    const block = upstream.blockOf(uid)
    return blockRefusal(block?.policy ?? 'user', Math.max(error.options.retryAfterMs ?? 0, block?.forMs ?? 0), random)
  }

  #create(name: string, limit: number): Budget {
    const { store, monotonic, random } = this.options
    return new Budget({ name, limit, source: store, monotonic, random })
  }
}

/** What became of a message. `isFresh` is false for an answer that was given before. */
export interface MessageEnd {
  readonly delivery: 'sent' | 'not-sent' | 'unknown'
  readonly isFresh: boolean
}

type Answers = readonly [
  LogAnswer | undefined,
  BudgetAnswer | undefined,
  BudgetAnswer | undefined,
  BudgetAnswer | undefined
]

/** One message that is charged: to its user, to the service that acts for them, and to the app. */
export class Charge {
  /** Rejects with `rate-limited`, or, where the store is away, with `store-unavailable`; undefined once it may be sent. */
  readonly admitted: Promise<void> | undefined
  /** Set at once where it is refused at once. */
  refusal: AppError | undefined
  readonly #quota: Quota
  readonly #sender: Sender
  readonly #units: number
  readonly #chargedAtMs: number
  readonly #latenessMs: number
  readonly #user: Budget | undefined
  readonly #service: Budget | undefined
  #answers: Answers = [undefined, undefined, undefined, undefined]
  #isOver = false

  constructor(quota: Quota, sender: Sender, { units, tag }: Message) {
    const { upstream, isEnforced, onRefusal, userLimit, serviceLimit, monotonic, random } = quota.options
    const { uid, service } = sender
    this.#quota = quota
    this.#sender = sender
    this.#units = units
    this.#chargedAtMs = monotonic()
    this.#latenessMs = quota.lateness.ms
    if (userLimit > LONGEST_LOG) this.#user = quota.budgetOf('user', uid, userLimit)
    if (service !== undefined) this.#service = quota.budgetOf('service', service, serviceLimit)
    const block = upstream.blockOf(uid)
    if (block) {
      onRefusal(block.policy)
      if (isEnforced) this.refusal = blockRefusal(block.policy, block.forMs, random)
      if (isEnforced && block.policy === 'user') quota.standings.note(uid, 0, block.forMs)
    }
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

  #begin(tag: number): Promise<void> | undefined {
    const { store, userLimit, random } = this.#quota.options
    const units = this.#units
    const isLogged = userLimit > 0 && userLimit <= LONGEST_LOG
    const order = { units, limit: userLimit, random: random(), latenessMs: this.#latenessMs, tag }
    const log = isLogged ? store.charge(this.#sender.uid, order) : undefined
    const user = this.#user?.take(units)
    const service = this.#service?.take(units)
    const app = this.#quota.app?.take(units)
    if (!isPending(log) && !isPending(user) && !isPending(service) && !isPending(app)) {
      this.refusal = this.#judge([log, user, service, app])
      return undefined
    }
    const all =
      isPending(log) && !isPending(user) && !isPending(service) && !isPending(app)
        ? log.then(
            answer => this.#requireAdmission([answer, user, service, app]),
            () => this.#afterLoss([undefined, user, service, app])
          )
        : this.#wait(log, user, service, app)
    // Whoever waits for it is told; before that it is nobody's.
    all.catch(() => undefined)
    return all
  }

  async #wait(
    log: Awaitable<LogAnswer> | undefined,
    ...budgets: readonly (Awaitable<BudgetAnswer> | undefined)[]
  ): Promise<void> {
    const [found, ...rest] = await Promise.allSettled([log, ...budgets])
    const [user, service, app] = rest.map(one => (one.status === 'fulfilled' ? one.value : undefined))
    if (found?.status === 'fulfilled')
      this.#requireAdmission([found.value as LogAnswer | undefined, user, service, app])
    else this.#afterLoss([undefined, user, service, app])
  }

  #requireAdmission(answers: Answers): void {
    const refusal = this.#judge(answers)
    if (refusal) throw refusal
  }

  /** Without the user's log nothing is sent. */
  #afterLoss(answers: Answers): void {
    this.#requireAdmission(answers)
    if (!this.#quota.options.isEnforced) return
    this.#giveBack()
    throw new AppError('store-unavailable', 'The limits cannot be reached.', { retryAfterMs: 1000 })
  }

  /** What refuses it; whatever else was charged is given back then. */
  #judge(answers: Answers): AppError | undefined {
    this.#answers = answers
    const { isEnforced, onRefusal } = this.#quota.options
    const [log, user, service, app] = answers
    this.#noteStanding(log, user)
    if (log?.isAdmitted !== false && isFree(user) && isFree(service) && isFree(app)) return undefined
    const refusals = [
      ['user', log] as const,
      ['user', user] as const,
      ['service', service] as const,
      [APP, app] as const
    ].flatMap(([policy, answer]) => (answer && !answer.isAdmitted ? [[policy, answer.retryAfterMs] as const] : []))
    for (const [policy] of refusals) onRefusal(policy)
    if (!isEnforced) return undefined
    this.#giveBack()
    const [first] = refusals
    const waitMs = Math.max(...refusals.map(([, retryAfterMs]) => retryAfterMs))
    return (
      first &&
      limitRefusal(
        first[0],
        waitMs,
        refusals.map(([policy]) => policy)
      )
    )
  }

  #noteStanding(log: LogAnswer | undefined, user: BudgetAnswer | undefined): void {
    const { uid } = this.#sender
    if (log) this.#quota.standings.note(uid, log.remaining, log.nextInMs)
    else if (user?.isAdmitted) {
      const used = this.#user?.used ?? 0
      this.#quota.standings.note(uid, Math.max(0, this.#quota.options.userLimit - used), MINUTE_MS)
    } else if (user) this.#quota.standings.note(uid, 0, user.retryAfterMs)
  }

  #close(delivery: MessageEnd['delivery'], isFresh: boolean): void {
    if (this.refusal) return
    if (delivery === 'not-sent' || !isFresh) this.#giveBack()
    else this.#keep()
  }

  #keep(): void {
    const { lateness, options } = this.#quota
    const [log] = this.#answers
    const tookMs = options.monotonic() - this.#chargedAtMs
    lateness.note(tookMs)
    if (tookMs <= this.#latenessMs || !log?.isAdmitted) return
    quietly(() => options.store.moveCharge(this.#sender.uid, log.atMs, this.#units))
  }

  #giveBack(): void {
    const units = this.#units
    const { uid } = this.#sender
    const [log, user, service, app] = this.#answers
    this.#answers = [undefined, undefined, undefined, undefined]
    if (log?.isAdmitted) {
      this.#quota.standings.note(uid, log.remaining + units, log.nextInMs)
      quietly(() => this.#quota.options.store.giveBack(uid, log.atMs, units))
    }
    if (user?.isAdmitted) this.#user?.giveBack(units, user.second)
    if (service?.isAdmitted) this.#service?.giveBack(units, service.second)
    if (app?.isAdmitted) this.#quota.app?.giveBack(units, app.second)
  }
}

function refusalBy(policy: 'app', answer: BudgetAnswer | undefined): AppError | undefined {
  return answer && !answer.isAdmitted ? limitRefusal(policy, answer.retryAfterMs) : undefined
}

function isFree(answer: BudgetAnswer | undefined): boolean {
  return answer === undefined || answer.isAdmitted
}

function isPending<T>(answer: Awaitable<T> | undefined): answer is Promise<T> {
  return answer instanceof Promise
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
