import type { FastifyError } from 'fastify'
import { AppError, type Violation } from '../errors.ts'
import type { Reason } from '../lib/refusals/reasons.ts'
import { memberPointer } from './guard/body-hygiene.ts'

type SchemaFinding = NonNullable<FastifyError['validation']>[number]

const MAX_VIOLATIONS = 20

const MALFORMED: ReadonlyMap<string, Reason> = new Map([
  ['FST_ERR_CTP_EMPTY_JSON_BODY', 'body-empty'],
  ['FST_ERR_CTP_INVALID_JSON_BODY', 'body-json'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'body-cut-off'],
  ['FST_ERR_BAD_URL', 'target'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'target'],
  ['ECONNRESET', 'body-cut-off']
])

const VIOLATION_CODES: ReadonlyMap<string, string> = new Map([
  ['required', 'missing'],
  ['additionalProperties', 'unknown-member'],
  ['type', 'wrong-type'],
  ['enum', 'not-allowed'],
  ['const', 'not-allowed'],
  ['pattern', 'wrong-format'],
  ['minLength', 'too-short'],
  ['minItems', 'too-short'],
  ['minProperties', 'too-short'],
  ['maxLength', 'too-long'],
  ['maxItems', 'too-long'],
  ['maxProperties', 'too-long'],
  ['minimum', 'out-of-range'],
  ['maximum', 'out-of-range'],
  ['anyOf', 'wrong-type']
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
  return new AppError('invalid-request', 'The request is not valid; see errors.', { errors, reason })
}

/** A refusal for what a schema found; a hint for the pointer of an unknown member says where it belongs. */
export function invalid(findings: readonly SchemaFinding[], hints: ReadonlyMap<string, string> = new Map()): AppError {
  return invalidRequest(
    'schema',
    findings.slice(0, MAX_VIOLATIONS).map(finding => toViolation(finding, hints))
  )
}

function toViolation(finding: SchemaFinding, hints: ReadonlyMap<string, string>): Violation {
  const { keyword, instancePath, params, message } = finding
  const { missingProperty, additionalProperty, allowedValues } = params as Record<string, unknown>
  const member = missingProperty ?? additionalProperty
  const pointer = typeof member === 'string' ? memberPointer(instancePath, member) : instancePath
  const code = VIOLATION_CODES.get(keyword) ?? 'not-valid'
  if (code === 'missing') return { pointer, code, detail: 'The member is missing.' }
  if (code === 'unknown-member') return { pointer, code, detail: hints.get(pointer) ?? 'The member is not known here.' }
  if ('data' in finding && finding.data === null) {
    return { pointer, code, detail: 'It is null; leave the member out instead.' }
  }
  const allowed = Array.isArray(allowedValues) ? `: ${allowedValues.join(', ')}` : ''
  return { pointer, code, detail: `It ${message ?? 'is not valid'}${allowed}.` }
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

function internal(cause: unknown): AppError {
  const error = new AppError('internal', 'Something broke in this service; the request id helps to find it.')
  error.cause = cause
  return error
}
