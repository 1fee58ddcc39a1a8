import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Delivery, ProblemCode } from '../errors.ts'

/** What may be said of a request in the log: this list and nothing else, never a header, a body or a raw error. */
export interface RequestFacts {
  requestId?: string
  method?: string
  route?: string
  status?: number
  durationMs?: number
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
    /** Whether its line is written, or waits for the answer to be out. */
    hasLine: boolean
  }
}

export interface RequestLines {
  begin(request: FastifyRequest): void
  /** The answer is on its way out: the line follows it. */
  end(request: FastifyRequest, reply: FastifyReply): void
}

/** One line a request: what was asked, who asked, as whom, and what is known about the reply. */
export function createRequestLines(log: Logger): RequestLines {
  function write({ id, method, routeOptions, facts }: FastifyRequest, reply: FastifyReply): void {
    facts.requestId = id
    facts.method = method
    facts.route = routeOptions.url ?? 'none'
    facts.status = reply.statusCode
    facts.durationMs = Math.round(reply.elapsedTime * 10) / 10
    log.info(facts, 'request')
  }

  return {
    begin(request) {
      request.facts = {}
    },

    end(request, reply) {
      if (request.hasLine) return
      request.hasLine = true
      // A client that went away is told of nothing any more, but what became of its reply must be known all the same.
      if (request.raw.socket.destroyed) write(request, reply)
      else reply.raw.on('close', () => write(request, reply))
    }
  }
}
