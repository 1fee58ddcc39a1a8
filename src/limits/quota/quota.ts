import { LRUCache } from 'lru-cache'
import { AppError } from '../../errors.ts'
import { Budget } from '../budget.ts'
import type { PolicyState } from '../rate-limit-fields.ts'
import { Charge, type ChargedBudget, type Message, type Sender } from './charge.ts'
import { Lateness } from './lateness.ts'
import type { QuotaOptions } from './options.ts'
import { type Preview, previewCharge } from './preview.ts'
import { blockRefusal, limitRefusal } from './refusals.ts'
import { Standings } from './standings.ts'

/** A user with more than that is counted in cells of a second: a log of them would be too long. */
const LONGEST_LOG = 120
const MAX_BUDGETS = 10_000
const APP = 'app'
const NONE: readonly ChargedBudget[] = []

/** A call of this service to CometChat. */
export interface Call {
  /** The user whom CometChat sees it made for; undefined for one that it takes for the app's own. */
  readonly uid: string | undefined
  /** The user whose request it serves; undefined for one that serves none. */
  readonly chargedTo: string | undefined
}

/** How much users, services and the app may send in a minute, in a store that instances share. */
export class Quota {
  readonly options: QuotaOptions
  readonly app: Budget | undefined
  readonly lateness = new Lateness()
  readonly standings: Standings
  readonly isLogged: boolean
  readonly #ofApp: readonly ChargedBudget[]
  readonly #budgets = new LRUCache<string, ChargedBudget>({ max: MAX_BUDGETS })

  constructor(options: QuotaOptions) {
    this.options = options
    this.standings = new Standings(options.monotonic)
    this.isLogged = options.userLimit > 0 && options.userLimit <= LONGEST_LOG
    if (options.appLimit > 0) this.app = this.#create(APP, options.appLimit)
    this.#ofApp = this.app ? [{ policy: APP, budget: this.app }] : NONE
  }

  /** Begins to charge a message; nothing is sent before `admitted`. */
  charge(sender: Sender, message: Message): Charge {
    return new Charge(this, sender, message)
  }

  /** What a charge would meet; nothing is charged. */
  preview(sender: Sender, units: number): Promise<Preview> {
    return previewCharge(this, sender, units)
  }

  /** That of a user with no log, of the service, of the app, in this order, where there is such a limit. */
  budgetsOf({ uid, service }: Sender): readonly ChargedBudget[] {
    const { userLimit, serviceLimit } = this.options
    const user = userLimit > 0 && !this.isLogged ? [this.#budgetOf('user', uid, userLimit)] : NONE
    const acting = serviceLimit > 0 && service !== undefined ? [this.#budgetOf('service', service, serviceLimit)] : NONE
    return user === NONE && acting === NONE ? this.#ofApp : [...user, ...acting, ...this.#ofApp]
  }

  /**
   * Before a call of this service itself, which is no message: it is charged to the app, and to the share of it that the user has whose
   * request it serves. Throws what it is refused with.
   */
  async admitCall(call: Call): Promise<void> {
    const { upstream, isEnforced, random, onRefusal } = this.options
    const block = upstream.blockOf(call.uid)
    if (!block) return this.#takeCall(call)
    onRefusal(block.policy)
    if (isEnforced) throw blockRefusal(block.policy, block.forMs, random)
    this.app?.note(1)
  }

  async #takeCall({ chargedTo }: Call): Promise<void> {
    const { isEnforced, onRefusal } = this.options
    const taken: Budget[] = []
    for (const { policy, budget } of [...this.#shareOf(chargedTo), ...this.#ofApp]) {
      const answer = await budget.take(1)
      if (answer.isAdmitted) {
        taken.push(budget)
        continue
      }
      onRefusal(policy)
      if (!isEnforced) continue
      for (const other of taken) other.giveBackLatest(1)
      throw limitRefusal(policy, answer.retryAfterMs)
    }
  }

  /** A call that was admitted and never made. */
  giveBackCall({ chargedTo }: Call): void {
    for (const { budget } of [...this.#shareOf(chargedTo), ...this.#ofApp]) budget.giveBackLatest(1)
  }

  /**
   * CometChat refused a message: it counts the call, but the message is given back to its sender. So there is a share of the app for
   * those, too: else nothing would hold back a user whose messages are all refused.
   */
  noteRefusedMessage({ chargedTo }: Call): void {
    this.app?.note(1)
    for (const { budget } of this.#shareOf(chargedTo, 'refused')) void budget.take(1)
  }

  /** For how long this user sends nothing, because CometChat refused too many of their messages; no store is asked. */
  refusedForMs(uid: string): number | undefined {
    return this.#budgets.get(`refused:${uid}`)?.budget.spentForMs()
  }

  /** Where a user stands, as far as this instance knows; undefined without a limit. */
  standingOf(uid: string): PolicyState | undefined {
    const { userLimit: limit } = this.options
    if (limit === 0) return undefined
    const standing = this.standings.of(uid)
    return { policy: 'user', limit, remaining: standing?.remaining ?? limit, nextInMs: standing?.nextInMs ?? 0 }
  }

  appState(retryAfterMs: number): PolicyState {
    return { policy: APP, limit: this.options.appLimit, remaining: 0, nextInMs: retryAfterMs }
  }

  /** A refusal of CometChat's own names the limit that it stands for here, and a time that is not the same for all. */
  namingPolicy(error: unknown, uid: string): unknown {
    if (!(error instanceof AppError) || error.code !== 'rate-limited' || error.options.violatedPolicies) return error
    const { upstream, random } = this.options
    const block = upstream.blockOf(uid)
    return blockRefusal(block?.policy ?? 'user', Math.max(error.options.retryAfterMs ?? 0, block?.forMs ?? 0), random)
  }

  /** Of the calls that are no messages one user has as much as one service: else whoever reads on takes what all send with. */
  #shareOf(uid: string | undefined, kind: 'calls' | 'refused' = 'calls'): readonly ChargedBudget[] {
    const { serviceLimit: share } = this.options
    return uid === undefined || share === 0 ? NONE : [this.#budgetOf('user', uid, share, kind)]
  }

  #budgetOf(policy: 'user' | 'service', name: string, limit: number, kind: string = policy): ChargedBudget {
    const key = `${kind}:${name}`
    const known = this.#budgets.get(key)
    if (known) return known
    const charged = { policy, budget: this.#create(key, limit) }
    this.#budgets.set(key, charged)
    return charged
  }

  #create(name: string, limit: number): Budget {
    const { store, monotonic, random } = this.options
    return new Budget({ name, limit, source: store, monotonic, random })
  }
}
