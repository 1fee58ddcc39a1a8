// Joins what is known of a reply that is explained: how its limits stand, and what would become of it.
import type { ReplyCommand } from '../../delivery/command.ts'
import type { Explain } from '../../delivery/explain.ts'
import { noteExplained } from '../../observability/log-fields.ts'
import type { Explanation } from '../../routes/explained-body.ts'
import type { Limits } from '../limits.ts'

export interface ExplainParts {
  readonly limits: Pick<Limits, 'preview'>
  readonly mode: string
  readonly explain: Explain
}

/** Charges nothing to the sender and sends nothing. */
export async function explainReply(order: ReplyCommand, { limits, mode, explain }: ExplainParts): Promise<Explanation> {
  noteExplained(order.facts)
  const { states, refusal } = await limits.preview(order)
  const explained = await explain(order.refusal || !refusal ? order : { ...order, refusal })
  return { ...explained, limits: { mode, states } }
}
