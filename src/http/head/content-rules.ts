import type { FastifyRequest } from 'fastify'
import { AppError } from '../../errors.ts'
import { asciiLowerCase } from '../../lib/ascii.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a call may come without a body, and then without a type of one. */
    readonly needsNoBody?: boolean
  }
}

const JSON_TYPE = /^application\/json[ \t]*(?=;|$)/i
/** One parameter (RFC 9110 §5.6.6), or none behind a semicolon. A single quote is a character of a token like any other. */
const PARAMETER = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=("(?:[^"\\]|\\.)*"|[\w!#$%&'*+.^`|~-]+))?[ \t]*/gy
const UTF_8 = /^(["']?)utf-?8\1$/

/** Of these no body is read (RFC 9110 §9.3.1). */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * Throws `unsupported-media-type` unless the body, where one is read, is announced as plain JSON in UTF-8, as clients write
 * that. A DELETE may have none.
 */
export function checkContent({
  method,
  headers,
  routeOptions
}: Pick<FastifyRequest, 'method' | 'headers' | 'routeOptions'>): void {
  if (WITHOUT_CONTENT.has(method)) return
  const mayBeEmpty = method === 'DELETE' || routeOptions.config.needsNoBody === true
  if (mayBeEmpty && isEmpty(headers)) return
  const { 'content-encoding': encoding = 'identity', 'content-type': type } = headers
  if (asciiLowerCase(String(encoding)) !== 'identity') {
    throw new AppError('unsupported-media-type', 'Send the body without a content-encoding.', {
      reason: 'content-encoding'
    })
  }
  if (type === 'application/json' || (typeof type === 'string' && isJsonInUtf8(type))) return
  throw new AppError('unsupported-media-type', 'Send content-type: application/json, in UTF-8.', {
    reason: 'content-type'
  })
}

/** Whether a request says that it has no body. */
function isEmpty(headers: FastifyRequest['headers']): boolean {
  const { 'content-type': type, 'content-length': length = '0', 'transfer-encoding': coding } = headers
  return type === undefined && length === '0' && coding === undefined
}

/** JSON has one charset (RFC 8259 §8.1); what else a parameter says of JSON means nothing. */
function isJsonInUtf8(type: string): boolean {
  let end = JSON_TYPE.exec(type)?.[0].length
  if (end === undefined) return false
  for (const [all, name = '', value = ''] of type.slice(end).matchAll(PARAMETER)) {
    if (asciiLowerCase(name) === 'charset' && !UTF_8.test(asciiLowerCase(value))) return false
    end += all.length
  }
  return end === type.length
}
