import { Secret } from '../lib/secret.ts'
import { readRedisAddress } from '../lib/service/store-address.ts'
import { type EnvReader, looksLikeAddresses } from './env-reader.ts'
import { ISSUER } from './patterns.ts'

export type AppSessionConfig = ReturnType<typeof loadAppSessionConfig>

const MAX_SECRETS = 10
const NEEDS_STORE = ['SECRET', 'SECRET_FILE', 'PREFIX', 'USER', 'ISSUER'].map(name => `AUTH_SESSION_${name}`)
const PATH_IN_SESSION = /^[^\s.]{1,64}(\.[^\s.]{1,64}){0,7}$/

/** The sessions of the app's own backend; undefined where they are off. */
export function loadAppSessionConfig(reader: EnvReader, jwtIssuer: string | undefined) {
  if (!hasSecret(reader, 'AUTH_SESSION_STORE_URL')) return refuseWithoutStore(reader)
  const text = reader.secretText('AUTH_SESSION_STORE_URL')?.text
  const store = text === undefined ? undefined : readRedisAddress(text)
  if (text !== undefined && looksLikeAddresses(text)) {
    reader.refuse('AUTH_SESSION_STORE_URL takes one address, and this looks like a list.')
  } else if (typeof store === 'string') reader.refuse(`AUTH_SESSION_STORE_URL ${store}`)
  const session = {
    secrets: secrets(reader),
    prefix: reader.text('AUTH_SESSION_PREFIX', /^[\x21-\x7e]{1,64}$/, 'visible ASCII characters') ?? 'sess:',
    userPath: reader.one('AUTH_SESSION_USER', PATH_IN_SESSION, 'names separated by dots, such as user.id') ?? 'user.id',
    issuer: sessionIssuer(reader, jwtIssuer)
  }
  return typeof store === 'object' ? { ...session, store } : undefined
}

/** Whose users the sessions' are: those of the tokens, under whatever name these go, unless they are said to be others. */
function sessionIssuer(reader: EnvReader, jwtIssuer: string | undefined): string {
  const issuer = reader.one('AUTH_SESSION_ISSUER', ISSUER, 'an issuer') ?? jwtIssuer
  // Where it is wrong, the reader of the UID_ variables says so.
  const standIn = issuer === jwtIssuer ? reader.text('UID_ISSUER', /(?:)/, 'a text') : undefined
  return standIn ?? issuer ?? 'urn:app-session'
}

function refuseWithoutStore(reader: EnvReader): undefined {
  const set = NEEDS_STORE.filter(name => reader.has(name))
  if (set.length > 0) reader.refuse(`AUTH_SESSION_STORE_URL must be set with ${set.join(', ')}.`)
  return undefined
}

/** The secrets that sign session cookies, newest first or not: any of them may have signed one. */
function secrets(reader: EnvReader): Secret[] {
  if (!hasSecret(reader, 'AUTH_SESSION_SECRET')) {
    reader.refuse('AUTH_SESSION_SECRET must be set with AUTH_SESSION_STORE_URL: it signs the cookies.')
    return []
  }
  const found = reader.secretText('AUTH_SESSION_SECRET')
  if (!found) return []
  const texts = found.text
    .split(/[,\r\n]+/)
    .map(text => text.trim())
    .filter(text => text !== '')
  if (texts.length === 0 || texts.length > MAX_SECRETS) {
    reader.refuse(`AUTH_SESSION_SECRET must hold 1 to ${MAX_SECRETS} secrets, separated by commas or line breaks.`)
  }
  return texts.map(text => new Secret(text))
}

function hasSecret(reader: EnvReader, name: string): boolean {
  return reader.has(name) || reader.has(`${name}_FILE`)
}
