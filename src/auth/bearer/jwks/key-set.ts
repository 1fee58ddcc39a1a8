import type { CryptoKey, JSONWebKeySet, JWSHeaderParameters } from 'jose'
import * as errors from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'

/** The public keys of a JWK set (RFC 7517 §5). */
export interface KeySet {
  /** Equal for two sets that hold the same. */
  readonly text: string
  /** Whether a key has this id; of no id it is never known. */
  hasId(id: unknown): boolean
  /** Undefined when no key fits `alg` and `kid`, or several do. */
  find(header: JWSHeaderParameters): Promise<CryptoKey | undefined>
}

const MAX_KEYS = 100

/** Throws a TypeError for anything but a key set with a public key in it. */
export function parseKeySet(value: unknown): KeySet {
  const keySet = publicKeys(value)
  const ids = new Set(keySet.keys.map(({ kid }) => kid))
  const find = createLocalJWKSet(keySet)
  return {
    text: JSON.stringify(keySet),
    hasId: id => id !== undefined && ids.has(id as string),
    async find(header) {
      try {
        return await find(header)
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    }
  }
}

function publicKeys(value: unknown): JSONWebKeySet {
  const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) throw new TypeError('not a key set')
  const named = keys.filter(key => typeof key === 'object' && key !== null && typeof key.kty === 'string')
  // A published secret is no secret: only public keys verify a published signature.
  const usable = named.filter(key => key.kty !== 'oct' && key.use !== 'enc')
  if (usable.length === 0) throw new TypeError('no key that verifies')
  return { keys: usable }
}
