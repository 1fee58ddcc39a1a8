import { LOGIN_COOKIE, SESSION_COOKIE } from '../../lib/service/cookie-names.ts'
import type { EnvReader } from '../env-reader.ts'
import { decides, isReserved } from './known-headers.ts'

/** A token (RFC 9110 §5.6.2), which names of headers and of cookies are. */
export const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]{1,128}$/
export const HEADER_NAME = COOKIE_NAME

interface Others {
  readonly isBearerOn: boolean
  /** Undefined where the sessions of a backend are off. */
  readonly sessionCookie: string | undefined
}

/** Where a token may stand beside `Authorization`. */
export function loadTokenPlaces(reader: EnvReader, { isBearerOn, sessionCookie }: Others) {
  const header = reader.one('AUTH_JWT_HEADER', HEADER_NAME, 'the name of a header')?.toLowerCase()
  const cookie = reader.one('AUTH_JWT_COOKIE', COOKIE_NAME, 'the name of a cookie')
  if (header !== undefined && (decides(header) || isReserved(header))) {
    reader.refuse(`AUTH_JWT_HEADER must not be ${header}: that header means something else.`)
  }
  if (cookie !== undefined && [SESSION_COOKIE, LOGIN_COOKIE, sessionCookie].includes(cookie)) {
    reader.refuse(`AUTH_JWT_COOKIE must not be ${cookie}: that cookie holds a session and no token.`)
  }
  for (const name of ['AUTH_JWT_HEADER', 'AUTH_JWT_COOKIE']) {
    if (!isBearerOn && reader.has(name)) reader.refuse(`${name} needs AUTH_JWT_ISSUER: bearer tokens are off.`)
  }
  return { header, cookie }
}
