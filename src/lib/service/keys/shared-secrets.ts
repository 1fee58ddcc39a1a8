import { Secret } from '../../secret.ts'

const MAX_SECRETS = 4
const MIN_BYTES = 32

/**
 * Reads the secrets that issuer and service share: one or several of at least 32 bytes, with commas or line breaks between
 * them. Throws a SyntaxError whose message is the rest of a sentence that begins with what held them.
 */
export function parseSharedSecrets(text: string): Secret[] {
  const secrets = text.split(/[,\r\n]+/).flatMap(line => line.trim() || [])
  const isLongEnough = secrets.every(secret => Buffer.byteLength(secret) >= MIN_BYTES)
  if (secrets.length === 0 || secrets.length > MAX_SECRETS || !isLongEnough) {
    throw new SyntaxError(
      `must hold 1 to ${MAX_SECRETS} secrets of at least ${MIN_BYTES} bytes, separated by commas or line breaks`
    )
  }
  return secrets.map(secret => new Secret(secret))
}
