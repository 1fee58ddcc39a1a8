import type { CryptoKey, ProtectedHeaderParameters } from 'jose'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import * as errors from 'jose/errors'

export type VerificationKey = CryptoKey | Uint8Array

/** What of a token's header decides about its key. */
export interface KeyHint {
  readonly alg: string
  /** An id that was written as a number is its digits. */
  readonly kid?: string
}

/** Where the keys of an issuer come from. */
export interface KeySource {
  /**
   * The keys that may have signed a token, the likeliest first; none where it is sure that no key fits. The next one is
   * looked for when the former did not verify the token.
   * Throws `identity-provider-unavailable` where that cannot be known: without keys, or with keys that were read before
   * the token came. `signature` tells one token from another when it comes again.
   */
  candidates(hint: KeyHint, signature: string): AsyncIterable<VerificationKey>
  /** Changes whenever a key may have been withdrawn: what was verified before must be verified again. */
  readonly generation: number
  isReady(): boolean
  /** How many keys there are; for the operator. */
  readonly size: number
  /** Milliseconds since the keys were read from their issuer; undefined where they are not read from one, or never were. */
  readonly ageMs?: number | undefined
  close(): void
}

/** Any client can send tokens that name no key: so many signatures are checked for one, at most. */
const MAX_TRIES = 4

/** Calls back with each key that may have signed a token until one has; rejects as jose does when none has. */
export async function verifyWithKeys<T>(
  token: string,
  keys: KeySource,
  algorithms: readonly string[],
  verify: (key: VerificationKey) => Promise<T>
): Promise<T> {
  const header = decodeProtectedHeader(token)
  const hint = hintOf(header, algorithms)
  let failure: unknown = new errors.JWKSNoMatchingKey()
  let tries = 0
  for await (const key of keys.candidates(hint, token.slice(token.lastIndexOf('.') + 1))) {
    try {
      return await verify(key)
    } catch (error) {
      // Whatever else is wrong with a token, it has the right key.
      if (!isOfAnotherKey(error)) throw error
      failure = error
    }
    if (++tries === MAX_TRIES) break
  }
  throw failure
}

function hintOf({ alg, kid, ...others }: ProtectedHeaderParameters, algorithms: readonly string[]): KeyHint {
  // jose understands some extensions; this service understands none (RFC 7515 §4.1.11).
  if ('crit' in others) throw new errors.JOSENotSupported('crit')
  if (typeof alg !== 'string' || !algorithms.includes(alg)) throw new errors.JOSEAlgNotAllowed('alg')
  if (kid === undefined) return { alg }
  // RFC 7515 §4.1.4: an id is a text. Some issuers count; nothing else can be a key's.
  const id = keyIdOf(kid)
  if (id === undefined) throw new errors.JWKSNoMatchingKey()
  return { alg, kid: id }
}

/** The id of a key as a text; undefined for what cannot be one. */
export function keyIdOf(kid: unknown): string | undefined {
  return Number.isSafeInteger(kid) ? String(kid) : typeof kid === 'string' ? kid : undefined
}

/** A TypeError is a key that is of no use for this algorithm, such as a short one. */
function isOfAnotherKey(error: unknown): boolean {
  return error instanceof errors.JWSSignatureVerificationFailed || error instanceof TypeError
}
