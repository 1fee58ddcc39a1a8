import type { Authenticator } from '../authenticator.ts'

const MAX_TOKEN_LENGTH = 8192
/** RFC 7515 §7.1. Stricter than jose, which also takes padding, blanks and the alphabet of plain base64. */
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** Whether it is worth looking for a key. */
export function isVerifiableToken(token: string): boolean {
  return token.length <= MAX_TOKEN_LENGTH && COMPACT_JWS.test(token)
}

/** True for what only its signature can judge; any other token means nothing but to its issuer. */
export function isCompactJws(token: string): boolean {
  if (!COMPACT_JWS.test(token)) return false
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
    return typeof header === 'object' && header !== null && 'alg' in header
  } catch {
    return false
  }
}

/** Leaves each token to what can judge it: a JWT to its signature, any other to the issuer. */
export function routeByTokenFormat(jwt: Authenticator, opaque: Authenticator): Authenticator {
  return (token, sender) => (isCompactJws(token) ? jwt(token, sender) : opaque(token, sender))
}
