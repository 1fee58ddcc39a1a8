// Tokens put together by hand, as an attacker would: no library refuses to make them.
import { createHmac, createPublicKey, type KeyObject, sign as signBytes } from 'node:crypto'
import type { JWK } from 'jose'

export type Json = Readonly<Record<string, unknown>>

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Header and payload with whatever signature; a string is taken as it is. */
export function tokenOf(header: unknown, payload: unknown, signature: Buffer | string = ''): string {
  return `${encode(header)}.${encode(payload)}.${Buffer.from(signature).toString('base64url')}`
}

/** Signed with HMAC, the key being whatever bytes the attacker hopes the service will use. */
export function hmacToken(header: Json, payload: unknown, key: string | Buffer, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`
}

/** Signed with RSA, PKCS #1 v1.5, whatever the header says. */
export function rsaToken(header: Json, payload: unknown, key: KeyObject, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signBytes(hash, Buffer.from(input), key).toString('base64url')}`
}

/** Every text that a published RSA key may be taken for as a secret. */
export function secretsFromPublicKey(jwk: JWK): Record<string, string | Buffer> {
  const key = createPublicKey({ key: jwk as Json, format: 'jwk' })
  const pem = key.export({ type: 'spki', format: 'pem' }).toString()
  return {
    PEM: pem,
    'PEM without the last line end': pem.trimEnd(),
    'PEM behind a blank': ` ${pem}`,
    'PEM behind a line end': `\n${pem}`,
    'PEM behind a byte order mark': `\ufeff${pem}`,
    'PEM with CR LF': pem.replaceAll('\n', '\r\n'),
    'PEM in PKCS #1': key.export({ type: 'pkcs1', format: 'pem' }).toString(),
    DER: key.export({ type: 'spki', format: 'der' }),
    'DER in PKCS #1': key.export({ type: 'pkcs1', format: 'der' }),
    'base64 of DER': key.export({ type: 'spki', format: 'der' }).toString('base64'),
    'JWK as JSON': JSON.stringify(jwk),
    'JWKS as JSON': JSON.stringify({ keys: [jwk] }),
    modulus: Buffer.from(String(jwk.n), 'base64url'),
    'modulus as text': String(jwk.n),
    'key id': String(jwk.kid),
    nothing: ''
  }
}
