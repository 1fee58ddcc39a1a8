import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { AppError } from '../errors.ts'
import { describeBug } from '../lib/bug.ts'
import { isObject } from '../lib/json.ts'
import { PROBLEMS } from '../lib/refusals/problems.ts'
import { FACTS, LogFields, noteRefusal } from '../observability/log-fields.ts'
import { nothingHere, toAppError } from './framework-errors.ts'
import { holdAnswer } from './guard/host-ways.ts'
import { shownRequestId } from './head/request-ids.ts'
import { setStandardHeaders } from './lifecycle.ts'
import { PROBLEM_MEDIA_TYPE, retryAfterSeconds, toProblem } from './problem.ts'

/** What a refusal is told as, for what is known of where the request came from. */
export type Judge = (error: AppError, request: FastifyRequest) => AppError

export interface ErrorHandlerOptions {
  readonly log: Logger
  readonly judge?: Judge
  /** Inside a host's app, whose hooks may refuse requests, too. */
  readonly isHosted?: boolean
}

/** The one place where a refusal becomes an answer. */
export function setErrorHandler(
  app: FastifyInstance,
  { log, judge = error => error, isHosted = false }: ErrorHandlerOptions
): void {
  app.setErrorHandler((thrown, request, response) => {
    const error = isHosted ? refusalOfHost(thrown, request, response) : thrown
    const refusal = asKnown(judge(toAppError(error), request), factsOf(request))
    if (refusal.code === 'internal')
      log.error({ requestId: factsOf(request).requestId, ...describeBug(refusal.cause) }, 'bug')
    // Fastify takes the headers of a body away that is not sent.
    if (isHosted) holdAnswer(response)
    return answerProblem(refusal, request, response)
  })
}

/** For an app or a prefix in which everything without a route is ours to answer. */
export function setNotFoundHandler(app: FastifyInstance): void {
  app.setNotFoundHandler((request, response) => answerProblem(nothingHere(), request, response))
}

/** A bug that shows once a reply is posted, or may be, does not make it one that was not sent. */
function asKnown(refusal: AppError, { delivery, messageId }: LogFields): AppError {
  if (refusal.code !== 'internal' || delivery === undefined || delivery === 'not-sent') return refusal
  const known = new AppError('internal', refusal.message, { delivery, ...(messageId !== undefined && { messageId }) })
  known.cause = refusal.cause
  return known
}

/**
 * What a host's own hook refuses a request with, before anything is sent, is the host's to answer: it is thrown again. But
 * for `429`, which clients of ours know as a problem, with the time that the host says in `Retry-After`.
 */
function refusalOfHost(thrown: unknown, { [FACTS]: facts }: FastifyRequest, response: FastifyReply): unknown {
  const status = statusOf(thrown)
  // A reply may be on its way or posted: that is for us to tell.
  if (status === undefined || (facts?.delivery !== undefined && facts.delivery !== 'not-sent')) return thrown
  if (status !== 429) throw thrown
  const seconds = Number(response.getHeader('retry-after') ?? Number.NaN)
  return new AppError('rate-limited', 'The app that this is part of gets too many requests.', {
    retryAfterMs: seconds >= 0 ? seconds * 1000 : 1000,
    reason: 'limit-host'
  })
}

/** The status that somebody else's error wants to be answered with. */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof AppError || !isObject(thrown)) return undefined
  const { statusCode, code } = thrown
  // Fastify's own are known to the list of framework-errors.ts.
  if (typeof statusCode !== 'number' || String(code).startsWith('FST_')) return undefined
  return statusCode >= 400 && statusCode < 600 && statusCode !== 500 ? statusCode : undefined
}

/** Answers a request with the problem that an error stands for. */
export function answerProblem(thrown: unknown, request: FastifyRequest, response: FastifyReply): FastifyReply {
  const error = toAppError(thrown)
  const { challenge } = error.options
  const facts = factsOf(request)
  const { requestId = '' } = facts
  const problem = toProblem(error, requestId, request.headers['idempotency-key'] !== undefined)
  setStandardHeaders(response, requestId)
  noteRefusal(facts, error)
  if (challenge !== undefined) response.header('www-authenticate', challenge)
  if (problem.retryAfterMs !== undefined) response.header('retry-after', retryAfterSeconds(problem.retryAfterMs))
  // Serialised here: a response schema must never be able to drop a member of a refusal.
  return response
    .code(PROBLEMS[error.code].status)
    .type(PROBLEM_MEDIA_TYPE)
    .serializer(String)
    .send(JSON.stringify(problem))
}

/** Fastify refuses some requests before any hook of ours ran. */
function factsOf(request: FastifyRequest): LogFields {
  request[FACTS] ??= new LogFields()
  request[FACTS].requestId ??= shownRequestId(request.id)
  return request[FACTS]
}
