/** Every asymmetric algorithm that jose verifies for a JWT (RFC 7518 §3.1, RFC 8037, RFC 9864). */
export const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519'
] as const

/** With a secret that issuer and service share. */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const

const OF_RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const OF_CURVE: Readonly<Record<string, readonly string[]>> = {
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA', 'Ed25519']
}

/** What a published key verifies: one algorithm where it names that (RFC 7517 §4.4), but Ed25519 has two names. */
export function algorithmsServedBy(key: { readonly [member: string]: unknown }): readonly string[] {
  const { alg } = key
  const possible = algorithmsOfKey(key)
  if (typeof alg !== 'string') return possible
  return possible.includes('Ed25519') && possible.includes(alg) ? possible : possible.filter(name => name === alg)
}

/** What a public key of this type and curve can verify; nothing for one that no token is signed with. */
export function algorithmsOfKey({ kty, crv }: { readonly kty?: unknown; readonly crv?: unknown }): readonly string[] {
  return kty === 'RSA' ? OF_RSA : (OF_CURVE[`${kty} ${crv}`] ?? [])
}
