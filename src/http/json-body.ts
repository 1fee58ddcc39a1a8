import { AppError } from '../errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Parses a body; throws `malformed-request` for what is not JSON in UTF-8; one byte order mark is skipped. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new AppError('malformed-request', 'The body is empty.', { reason: 'body-empty' })
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new AppError('malformed-request', 'The body is not valid JSON in UTF-8.', { reason: 'body-json' })
  }
}
