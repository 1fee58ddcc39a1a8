import { AppError } from '../errors.ts'

const BEARER = /^bearer +(\S+)$/i

/**
 * The bearer token of a request, or a refusal.
 * Two credentials are refused rather than ranked: whoever ranks them differently sees another user.
 * A cookie of the session's name counts as one, so that switching sessions on changes nobody's identity.
 */
export function bearerTokenOf(rawHeaders: readonly string[], sessionCookie: string): string {
  const authorization = valuesOf(rawHeaders, 'authorization')
  const cookies = valuesOf(rawHeaders, 'cookie').flatMap(value => cookiesNamed(value, sessionCookie))
  if (authorization.length + cookies.length > 1) {
    throw new AppError('ambiguous-credentials', 'Send one credential: a bearer token or a session cookie, once.')
  }
  const [header] = authorization
  if (header === undefined) throw noCredential('A bearer token is needed.')
  const token = BEARER.exec(header)?.[1]
  if (token === undefined) throw noCredential('The authorization header must be a bearer token.')
  return token
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '')
  }
  return values
}

function cookiesNamed(header: string, name: string): string[] {
  return header.split(';').filter(pair => pair.slice(0, Math.max(0, pair.indexOf('='))).trim() === name)
}

function noCredential(publicDetail: string): AppError {
  return new AppError('unauthenticated', publicDetail, { challenge: 'Bearer' })
}
