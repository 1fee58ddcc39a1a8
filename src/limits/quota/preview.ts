import type { AppError } from '../../errors.ts'
import type { PolicyState } from '../rate-limit-fields.ts'
import type { ChargeParts, Sender } from './charge.ts'
import { blockRefusal, limitRefusal, limitsAway, type QuotaPolicy } from './refusals.ts'

/** How a message would fare, and how its limits stand. */
export interface Preview {
  readonly states: readonly PolicyState[]
  /** What it would be refused with; undefined where nothing refuses it, or nothing is enforced. */
  readonly refusal: AppError | undefined
}

/** What a charge of so many units would meet. Nothing is charged, and no place in a line is taken. */
export async function previewCharge(parts: ChargeParts, sender: Sender, units: number): Promise<Preview> {
  const { upstream, isEnforced, random } = parts.options
  const block = upstream.blockOf(sender.uid)
  const known = await standingsOf(parts, sender).catch(() => undefined)
  const states = known ?? []
  if (!isEnforced) return { states, refusal: undefined }
  // As a charge does, which asks no store for what CometChat refuses.
  if (block) return { states, refusal: blockRefusal(block.policy, block.forMs, random) }
  const refusedForMs = parts.refusedForMs(sender.uid)
  if (refusedForMs !== undefined) return { states, refusal: limitRefusal('user', refusedForMs) }
  if (!known) return { states, refusal: limitsAway() }
  const violated = states.filter(({ remaining }) => remaining < units)
  const [first] = violated
  if (!first) return { states, refusal: undefined }
  const waitMs = Math.max(1000, ...violated.map(({ nextInMs }) => nextInMs))
  const policies = violated.map(({ policy }) => policy)
  return { states, refusal: limitRefusal(first.policy, waitMs, policies) }
}

type QuotaState = PolicyState & { readonly policy: QuotaPolicy }

async function standingsOf(parts: ChargeParts, sender: Sender): Promise<QuotaState[]> {
  const budgets = parts.budgetsOf(sender).map(({ policy, budget }) => ({
    policy,
    limit: budget.limit,
    remaining: Math.max(0, budget.limit - budget.used),
    nextInMs: 0
  }))
  return parts.isLogged ? [await logState(parts, sender), ...budgets] : budgets
}

/** A charge of no units changes nothing and tells how the log stands. */
async function logState({ options, standings }: ChargeParts, { uid }: Sender): Promise<QuotaState> {
  const { store, userLimit: limit, monotonic } = options
  const { remaining, nextInMs } = await store.charge(uid, { units: 0, limit, random: 0, latenessMs: 0, tag: 0 })
  standings.note(uid, { remaining, nextInMs }, monotonic())
  return { policy: 'user', limit, remaining, nextInMs }
}
