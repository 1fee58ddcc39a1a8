import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { AppError } from '../errors.ts'
import { invalid, invalidRequest } from '../http/framework-errors.ts'
import { FACTS } from '../observability/log-fields.ts'
import { MISPLACED } from './misplaced-members.ts'
import { FREE_FORM, REPLIES_ROUTE, wireBytesOf } from './replies.ts'
import { JsonText, ReplyEdit, ReplyOfThread } from './replies-schemas.ts'
import { editViolations, lengthViolations } from './reply-rules.ts'
import { questionFrom, type ThreadOptions, type ThreadQuestion } from './thread.ts'

/** A change of one's own reply, on its way to CometChat. */
export interface ReplyChangeOrder extends ThreadQuestion {
  readonly replyId: string
}

export interface OwnReplyOptions extends Pick<ThreadOptions, 'presence'> {
  /** The message as it is after the edit. */
  readonly edit: (order: ReplyChangeOrder, change: ReplyEdit) => Promise<object>
  /** What is left of the message. */
  readonly remove: (order: ReplyChangeOrder) => Promise<object>
}

type OwnReplyRequest = FastifyRequest & { readonly params: { readonly parentId: string; readonly replyId: string } }

const OWN_REPLY_ROUTE = `${REPLIES_ROUTE}/:replyId`
const JSON_TYPE = 'application/json; charset=utf-8'

/** `PATCH` and `DELETE /threads/:parentId/replies/:replyId`: what a sender does with a reply that is posted. */
export const ownReplyRoutes: FastifyPluginAsyncTypebox<OwnReplyOptions> = async (app, options) => {
  app.patch(
    OWN_REPLY_ROUTE,
    {
      schema: { params: ReplyOfThread, body: ReplyEdit, response: { 200: JsonText } },
      schemaErrorFormatter: findings => invalid(findings, MISPLACED),
      config: { operation: 'edit-reply', freeForm: FREE_FORM }
    },
    async (request, response) => {
      const { body } = request
      const violations = [...editViolations(body), ...lengthViolations(body, wireBytesOf(request))]
      if (violations.length > 0) throw invalidRequest('rules', violations)
      const message = await options.edit(orderFrom(request, options), body)
      response.type(JSON_TYPE)
      return JSON.stringify({ data: message })
    }
  )

  app.delete(
    OWN_REPLY_ROUTE,
    {
      schema: { params: ReplyOfThread, response: { 200: JsonText } },
      config: { operation: 'delete-reply', needsNoBody: true }
    },
    async (request, response) => {
      // It could ask for something else, such as CometChat's own `permanent`.
      if (request.body !== undefined && request.body !== null) throw withBody()
      const left = await options.remove(orderFrom(request, options))
      response.type(JSON_TYPE)
      return JSON.stringify({ data: left })
    }
  )
}

function withBody(): AppError {
  return invalidRequest('rules', [{ pointer: '', code: 'not-allowed', detail: 'A delete has no body.' }])
}

function orderFrom(request: OwnReplyRequest, options: OwnReplyOptions): ReplyChangeOrder {
  const { replyId } = request.params
  request[FACTS].messageId = replyId
  return { ...questionFrom(request, options), replyId }
}
