import { createHash, createHmac, createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto'

/** Everything that makes two replies the same one. */
export interface RecordScope {
  readonly issuer: string
  readonly subject: string
  readonly uid: string
  readonly parentId: string
}

export interface RecordNames {
  /** Name of the record: two users with the same key never share one. Without a key, a name nobody can ask for. */
  recordKey(scope: RecordScope, idempotencyKey: string | undefined): string
  /** 128 bits that identify the reply in CometChat; derived, so it survives the loss of the record. */
  marker(recordKey: string): string
}

const MARKER_BYTES = 16

/** Names derived with a secret: whoever reads the store or a thread learns nothing about keys or users. */
export function createRecordNames(secret: string | undefined): RecordNames {
  const key = createSecretKey(secret === undefined ? randomBytes(32) : hash('sha256', secret, 'buffer'))
  return {
    recordKey(scope, idempotencyKey) {
      const last =
        idempotencyKey === undefined ? ['random', randomBytes(16).toString('hex')] : ['client', idempotencyKey]
      const parts = ['record', scope.issuer, scope.subject, scope.uid, scope.parentId, ...last]
      return hmac(key, parts).toString('base64url')
    },
    marker: recordKey => hmac(key, ['marker', recordKey]).subarray(0, MARKER_BYTES).toString('base64url')
  }
}

/** SHA-256 of a body in canonical form (RFC 8785): the order of members does not make another request. */
export function fingerprintOf(body: unknown): string {
  return createHash('sha256').update(canonicalJson(body)).digest('hex')
}

/** JSON with sorted members, as RFC 8785 orders and writes them. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  const sorted = members.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}

/** Each part is preceded by its length, so no two lists of parts ever give the same bytes. */
function hmac(key: KeyObject, parts: readonly string[]): Buffer {
  const text = parts.map(part => `${Buffer.byteLength(part)}:${part}`).join('')
  return createHmac('sha256', key).update(text).digest()
}
