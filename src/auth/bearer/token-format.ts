import type { CompactJWSHeaderParameters } from 'jose'
import * as errors from 'jose/errors'
import type { KeySource, VerificationKey } from './jwks/remote.ts'

const MAX_TOKEN_LENGTH = 8192
/** Stricter than jose: one valid token has one spelling, without padding or blanks. */
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** Whether it is worth looking for a key. */
export function isVerifiableToken(token: string): boolean {
  return token.length <= MAX_TOKEN_LENGTH && COMPACT_JWS.test(token)
}

/** True for what only its signature can judge; any other token means nothing to anybody but its issuer. */
export function isCompactJws(token: string): boolean {
  if (!COMPACT_JWS.test(token)) return false
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
    return typeof header === 'object' && header !== null && 'alg' in header
  } catch {
    return false
  }
}

/** Finds the key for a token by its `alg` and `kid` alone; rejects when there is none. */
export function keyFinder(keys: KeySource): (header: CompactJWSHeaderParameters) => Promise<VerificationKey> {
  return async header => {
    // jose understands some extensions; this service understands none (RFC 7515 §4.1.11).
    if ('crit' in header) throw new errors.JWSInvalid('crit')
    const key = await keys.find({ alg: header.alg, ...(header.kid !== undefined && { kid: header.kid }) })
    if (!key) throw new errors.JWKSNoMatchingKey()
    return key
  }
}
