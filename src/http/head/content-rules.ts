import { AppError } from '../../errors.ts'
import { asciiLowerCase } from '../../lib/ascii.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a POST may come without a body, and then without a type of one. */
    readonly needsNoBody?: boolean
  }
}

const JSON_TYPE = /^application\/json[ \t]*(?=;|$)/i
/** One parameter (RFC 9110 §5.6.6), or none behind a semicolon. A single quote is a character of a token like any other. */
const PARAMETER = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=("(?:[^"\\]|\\.)*"|[\w!#$%&'*+.^`|~-]+))?[ \t]*/gy
const UTF_8 = /^(["']?)utf-?8\1$/

type Headers = Readonly<Record<string, string | string[] | undefined>>

const WITHOUT_CONTENT: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * Whether a request has a body that is read, or must have one: of a GET or HEAD none is (RFC 9110 §9.3.1), and a DELETE
 * may have one.
 */
export function hasContent({ method, headers }: { readonly method: string; readonly headers: Headers }): boolean {
  return method === 'DELETE' ? !isEmpty({ headers }) : !WITHOUT_CONTENT.has(method)
}

/** Whether a request says that it has no body. */
export function isEmpty({ headers }: { readonly headers: Headers }): boolean {
  const { 'content-type': type, 'content-length': length = '0', 'transfer-encoding': coding } = headers
  return type === undefined && length === '0' && coding === undefined
}

/** Throws `unsupported-media-type` unless the body is announced as plain JSON in UTF-8, as clients write that. */
export function checkContent(headers: Headers): void {
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
