import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Logger } from 'pino'
import type { Delivery, ProblemCode } from '../errors.ts'

/** What may be said of a request in the log: this list and nothing else, never a header, a body or a raw error. */
export interface RequestFacts {
  code?: ProblemCode
  delivery?: Delivery
  reason?: string
  scheme?: string
  issuer?: string
  subject?: string
  uid?: string
  actors?: readonly string[]
  parentId?: string
  messageId?: string
  replayed?: boolean
  attempts?: number
  upstreamMs?: number
  upstreamStatus?: number
  upstreamCode?: string
}

declare module 'fastify' {
  interface FastifyRequest {
    facts: RequestFacts
  }
}

/** Writes one line a request: what was asked, who asked, as whom, and what is known about the reply. */
export const requestLine = fp<{ log: Logger }>(
  async (app, { log }) => {
    app.decorateRequest('facts', null as unknown as RequestFacts)
    app.addHook('onRequest', async request => {
      request.facts = {}
    })
    const written = new WeakSet<FastifyRequest>()
    const write = (request: FastifyRequest, reply: FastifyReply): void => {
      if (written.has(request)) return
      written.add(request)
      log.info(
        {
          requestId: request.id,
          method: request.method,
          route: request.routeOptions.url ?? 'none',
          status: reply.statusCode,
          durationMs: Math.round(reply.elapsedTime * 10) / 10,
          ...request.facts
        },
        'request'
      )
    }
    app.addHook('onResponse', async (request, reply) => write(request, reply))
    // Fastify has no onResponse for a client that went away, and what became of its reply must be known all the same.
    app.addHook('onSend', async (request, reply) => {
      if (request.raw.socket.destroyed) write(request, reply)
      else reply.raw.once('close', () => write(request, reply))
    })
  },
  { name: 'request-line', fastify: '5.x' }
)
