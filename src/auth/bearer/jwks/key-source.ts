import type { CompactJWSHeaderParameters, CryptoKey, FlattenedJWSInput, JWSHeaderParameters } from 'jose'
import * as errors from 'jose/errors'

export type VerificationKey = CryptoKey | Uint8Array

/** Where the keys of an issuer come from. */
export interface KeySource {
  /**
   * The key that a token names by its header. Undefined where it is sure that no key fits.
   * Throws `identity-provider-unavailable` where that cannot be known: without keys, or with keys that were read before
   * the token came. `signature` tells one token from another when it comes again.
   */
  find(header: JWSHeaderParameters, signature: string): Promise<VerificationKey | undefined>
  /** Changes whenever a key may have been withdrawn: what was verified before must be verified again. */
  readonly generation: number
  isReady(): boolean
  close(): void
}

/** Finds the key of a token for jose, by `alg` and `kid` alone; rejects when there is none. */
export function keyFinder(keys: KeySource) {
  return async (header: CompactJWSHeaderParameters, { signature }: FlattenedJWSInput): Promise<VerificationKey> => {
    // jose understands some extensions; this service understands none (RFC 7515 §4.1.11).
    if ('crit' in header) throw new errors.JWSInvalid('crit')
    // RFC 7515 §4.1.4: an id is a text. Nothing else can be a new key's.
    if (header.kid !== undefined && typeof header.kid !== 'string') throw new errors.JWSInvalid('kid')
    const key = await keys.find({ alg: header.alg, ...(header.kid !== undefined && { kid: header.kid }) }, signature)
    if (!key) throw new errors.JWKSNoMatchingKey()
    return key
  }
}
