import type { FastifyRequest } from 'fastify'
import type { Decision, ExplainedReply } from '../delivery/explain.ts'
import type { AppError } from '../errors.ts'
import { IDEMPOTENCY_KEY } from '../http/guard/request-guard.ts'
import { toProblem } from '../http/problem.ts'
import type { PolicyState } from '../limits/rate-limit-fields.ts'
import { FACTS } from '../observability/log-fields.ts'
import type { ReplyExplained } from './explain-schemas.ts'

/** What would become of a reply, and how the limits of its sender stand. */
export interface Explanation extends ExplainedReply {
  readonly limits: { readonly mode: string; readonly states: readonly PolicyState[] }
}

/** The answer to a request that is explained. */
export function explainedBody({ decision, request, limits }: Explanation, asked: FastifyRequest): ReplyExplained {
  const { scheme = '', issuer = '', subject = '', uid = '', actors } = asked[FACTS]
  return {
    identity: { scheme, issuer, subject, uid, ...(actors && { actors: [...actors] }) },
    limits: { mode: limits.mode, policies: limits.states.map(policyOf) },
    decision: decisionOf(decision, asked),
    ...(request && { request: { ...request, headers: { ...request.headers } } })
  }
}

function policyOf({ policy, limit, remaining, nextInMs }: PolicyState): ReplyExplained['limits']['policies'][number] {
  return { policy, limit, remaining: Math.floor(remaining), ...(nextInMs > 0 && { nextInMs: Math.ceil(nextInMs) }) }
}

function decisionOf(decision: Decision, asked: FastifyRequest): ReplyExplained['decision'] {
  const { action } = decision
  const refusal = 'refusal' in decision ? decision.refusal : undefined
  const messageId = 'messageId' in decision ? decision.messageId : refusal?.options.messageId
  return { action, ...(messageId !== undefined && { messageId }), ...(refusal && refusalOf(refusal, asked)) }
}

function refusalOf(refusal: AppError, asked: FastifyRequest): Pick<ReplyExplained['decision'], 'problem' | 'reason'> {
  const { requestId = '' } = asked[FACTS]
  return { problem: toProblem(refusal, requestId, asked[IDEMPOTENCY_KEY] !== undefined), reason: refusal.reason }
}
