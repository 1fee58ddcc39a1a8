import type { EnvReader } from './env-reader.ts'

const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA'
] as const
/** A scope token (RFC 6749 §3.3). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/

/** Who may call, and how they prove it. */
export function loadAuthConfig(reader: EnvReader) {
  return { jwt: jwt(reader), sessionCookie: sessionCookie(reader) }
}

function jwt(reader: EnvReader) {
  const issuer = reader.text('AUTH_JWT_ISSUER', /^\S{1,512}$/, 'the exact `iss` of the tokens')
  const audience = reader.text('AUTH_JWT_AUDIENCE', /^\S{1,512}$/, 'the exact `aud` of the tokens')
  const secret = reader.secret('AUTH_JWT_SECRET', 32)
  const jwksUrl = reader.secureUrl('AUTH_JWT_JWKS_URL')
  if (issuer === undefined || audience === undefined) refuseHalfBearer(reader)
  if (secret && reader.has('AUTH_JWT_JWKS_URL')) {
    reader.refuse('AUTH_JWT_SECRET and AUTH_JWT_JWKS_URL exclude each other: a key is shared or public, never both.')
  }
  if (secret && reader.has('AUTH_JWT_ALGORITHMS')) {
    reader.refuse('AUTH_JWT_SECRET means HS256: leave AUTH_JWT_ALGORITHMS out.')
  }
  // Without a URL of its own the key set is found by discovery, and then the issuer is where it is fetched from.
  if (!secret && !jwksUrl && issuer !== undefined) reader.secureUrl('AUTH_JWT_ISSUER')
  return {
    issuer: issuer ?? '',
    audience: audience ?? '',
    secret,
    jwksUrl: jwksUrl?.href,
    algorithms: secret ? ['HS256'] : jwtAlgorithms(reader),
    typ: reader.text('AUTH_JWT_TYP', /^[\w.+/-]{1,64}$/, 'a media type such as at+jwt'),
    scope: reader.text('AUTH_JWT_SCOPE', SCOPE, 'one scope'),
    actScope: reader.text('AUTH_ACT_SCOPE', SCOPE, 'one scope')
  }
}

function refuseHalfBearer(reader: EnvReader): void {
  const half = reader.has('AUTH_JWT_ISSUER') || reader.has('AUTH_JWT_AUDIENCE')
  reader.refuse(
    half
      ? 'AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE go together: set both.'
      : 'Nobody could sign in: set AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE.'
  )
}

function jwtAlgorithms(reader: EnvReader): string[] {
  const names = reader.list('AUTH_JWT_ALGORITHMS')
  if (names.length === 0) return ['RS256', 'PS256', 'ES256', 'EdDSA']
  if (!names.every(name => JWT_ALGORITHMS.some(known => known === name))) {
    reader.refuse(`AUTH_JWT_ALGORITHMS must list some of: ${JWT_ALGORITHMS.join(', ')}.`)
  }
  return names
}

function sessionCookie(reader: EnvReader): string {
  return reader.text('AUTH_SESSION_COOKIE', /^[\w!#$%&'*+.^`|~-]{1,128}$/, 'a cookie name') ?? 'connect.sid'
}
