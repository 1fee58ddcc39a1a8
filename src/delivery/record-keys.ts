import { createSecretKey, hash, randomBytes, randomUUID } from 'node:crypto'
import { AppError } from '../errors.ts'
import { hmacOf } from '../lib/digest.ts'
import { canonicalJson } from '../lib/json.ts'

const MAX_KEY_LENGTH = 255
/** A Structured Field string (RFC 9651 §3.3.3), as draft-ietf-httpapi-idempotency-key-header asks. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
/** The bare form that Stripe made common; a comma would be two headers joined into one. */
const BARE = /^[\x21\x23-\x2b\x2d-\x7e]+$/
/** What either form can hold. */
const VISIBLE = /^[\x20-\x7e]+$/

/**
 * The key in an `Idempotency-Key` header, the same for both spellings.
 * Throws `idempotency-key-invalid`, or `idempotency-key-required` where one is demanded and missing.
 */
export function parseIdempotencyKey(header: string | undefined, required: boolean): string | undefined {
  if (header === undefined) {
    if (!required) return undefined
    throw new AppError('idempotency-key-required', 'Send an Idempotency-Key: one new key for each new reply.')
  }
  return checkIdempotencyKey(QUOTED.exec(header)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? BARE.exec(header)?.[0])
}

/** The key, without quotes and escapes. Throws `idempotency-key-invalid` for what no header could hold. */
export function checkIdempotencyKey(key: string | undefined): string {
  if (key !== undefined && key.length <= MAX_KEY_LENGTH && VISIBLE.test(key)) return key
  throw new AppError(
    'idempotency-key-invalid',
    `An Idempotency-Key has 1 to ${MAX_KEY_LENGTH} visible ASCII characters.`
  )
}

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
  /** Name of a note about a message that was deleted; never that of a record. */
  noteKey(parts: readonly string[]): string
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
    noteKey: parts => hmacOf(key, ['deleted', ...parts], 'base64url'),
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
