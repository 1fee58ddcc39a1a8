import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../auth/caller.ts'
import { CALLER } from '../auth/require-caller.ts'
import type { KnownReply } from '../delivery/posted/lookup.ts'
import type { ClientPresence } from '../http/client-presence.ts'
import { invalidRequest } from '../http/framework-errors.ts'
import { parsePrefer } from '../http/head/prefer.ts'
import { TRACE } from '../http/lifecycle.ts'
import type { RequestTrace } from '../observability/events.ts'
import { FACTS, type LogFields } from '../observability/log-fields.ts'
import { REPLIES_ROUTE } from './replies.ts'
import { JsonText, ReplyParams } from './replies-schemas.ts'
import { DEFAULT_LIMIT, KeyParams, ListQuery, MAX_LIMIT } from './thread-schemas.ts'

/** A question about a thread, on its way to CometChat. */
export interface ThreadQuestion {
  readonly parentId: string
  readonly author: Caller
  readonly facts: LogFields
  /** False once the client has gone. */
  readonly isWaiting: () => boolean
  /** The caller's own, shorter deadline, in milliseconds. */
  readonly waitMs?: number
  readonly trace?: RequestTrace
}

/** A page of a thread, with the cursors of those beside it. */
export interface ThreadPage {
  /** JSON text of the list of its messages, oldest first. */
  readonly json: string
  /** Undefined at the beginning of the thread. */
  readonly older?: string
  readonly newer?: string
}

export interface ThreadOptions {
  /** Throws `invalid-request` for what is no cursor of this user in this thread, or is too old. */
  readonly list: (question: ThreadQuestion, limit: number, cursor: string | undefined) => Promise<ThreadPage>
  /** The message that a thread hangs on. */
  readonly show: (question: ThreadQuestion) => Promise<object>
  /** Says what is known of a reply with this key. Throws `idempotency-key-invalid` for what is none. */
  readonly lookUp: (question: ThreadQuestion, key: string) => Promise<KnownReply>
  /** Says from now on whether the client of a request still waits. */
  readonly presence: Pick<ClientPresence, 'of'>
}

export const THREAD_ROUTE = '/threads/:parentId'
const JSON_TYPE = 'application/json; charset=utf-8'

/** A thread, as the signed-in user sees it, and what is known of one's own reply in it. */
export const threadRoutes: FastifyPluginAsyncTypebox<ThreadOptions> = async (app, options) => {
  app.get(
    THREAD_ROUTE,
    { schema: { params: ReplyParams, response: { 200: JsonText } }, config: { operation: 'show-thread' } },
    async (request, response) => {
      const shown = await options.show(questionFrom(request, options))
      response.type(JSON_TYPE)
      return JSON.stringify({ data: shown })
    }
  )

  app.get(
    REPLIES_ROUTE,
    {
      schema: { params: ReplyParams, querystring: ListQuery, response: { 200: JsonText } },
      config: { operation: 'list-replies' }
    },
    async (request, response) => {
      const { limit, cursor } = request.query
      const { json, ...page } = await options.list(questionFrom(request, options), limitOf(limit), cursor)
      response.type(JSON_TYPE)
      return `{"data":${json},"page":${JSON.stringify(page)}}`
    }
  )

  app.get(
    `${REPLIES_ROUTE}/by-key/:key`,
    {
      schema: { params: KeyParams, response: { 200: JsonText } },
      config: { operation: 'look-up-reply', encodedParams: ['key'] }
    },
    async (request, response) => {
      const { body, ...known } = await options.lookUp(questionFrom(request, options), request.params.key)
      response.type(JSON_TYPE)
      // Already JSON: the answer that its sender got, or would have got.
      return body === undefined ? JSON.stringify(known) : `{"delivery":"sent",${body.slice(body.indexOf('{') + 1)}`
    }
  )
}

export function questionFrom(
  request: FastifyRequest & { readonly params: { readonly parentId: string } },
  { presence }: Pick<ThreadOptions, 'presence'>
): ThreadQuestion {
  const { params, [CALLER]: caller, [FACTS]: facts, [TRACE]: trace, headers, raw } = request
  const { waitMs } = parsePrefer(headers['prefer']?.toString())
  facts.parentId = params.parentId
  return {
    parentId: params.parentId,
    author: caller,
    facts,
    isWaiting: presence.of(raw),
    ...(waitMs !== undefined && { waitMs }),
    ...(trace && { trace })
  }
}

/** Throws `invalid-request` for what is no whole number of that range. */
function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  const detail = `It must be a whole number from 1 to ${MAX_LIMIT}.`
  throw invalidRequest('schema', [{ pointer: '/limit', code: 'out-of-range', detail }])
}
