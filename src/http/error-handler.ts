import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { AppError } from '../errors.ts'
import { describeBug } from '../lib/bug.ts'
import { PROBLEMS } from '../lib/refusals/problems.ts'
import { LogFields, noteRefusal } from '../observability/log-fields.ts'
import { nothingHere, toAppError } from './framework-errors.ts'
import { setStandardHeaders } from './lifecycle.ts'
import { PROBLEM_MEDIA_TYPE, retryAfterSeconds, toProblem } from './problem.ts'

/** What a refusal is told as, for what is known of where the request came from. */
export type Judge = (error: AppError, request: FastifyRequest) => AppError

/** The one place where a refusal becomes an answer. */
export function setErrorHandler(app: FastifyInstance, log: Logger, judge: Judge = error => error): void {
  app.setErrorHandler((error, request, response) => {
    const refusal = judge(toAppError(error), request)
    if (refusal.code === 'internal') log.error({ requestId: request.id, ...describeBug(refusal.cause) }, 'bug')
    return answerProblem(refusal, request, response)
  })
  app.setNotFoundHandler((request, response) => answerProblem(nothingHere(), request, response))
}

/** Answers a request with the problem that an error stands for. */
export function answerProblem(thrown: unknown, request: FastifyRequest, response: FastifyReply): FastifyReply {
  const error = toAppError(thrown)
  const { challenge } = error.options
  const problem = toProblem(error, request.id, request.headers['idempotency-key'] !== undefined)
  setStandardHeaders(response, request.id)
  // Fastify refuses some requests before any hook of ours ran.
  request.facts ??= new LogFields()
  noteRefusal(request.facts, error)
  if (challenge !== undefined) response.header('www-authenticate', challenge)
  if (problem.retryAfterMs !== undefined) response.header('retry-after', retryAfterSeconds(problem.retryAfterMs))
  // Serialised here: a response schema must never be able to drop a member of a refusal.
  return response
    .code(PROBLEMS[error.code].status)
    .type(PROBLEM_MEDIA_TYPE)
    .serializer(String)
    .send(JSON.stringify(problem))
}
