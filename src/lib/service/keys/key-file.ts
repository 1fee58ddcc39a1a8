import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isObject, type JsonObject } from '../../json.ts'
import { algorithmsOfKey } from './jwt-algorithms.ts'

/** RFC 7518 §3.3. */
const MIN_RSA_BITS = 2048
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g

/**
 * Reads public keys: PEM (public keys and certificates, one or several), a JWK, or a JWK set.
 * Throws a SyntaxError for anything else; its message is the rest of a sentence that begins with the file's name.
 */
export function parseKeyFile(text: string): { readonly keys: readonly JsonObject[] } {
  const keys = text.trimStart().startsWith('{') ? jsonKeys(text) : pemKeys(text)
  if (keys.length === 0) throw new SyntaxError('holds no key: neither PEM, nor a JWK, nor a JWK set')
  for (const key of keys) refuseSecret(key)
  const verifying = keys.filter(key => algorithmsOfKey(key).length > 0 && key['use'] !== 'enc')
  if (verifying.length === 0) throw new SyntaxError('holds no key that verifies a token')
  for (const key of verifying) refuseBroken(key)
  return { keys }
}

function jsonKeys(text: string): JsonObject[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new SyntaxError('is not JSON, or only half of it')
  }
  const listed: unknown = isObject(value) && Array.isArray(value['keys']) ? value['keys'] : [value]
  if (!Array.isArray(listed) || !listed.every(key => isObject(key) && typeof key['kty'] === 'string')) {
    throw new SyntaxError('holds something that is no JWK')
  }
  return listed
}

function pemKeys(text: string): JsonObject[] {
  return Array.from(text.matchAll(PEM_BLOCK), ([block, label = '']) => {
    if (label.includes('PRIVATE')) throw new SyntaxError(PRIVATE)
    try {
      const key = label.includes('CERTIFICATE') ? new X509Certificate(block).publicKey : createPublicKey(block)
      return { ...key.export({ format: 'jwk' }) }
    } catch {
      throw new SyntaxError('holds a PEM block that is no public key and no certificate')
    }
  })
}

const PRIVATE = 'holds a private key: only the issuer may have it; give this service the public one'

function refuseSecret({ kty, d }: JsonObject): void {
  if (kty === 'oct') throw new SyntaxError('holds a shared secret (oct): that belongs into AUTH_JWT_SECRET')
  if (d !== undefined) throw new SyntaxError(PRIVATE)
}

function refuseBroken(key: JsonObject): void {
  let found: KeyObject
  try {
    found = createPublicKey({ key, format: 'jwk' })
  } catch {
    throw new SyntaxError('holds a JWK that is broken')
  }
  const { modulusLength = MIN_RSA_BITS } = found.asymmetricKeyDetails ?? {}
  if (modulusLength < MIN_RSA_BITS) throw new SyntaxError(`holds an RSA key of fewer than ${MIN_RSA_BITS} bits`)
}
