import type { Secret } from '../lib/secret.ts'
import type { EnvReader } from './env-reader.ts'

/** A sign-in of our own; undefined when it is off. */
export interface LoginConfig {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: Secret
  readonly origin: string
  readonly scope: string
  readonly idleMs: number
  readonly absoluteMs: number
}

const SECRET = ['AUTH_LOGIN_CLIENT_SECRET', 'AUTH_LOGIN_CLIENT_SECRET_FILE'] as const
const NEEDED = ['AUTH_LOGIN_ISSUER', 'AUTH_LOGIN_CLIENT_ID', 'AUTH_LOGIN_URL'] as const
const OPTIONAL = ['AUTH_LOGIN_SCOPE', 'AUTH_LOGIN_IDLE_MS', 'AUTH_LOGIN_ABSOLUTE_MS'] as const
/** Any of these switches the login on, and then it must be complete. */
export const LOGIN_VARIABLES = [...NEEDED, ...SECRET, ...OPTIONAL]
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/

export function loadLoginConfig(reader: EnvReader): LoginConfig | undefined {
  if (!LOGIN_VARIABLES.some(name => reader.has(name))) return undefined
  const hasSecret = SECRET.some(name => reader.has(name))
  const missing = [...NEEDED.filter(name => !reader.has(name)), ...(hasSecret ? [] : ['AUTH_LOGIN_CLIENT_SECRET'])]
  if (missing.length > 0) reader.refuse(`The login is half configured: also set ${missing.join(', ')}.`)
  const clientSecret = reader.secret('AUTH_LOGIN_CLIENT_SECRET', 16)
  const login = {
    issuer: issuer(reader),
    clientId: reader.one('AUTH_LOGIN_CLIENT_ID', /^[\x21-\x7e]{1,256}$/, 'the id of this client at the issuer'),
    origin: origin(reader),
    scope: scope(reader),
    ...lifetimes(reader)
  }
  const { clientId } = login
  return clientSecret && clientId !== undefined ? { ...login, clientId, clientSecret } : undefined
}

/** Kept as it is written: users are named by the exact text. */
function issuer(reader: EnvReader): string {
  const url = reader.secureUrl('AUTH_LOGIN_ISSUER')
  if (!url) return ''
  if (url.search !== '') reader.refuse('AUTH_LOGIN_ISSUER must be an issuer, without a query.')
  return reader.text('AUTH_LOGIN_ISSUER', /^\S{1,512}$/, 'the exact `iss` of the ID tokens') ?? ''
}

function origin(reader: EnvReader): string {
  const url = reader.secureUrl('AUTH_LOGIN_URL')
  if (url && (url.pathname !== '/' || url.search !== '')) {
    reader.refuse('AUTH_LOGIN_URL must be an origin, such as https://chat.example.com: cookies belong to all of it.')
  }
  return url?.origin ?? ''
}

function scope(reader: EnvReader): string {
  const scopes = reader.text('AUTH_LOGIN_SCOPE', SCOPES, 'scopes, separated by single blanks') ?? 'openid profile'
  if (scopes.includes(',')) {
    return reader.refuse('AUTH_LOGIN_SCOPE takes scopes with blanks between them, not commas.') ?? scopes
  }
  const names = scopes.split(' ')
  if (!names.includes('openid')) reader.refuse('AUTH_LOGIN_SCOPE must contain openid: the ID token says who it is.')
  if (names.includes('offline_access')) {
    reader.refuse('AUTH_LOGIN_SCOPE must not contain offline_access: no token is kept, so none is refreshed.')
  }
  return scopes
}

function lifetimes(reader: EnvReader) {
  const idleMs = reader.integer('AUTH_LOGIN_IDLE_MS', 1_800_000, [60_000, 86_400_000])
  const absoluteMs = reader.integer('AUTH_LOGIN_ABSOLUTE_MS', 43_200_000, [60_000, 2_592_000_000])
  if (idleMs > absoluteMs) reader.refuse('AUTH_LOGIN_IDLE_MS must not be longer than AUTH_LOGIN_ABSOLUTE_MS.')
  return { idleMs, absoluteMs }
}
