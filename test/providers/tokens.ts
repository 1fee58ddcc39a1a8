// Tokens as providers sign them, and the keys that they publish.
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export interface Key {
  readonly alg: string
  readonly kid?: string
  sign(text: string): Buffer
  /** As it is published. */
  readonly jwk: Readonly<Record<string, unknown>>
  readonly pem: string
}

const HASHES: Readonly<Record<string, string>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }
const PAIRS = {
  rsa: pair('rsa', { modulusLength: 2048 }),
  foreignRsa: pair('rsa', { modulusLength: 2048 }),
  p256: pair('ec', { namedCurve: 'P-256' }),
  p384: pair('ec', { namedCurve: 'P-384' }),
  ed25519: pair('ed25519', {})
}
const NAMES = { RS256: 'rsa', ES256: 'p256', ES384: 'p384', EdDSA: 'ed25519' } as const

/** Every provider has the same few keys, under ids of its own. */
export function keyOf(alg: keyof typeof NAMES, kid?: string, material: keyof typeof PAIRS = NAMES[alg]): Key {
  const { privateKey, publicKey } = PAIRS[material]
  return {
    alg,
    ...(kid !== undefined && { kid }),
    sign: text => signed(alg, text, privateKey),
    jwk: { ...publicKey.export({ format: 'jwk' }), ...(kid !== undefined && { kid }), alg, use: 'sig' },
    pem: publicKey.export({ format: 'pem', type: 'spki' }).toString()
  }
}

/** A key that nobody publishes, under the id of one that somebody does. */
export function foreignKey(kid?: string): Key {
  return keyOf('RS256', kid, 'foreignRsa')
}

export function secretKey(alg: 'HS256' | 'HS384' | 'HS512', secret: string, kid?: string): Key {
  const sign = (text: string): Buffer =>
    createHmac(HASHES[alg.slice(2)] ?? '', secret)
      .update(text)
      .digest()
  return { alg, ...(kid !== undefined && { kid }), sign, jwk: {}, pem: '' }
}

function pair(type: 'rsa' | 'ec' | 'ed25519', options: object): { privateKey: KeyObject; publicKey: KeyObject } {
  return (generateKeyPairSync as (type: string, options: object) => ReturnType<typeof pair>)(type, options)
}

function signed(alg: string, text: string, key: KeyObject): Buffer {
  const hash = HASHES[alg.slice(2)]
  return sign(hash, Buffer.from(text), alg.startsWith('ES') ? { key, dsaEncoding: 'ieee-p1363' } : key)
}

export const NOW = Math.floor(Date.now() / 1000)
/** Of tokens that live for an hour. */
export const LIVES = { iat: NOW, exp: NOW + 3600 }
export const EXPIRED = { iat: NOW - 7200, exp: NOW - 3600 }

/** Of the header of most tokens. */
export const JWT = { typ: 'JWT' }
/** What an app signs with that has a secret of its own. */
export const APP_SECRET = 'an-example-of-a-secret-of-the-app-with-64-bytes-0123456789abcdef'

export type Claims = Readonly<Record<string, unknown>>

/** A token as the provider makes it: `header` is added to `alg` and `kid`, and `claims` are all there are. */
export function tokenOf(key: Key, header: Claims, claims: Claims): string {
  const named = { alg: key.alg, ...(key.kid !== undefined && { kid: key.kid }), ...header }
  const text = `${base64url(named)}.${base64url(claims)}`
  return `${text}.${key.sign(text).toString('base64url')}`
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
