import type { AppError } from '../errors.ts'
import { PROBLEMS } from '../lib/refusals/problems.ts'
import type { Problem } from './problem-schema.ts'

export const PROBLEM_TYPE_PREFIX = 'urn:thread-reply-bff:problem:'
export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** The body of a refusal; nothing in it comes from outside but the request id. */
export function toProblem(error: AppError, requestId: string, hasIdempotencyKey: boolean): Problem {
  const { status, title, whose } = PROBLEMS[error.code]
  const { retryAfterMs, messageId, errors, violatedPolicies } = error.options
  const retryable = error.isRetryable(hasIdempotencyKey)
  return {
    type: PROBLEM_TYPE_PREFIX + error.code,
    title,
    status,
    detail: error.message,
    instance: `urn:request:${requestId}`,
    code: error.code,
    delivery: error.delivery,
    retryable,
    whose: error.options.whose ?? whose,
    // Clients and proxies resend when they see it, so it only stands where that cannot double a reply.
    ...(retryable && retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
    ...(messageId !== undefined && { messageId }),
    ...(errors !== undefined && { errors }),
    ...(violatedPolicies !== undefined && { 'violated-policies': violatedPolicies })
  }
}

/** `Retry-After` in whole seconds, never earlier than meant. */
export function retryAfterSeconds(retryAfterMs: number): string {
  return String(Math.max(1, Math.ceil(retryAfterMs / 1000)))
}
