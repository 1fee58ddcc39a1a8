import type { Secret } from '../../lib/secret.ts'

/**
 * HTTP Basic for an OAuth client (RFC 6749 §2.3.1): id and secret are form-encoded first, so that a colon or a
 * percent sign in them survives.
 */
export function basicAuthorization(clientId: string, clientSecret: Secret): string {
  const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret.reveal())}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function formEncoded(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1)
}
