import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { DeliveredReply, ReplyOrder } from '../delivery/command.ts'
import { AppError } from '../errors.ts'
import { invalidRequest } from '../http/framework-errors.ts'
import { jsonViolations } from '../http/json-body.ts'
import { parsePrefer } from '../http/prefer.ts'
import { ReplyBody, ReplyCreated, ReplyParams, ReplyQuery } from './replies-schemas.ts'
import { crowdedViolations, lengthViolations, reservedPointers, ruleViolations } from './reply-rules.ts'

export interface RepliesOptions {
  readonly deliver: (order: ReplyOrder) => Promise<DeliveredReply>
  readonly idempotencyKeyOf: (header: string | undefined) => string | undefined
  readonly markerMember: string
  readonly multipleReceiversMax: number
}

const URL_TEMPLATE = '/threads/:parentId/replies'
const OTHER_METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'] as const
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** `POST /threads/:parentId/replies`: posts a reply as the signed-in user. */
export const repliesRoutes: FastifyPluginAsyncTypebox<RepliesOptions> = async (app, options) => {
  app.post(
    URL_TEMPLATE,
    {
      schema: { params: ReplyParams, querystring: ReplyQuery, body: ReplyBody, response: { 201: ReplyCreated } },
      preValidation: (request, _reply, done) => {
        refuseUnsafe(request, options.markerMember)
        done()
      }
    },
    async (request, reply) => {
      refuseUnruly(request, options.multipleReceiversMax)
      const preferences = parsePrefer(request.headers['prefer']?.toString())
      const delivered = await options.deliver(orderFrom(request, preferences.waitMs, options))
      if (delivered.replayed) reply.header('idempotent-replayed', 'true')
      const applied = preferences.minimal ? 'return=minimal' : undefined
      if (applied) reply.header('preference-applied', applied)
      const body = preferences.minimal ? JSON.stringify({ data: { id: delivered.messageId } }) : delivered.body
      // Already JSON: CometChat's own text, checked, is not written a second time.
      reply.code(201).type('application/json; charset=utf-8')
      return body as never
    }
  )
}

/** The other methods of the same address, outside the signed-in scope: there is nothing to protect. */
export const otherMethodsRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: [...OTHER_METHODS],
    url: URL_TEMPLATE,
    handler: async (_request, reply) => {
      reply.header('allow', 'POST')
      throw new AppError('method-not-allowed', 'Only POST is answered here.')
    }
  })
}

/** What the schema cannot say. */
function refuseUnruly(request: ReplyRequest, multipleReceiversMax: number): void {
  const violations = [
    ...ruleViolations(request.body, multipleReceiversMax),
    ...lengthViolations(request.body, wireBytesOf(request))
  ]
  if (violations.length > 0) throw invalidRequest(violations)
}

type ReplyRequest = FastifyRequest<{ Params: { parentId: string }; Body: ReplyBody }>

function orderFrom(request: ReplyRequest, waitMs: number | undefined, options: RepliesOptions): ReplyOrder {
  const { parentId } = request.params
  const { traceparent } = request.headers
  const idempotencyKey = options.idempotencyKeyOf(request.headers['idempotency-key']?.toString())
  request.facts.parentId = parentId
  return {
    parentId,
    message: request.body,
    author: request.caller,
    facts: request.facts,
    isWaiting: () => !request.raw.socket.destroyed,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(waitMs !== undefined && { waitMs }),
    ...(typeof traceparent === 'string' && TRACEPARENT.test(traceparent) && { traceparent })
  }
}

/** Unbounded where the body came in chunks. */
function wireBytesOf({ headers }: FastifyRequest): number {
  return Number(headers['content-length'] ?? Number.POSITIVE_INFINITY)
}

/** What must be refused before anything is validated, because validation would describe it too kindly. */
function refuseUnsafe(request: FastifyRequest, markerMember: string): void {
  if (request.raw.url?.includes('%')) {
    throw invalidRequest([{ pointer: '/parentId', code: 'wrong-format', detail: 'Digits need no encoding.' }])
  }
  const violations = jsonViolations(request.body)
  if (violations.length > 0) throw invalidRequest(violations)
  const crowded = crowdedViolations(request.body, wireBytesOf(request))
  if (crowded.length > 0) throw invalidRequest(crowded)
  const reserved = reservedPointers(request.body, markerMember)
  if (reserved.length === 0) return
  throw new AppError('reserved-name', 'A member names something that only this service may set.', {
    errors: reserved.map(pointer => ({ pointer, code: 'reserved-name', detail: 'It is not for callers to set.' }))
  })
}
