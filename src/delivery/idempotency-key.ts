import { AppError } from '../errors.ts'

const MAX_LENGTH = 255
/** A Structured Field string (RFC 9651 §3.3.3), as draft-ietf-httpapi-idempotency-key-header asks. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
/** The bare form that Stripe made common; a comma would be two headers joined into one. */
const BARE = /^[\x21\x23-\x2b\x2d-\x7e]+$/

/**
 * The key in an `Idempotency-Key` header, the same for both spellings.
 * Throws `idempotency-key-invalid`, or `idempotency-key-required` where one is demanded and missing.
 */
export function parseIdempotencyKey(header: string | undefined, required: boolean): string | undefined {
  if (header === undefined) {
    if (!required) return undefined
    throw new AppError('idempotency-key-required', 'Send an Idempotency-Key: one new key for each new reply.')
  }
  const key = QUOTED.exec(header)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? BARE.exec(header)?.[0]
  if (key !== undefined && key.length >= 1 && key.length <= MAX_LENGTH) return key
  throw new AppError('idempotency-key-invalid', `An Idempotency-Key has 1 to ${MAX_LENGTH} visible ASCII characters.`)
}
