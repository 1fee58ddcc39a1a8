import { AppError } from '../errors.ts'

export type Credential =
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'cookie'; readonly name: string; readonly value: string }

const BEARER = /^bearer +(\S+)$/i

/**
 * The one credential of a request, or a refusal.
 * Two are refused rather than ranked: whoever ranks them differently sees another user. A cookie of a session's name
 * counts as one even where sessions are off, so that switching them on changes nobody's identity.
 */
export function credentialOf(rawHeaders: readonly string[], cookieNames: readonly string[]): Credential {
  const authorization = valuesOf(rawHeaders, 'authorization')
  const cookies = valuesOf(rawHeaders, 'cookie').flatMap(header => cookiesNamed(header, cookieNames))
  if (authorization.length + cookies.length > 1) {
    throw new AppError('ambiguous-credentials', 'Send one credential: a bearer token or a session cookie, once.')
  }
  const [cookie] = cookies
  if (cookie) return cookie
  const [header] = authorization
  if (header === undefined) throw unauthenticated('A credential is needed.')
  const token = BEARER.exec(header)?.[1]
  if (token === undefined) throw unauthenticated('The authorization header must be a bearer token.')
  return { kind: 'bearer', token }
}

/** The refusal of a request without a usable credential. */
export function unauthenticated(publicDetail: string): AppError {
  return new AppError('unauthenticated', publicDetail, { challenge: 'Bearer' })
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '')
  }
  return values
}

/** RFC 6265 §4.2.1 pairs, as they were sent: decoding is for whoever knows the cookie. */
function cookiesNamed(header: string, names: readonly string[]): Credential[] {
  const found: Credential[] = []
  for (const pair of header.split(';')) {
    const end = pair.indexOf('=')
    const name = pair.slice(0, Math.max(0, end)).trim()
    if (names.includes(name)) found.push({ kind: 'cookie', name, value: pair.slice(end + 1).trim() })
  }
  return found
}
