import { createSecretKey, hash, randomBytes, randomUUID } from 'node:crypto'
import { hmacOf } from '../lib/digest.ts'
import { canonicalJson } from '../lib/json.ts'

/** Everything that makes two replies the same one. */
export interface RecordScope {
  readonly issuer: string
  readonly subject: string
  readonly uid: string
  readonly parentId: string
}

export interface RecordKeys {
  /** Name of the record: two users with the same key never share one. Without a key, a random one that no client can ask for. */
  recordKey(scope: RecordScope, idempotencyKey: string | undefined): string
  /**
   * 128 bits that identify the reply in CometChat; derived, so it survives the loss of the record. Without a record to
   * derive it from, random.
   */
  marker(recordKey: string | undefined): string
}

const MARKER_BYTES = 16

/** Names derived with a secret: a reader of the store or of a thread learns nothing about keys or users. */
export function createRecordKeys(secret: string | undefined): RecordKeys {
  const key = createSecretKey(secret === undefined ? randomBytes(32) : hash('sha256', secret, 'buffer'))
  return {
    recordKey(scope, idempotencyKey) {
      // Not as long as a derived name, so it is never one.
      if (idempotencyKey === undefined) return randomUUID()
      const { issuer, subject, uid, parentId } = scope
      return hmacOf(key, ['record', issuer, subject, uid, parentId, 'client', idempotencyKey], 'base64url')
    },
    marker(recordKey) {
      if (recordKey === undefined) return Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
      // One byte a letter: a Buffer for the whole digest would cost more than the digest.
      const digest = hmacOf(key, ['marker', recordKey], 'binary')
      return Buffer.from(digest.slice(0, MARKER_BYTES), 'binary').toString('base64url')
    }
  }
}

/** SHA-256 of a body in canonical form (RFC 8785): the order of members does not make another request. */
export function fingerprintOf(body: unknown): string {
  return hash('sha256', canonicalJson(body))
}
