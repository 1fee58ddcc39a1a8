import type { Authenticator } from '../authenticator.ts'

/** Of any bearer token: tokens with many groups or roles are long, and all headers together have 16 KiB. */
export const MAX_TOKEN_LENGTH = 12 * 1024
/** RFC 7515 §7.1. Stricter than jose, which also takes padding, blanks and the alphabet of plain base64. */
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

const COMPACT_JWE = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$/

/** Whether it is worth looking for a key. */
export function isVerifiableToken(token: string): boolean {
  return token.length <= MAX_TOKEN_LENGTH && COMPACT_JWS.test(token)
}

/** Why it is not. */
export function formFault(token: string): 'token-too-long' | 'token-encrypted' | 'token-form' {
  if (token.length > MAX_TOKEN_LENGTH) return 'token-too-long'
  return COMPACT_JWE.test(token) ? 'token-encrypted' : 'token-form'
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
