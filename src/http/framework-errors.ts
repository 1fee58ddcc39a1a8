import type { FastifyError } from 'fastify'
import { AppError } from '../errors.ts'
import type { Reason } from '../lib/refusals/reasons.ts'
import { MAX_VIOLATIONS, type Violation } from '../lib/refusals/violations.ts'
import { type SchemaFinding, violationOf } from './schema-violations.ts'

const OF_USERS: ReadonlySet<string> = new Set(['too-short', 'too-long', 'too-few', 'too-many'])

const MALFORMED: ReadonlyMap<string, Reason> = new Map([
  ['FST_ERR_CTP_EMPTY_JSON_BODY', 'body-empty'],
  ['FST_ERR_CTP_INVALID_JSON_BODY', 'body-json'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'body-cut-off'],
  ['FST_ERR_BAD_URL', 'target'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'target'],
  ['ECONNRESET', 'body-cut-off']
])

/** Turns what was thrown into one of our refusals; an error that this list does not know is `internal`. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (!isFastifyError(error)) return internal(error)
  if (error.validation) return invalid(error.validation)
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AppError('payload-too-large', 'The body is too large.')
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new AppError('unsupported-media-type', 'Send content-type: application/json.', { reason: 'content-type' })
  }
  const reason = MALFORMED.get(error.code)
  return reason ? new AppError('malformed-request', 'The request cannot be read.', { reason }) : internal(error)
}

/** A refusal for an address without a route. */
export function nothingHere(): AppError {
  return new AppError('not-found', 'There is nothing at this address.')
}

/** A refusal for a request that breaks the schema. */
export function invalidRequest(reason: Reason, errors: readonly Violation[]): AppError {
  const whose = errors.length > 0 && errors.every(isOfUser) ? 'user' : 'developer'
  return new AppError('invalid-request', 'The request is not valid; see errors.', { errors, reason, whose })
}

/** What somebody wrote is too much or too little; every other fault was made by a program. */
function isOfUser({ pointer, code }: Violation): boolean {
  return OF_USERS.has(code) && (pointer === '' || pointer === '/data/text' || pointer.startsWith('/data/attachments'))
}

/** A refusal for what a schema found; a hint for the pointer of an unknown member says where it belongs. */
export function invalid(findings: readonly SchemaFinding[], hints: ReadonlyMap<string, string> = new Map()): AppError {
  return invalidRequest(
    'schema',
    findings.slice(0, MAX_VIOLATIONS).map(finding => violationOf(finding, hints))
  )
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

function internal(cause: unknown): AppError {
  const error = new AppError('internal', 'Something broke in this service; the request id helps to find it.')
  error.cause = cause
  return error
}
