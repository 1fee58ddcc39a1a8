import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { FACTS, type LogFields } from './log-fields.ts'

/** Where a request says that its line is written. */
export const HAS_LINE: unique symbol = Symbol('thread-reply.has-line')

declare module 'fastify' {
  interface FastifyRequest {
    [FACTS]: LogFields
    [HAS_LINE]: boolean
  }
}

export interface RequestLoggers {
  readonly log: Logger
  /** For a reply that exists or may exist: it writes at every level but `silent`. */
  readonly trail: Logger
}

export function createRequestLoggers(log: Logger): RequestLoggers {
  return { log, trail: trailOf(log) }
}

/** Writes at every level but `silent`. */
export function trailOf(log: Logger): Logger {
  return log.level === 'silent' ? log : log.child({}, { level: 'trace' })
}

/**
 * Writes the one line of a request: what was asked, who asked, as whom, and what is known about the reply. It goes with
 * the answer, also where the client has gone and hears nothing any more. False where it was written before.
 */
export function writeRequestLine(
  { log, trail }: RequestLoggers,
  request: FastifyRequest,
  response: FastifyReply
): boolean {
  if (request[HAS_LINE]) return false
  request[HAS_LINE] = true
  const { method, routeOptions, [FACTS]: facts } = request
  facts.method = method
  facts.route = routeOptions.url ?? 'none'
  facts.status = response.statusCode
  facts.noteDuration()
  const isTrail = facts.delivery === 'sent' || facts.delivery === 'unknown'
  const logger = isTrail ? trail : log
  logger[levelOf(response.statusCode)](facts, 'request')
  return true
}

/** `error` where somebody has to look, `warn` for what goes by itself, `info` for what its caller can mend. */
function levelOf(status: number): 'error' | 'warn' | 'info' {
  if (status === 500 || status === 502) return 'error'
  return status > 500 ? 'warn' : 'info'
}
