import { LOGIN_COOKIE, SESSION_COOKIE } from '../lib/service/cookie-names.ts'
import { loadAppSessionConfig } from './app-session.ts'
import type { EnvReader } from './env-reader.ts'
import { type IntrospectionConfig, loadIntrospectionConfig } from './introspection.ts'
import { LOGIN_VARIABLES, loadLoginConfig } from './login.ts'
import { COOKIE_NAME, loadTokenPlaces } from './token-places.ts'

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

/** Each of these switches on a way to sign in without bearer tokens. */
const OTHER_WAYS = [...LOGIN_VARIABLES, 'AUTH_SESSION_STORE_URL', 'AUTH_SESSION_STORE_URL_FILE'] as const
const BEARER_ONLY = [
  'AUTH_JWT_JWKS_URL',
  'AUTH_JWT_ALGORITHMS',
  'AUTH_JWT_SECRET',
  'AUTH_JWT_SECRET_FILE',
  'AUTH_JWT_TYP',
  'AUTH_JWT_SCOPE',
  'AUTH_ACT_SCOPE'
] as const

/** Who may call, and how they prove it. */
export function loadAuthConfig(reader: EnvReader) {
  const introspection = loadIntrospectionConfig(reader)
  const login = loadLoginConfig(reader)
  const jwt = bearer(reader, introspection)
  const session = loadAppSessionConfig(reader, jwt?.issuer || undefined)
  const cookie = sessionCookie(reader)
  const tokenPlaces = loadTokenPlaces(reader, { isBearerOn: jwt !== undefined, sessionCookie: session && cookie })
  return { jwt, introspection, login, session, sessionCookie: cookie, tokenPlaces }
}

/** Undefined when callers prove who they are in another way only. */
function bearer(reader: EnvReader, introspection: IntrospectionConfig) {
  const isOff = !reader.has('AUTH_JWT_ISSUER') && !reader.has('AUTH_JWT_AUDIENCE')
  if (!isOff || !OTHER_WAYS.some(name => reader.has(name))) return jwt(reader, introspection)
  for (const name of BEARER_ONLY.filter(name => reader.has(name))) {
    reader.refuse(`${name} needs AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE: without them bearer tokens are off.`)
  }
  return undefined
}

function jwt(reader: EnvReader, introspection: IntrospectionConfig) {
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
  const isDiscovered = !secret && !jwksUrl && introspection?.tokens !== 'all'
  if (isDiscovered && issuer !== undefined) reader.secureUrl('AUTH_JWT_ISSUER')
  return {
    issuer: issuer ?? '',
    audience: audience ?? '',
    secret,
    jwksUrl: jwksUrl?.href,
    algorithms: secret ? ['HS256'] : jwtAlgorithms(reader),
    typ: reader.text('AUTH_JWT_TYP', /^[\w.+/-]{1,64}$/, 'a media type such as at+jwt'),
    ...scopes(reader)
  }
}

function scopes(reader: EnvReader) {
  const scope = reader.text('AUTH_JWT_SCOPE', SCOPE, 'one scope')
  const actScope = reader.text('AUTH_ACT_SCOPE', SCOPE, 'one scope')
  if (actScope !== undefined && actScope === scope) {
    reader.refuse('AUTH_ACT_SCOPE must differ from AUTH_JWT_SCOPE: every caller could speak for everybody.')
  }
  return { scope, actScope }
}

function refuseHalfBearer(reader: EnvReader): void {
  const half = reader.has('AUTH_JWT_ISSUER') || reader.has('AUTH_JWT_AUDIENCE')
  reader.refuse(
    half
      ? 'AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE go together: set both.'
      : 'Nobody could sign in: set AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE for bearer tokens, AUTH_SESSION_STORE_URL ' +
          'and AUTH_SESSION_SECRET for the session cookie of your backend, or the AUTH_LOGIN_ variables.'
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
  const name = reader.text('AUTH_SESSION_COOKIE', COOKIE_NAME, 'a cookie name') ?? 'connect.sid'
  if (name === SESSION_COOKIE || name === LOGIN_COOKIE) {
    reader.refuse(`AUTH_SESSION_COOKIE must not be ${name}: the login of this service has a cookie of that name.`)
  }
  return name
}
