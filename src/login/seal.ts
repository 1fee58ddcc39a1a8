import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

/** Turns values into text that says nothing and cannot be changed (AES-256-GCM), and back. */
export interface Sealer {
  /** `context` must be the same when the text is opened: text sealed for one purpose is worthless for another. */
  seal(value: unknown, context: string): string
  /** Undefined for whatever this sealer did not seal in this context. */
  open(text: string, context: string): unknown
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A sealer whose keys come from one secret, a fresh one for each context. */
export function createSealer(secret: string | Buffer): Sealer {
  const keyOf = (context: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `login:${context}`, 32))
  return {
    seal(value, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyOf(context), nonce)
      const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
      return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')
    },
    open(text, context) {
      const bytes = Buffer.from(text, 'base64url')
      if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', keyOf(context), bytes.subarray(0, NONCE_BYTES))
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
        const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
        return JSON.parse(plain.toString('utf8'))
      } catch {
        return undefined
      }
    }
  }
}

/** 256 random bits, as text for a cookie or a URL. */
export function randomId(): string {
  return randomBytes(32).toString('base64url')
}

/** SHA-256 over length-prefixed parts, so that no two lists of parts ever share a name. */
export function nameOf(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part)
  return hash.digest('base64url')
}
