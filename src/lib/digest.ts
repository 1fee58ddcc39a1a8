// SHA-256 over lists of texts. Each text is preceded by its length in bytes, so no two lists ever give the same bytes. What
// is stored under such a digest outlives the process: the two ways to write a length stay as they are.
import { createHash, createHmac, hash, type KeyObject } from 'node:crypto'

/** Lengths as decimal digits and a colon; as base64url. */
export function digestOf(...parts: readonly string[]): string {
  return hash('sha256', withLengths(parts), 'base64url')
}

/** The same with a key, in the encoding that is asked for. */
export function hmacOf(key: KeyObject, parts: readonly string[], encoding: 'base64url' | 'binary'): string {
  return createHmac('sha256', key).update(withLengths(parts)).digest(encoding)
}

/** Lengths as four bytes, big-endian. */
export function binaryDigestOf(...parts: readonly string[]): Buffer {
  const digest = createHash('sha256')
  for (const part of parts) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(part))
    digest.update(length).update(part)
  }
  return digest.digest()
}

/** One text for one update: an update for each part costs more than the digest. */
function withLengths(parts: readonly string[]): string {
  let text = ''
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`
  return text
}
