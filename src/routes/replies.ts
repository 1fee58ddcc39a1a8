import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { CALLER } from '../auth/require-caller.ts'
import type { DeliveredReply, ReplyCommand } from '../delivery/command.ts'
import type { ClientPresence } from '../http/client-presence.ts'
import { invalid, invalidRequest } from '../http/framework-errors.ts'
import { IDEMPOTENCY_KEY } from '../http/guard/request-guard.ts'
import { parsePrefer } from '../http/head/prefer.ts'
import { parseTraceparent } from '../http/head/request-ids.ts'
import { TRACE } from '../http/lifecycle.ts'
import { FACTS } from '../observability/log-fields.ts'
import { ReplyExplained } from './explain-schemas.ts'
import { type Explanation, explainedBody } from './explained-body.ts'
import { MISPLACED } from './misplaced-members.ts'
import { JsonText, ReplyBody, ReplyParams } from './replies-schemas.ts'
import { lengthViolations, type ReplyLimits, ruleViolations, withoutEmptyUrl } from './reply-rules.ts'

export interface RepliesOptions extends ReplyLimits {
  readonly deliver: (order: ReplyCommand) => Promise<DeliveredReply>
  /** Says what would become of a reply, and sends nothing. */
  readonly explain: (order: ReplyCommand) => Promise<Explanation>
  /** Says from now on whether the client of a request still waits. */
  readonly presence: Pick<ClientPresence, 'of'>
}

export const REPLIES_ROUTE = '/threads/:parentId/replies'
/** What lies there is the caller's own. */
export const FREE_FORM = ['customData', 'metadata', 'interactiveData', 'card', 'mentions'].map(name => `/data/${name}`)

/** `POST /threads/:parentId/replies`: posts a reply as the signed-in user. */
export const repliesRoutes: FastifyPluginAsyncTypebox<RepliesOptions> = async (app, options) => {
  app.post(
    REPLIES_ROUTE,
    {
      schema: { params: ReplyParams, body: ReplyBody, response: { 200: ReplyExplained, 201: JsonText } },
      schemaErrorFormatter: findings => invalid(findings, MISPLACED),
      config: { operation: 'post-reply', freeForm: FREE_FORM, explains: true }
    },
    async (request, response) => {
      checkSemantics(request, options)
      const { waitMs, minimal, explain } = parsePrefer(request.headers['prefer']?.toString())
      const order = orderFrom(request, waitMs, options)
      if (explain) {
        const explanation = await options.explain(order)
        response.header('preference-applied', 'handling=explain')
        return explainedBody(explanation, request)
      }
      const delivered = await options.deliver(order)
      if (delivered.replayed) response.header('idempotent-replayed', 'true')
      if (minimal) response.header('preference-applied', 'return=minimal')
      response.code(201).type('application/json; charset=utf-8')
      // Already JSON: CometChat's own text, checked, is not written a second time.
      return minimal ? minimalBody(delivered, request.body.multipleReceivers !== undefined) : delivered.body
    }
  )
}

/** The id alone; of several receivers also those who did not get the reply, without whom a 201 would not be the truth. */
function minimalBody({ messageId, body }: DeliveredReply, isToSeveral: boolean): string {
  const failed = isToSeveral ? JSON.parse(body).failed : undefined
  return JSON.stringify({ data: { id: messageId }, failed })
}

type ReplyRequest = FastifyRequest<{ Params: { parentId: string }; Body: ReplyBody }>

/** What the schema cannot say. */
function checkSemantics(request: ReplyRequest, limits: ReplyLimits): void {
  const violations = [...ruleViolations(request.body, limits), ...lengthViolations(request.body, wireBytesOf(request))]
  if (violations.length > 0) throw invalidRequest('rules', violations)
}

/** Unbounded where the body came in chunks. */
export function wireBytesOf({ headers }: FastifyRequest): number {
  return Number(headers['content-length'] ?? Number.POSITIVE_INFINITY)
}

function orderFrom(request: ReplyRequest, waitMs: number | undefined, { presence }: RepliesOptions): ReplyCommand {
  const { parentId } = request.params
  const { [IDEMPOTENCY_KEY]: idempotencyKey, [TRACE]: trace } = request
  // Where there are traces CometChat is told of ours.
  const traceparent = trace ? undefined : parseTraceparent(request.headers['traceparent'])
  request[FACTS].parentId = parentId
  return {
    parentId,
    message: withoutEmptyUrl(request.body),
    author: request[CALLER],
    facts: request[FACTS],
    isWaiting: presence.of(request.raw),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(waitMs !== undefined && { waitMs }),
    ...(traceparent !== undefined && { traceparent }),
    ...(trace && { trace })
  }
}
