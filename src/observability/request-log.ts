import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { LogFields } from './log-fields.ts'

declare module 'fastify' {
  interface FastifyRequest {
    facts: LogFields
    hasLine: boolean
  }
}

/**
 * Writes the one line of a request: what was asked, who asked, as whom, and what is known about the reply. It goes with
 * the answer, also where the client has gone and hears nothing any more.
 */
export function writeRequestLine(log: Logger, request: FastifyRequest, response: FastifyReply): void {
  if (request.hasLine) return
  request.hasLine = true
  const { id, method, routeOptions, facts } = request
  facts.requestId = id
  facts.method = method
  facts.route = routeOptions.url ?? 'none'
  facts.status = response.statusCode
  facts.durationMs = Math.round(response.elapsedTime * 10) / 10
  log.info(facts, 'request')
}
