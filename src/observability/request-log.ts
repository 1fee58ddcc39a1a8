import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { DeliveryState, ProblemCode } from '../errors.ts'

const MAX_SUBJECT_LENGTH = 128

declare module 'fastify' {
  interface FastifyRequest {
    facts: RequestFacts
    hasLine: boolean
  }
}

/**
 * What may be said of a request in the log: this list and nothing else, never a header, a body or a raw error. Every
 * object has all of it from the beginning, in this order; what stays undefined is not written.
 */
export class RequestFacts {
  requestId?: string
  method?: string
  route?: string
  status?: number
  durationMs?: number
  code?: ProblemCode
  delivery?: DeliveryState
  reason?: string
  scheme?: string
  issuer?: string
  subject?: string
  uid?: string
  actors?: readonly string[]
  parentId?: string
  messageId?: string
  replayed?: boolean
  reconciled?: 'found' | 'absent' | 'unclear'
  attempts?: number
  upstreamMs?: number
  upstreamStatus?: number
  upstreamCode?: string
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

/** Who asks, and as whom. */
export function noteCaller(
  facts: RequestFacts,
  {
    scheme,
    issuer,
    subject,
    uid,
    actors
  }: Required<Pick<RequestFacts, 'scheme' | 'issuer' | 'subject' | 'uid' | 'actors'>>
): void {
  facts.scheme = scheme
  facts.issuer = issuer
  facts.subject = subject.slice(0, MAX_SUBJECT_LENGTH)
  facts.uid = uid
  if (actors.length > 0) facts.actors = actors
}
