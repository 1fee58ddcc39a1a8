import type { IncomingMessage } from 'node:http'
import { AppError } from '../errors.ts'
import { asciiLowerCase } from '../lib/ascii.ts'
import { parseCookies } from '../lib/cookies.ts'

export type Credential =
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'cookie'; readonly name: string; readonly value: string }

const BEARER = /^bearer +/i
const BLANK = /[ \t]/

/**
 * The one credential of a request, or a refusal.
 * Two are refused rather than ranked: a proxy that ranks them differently would see another user. A cookie of a
 * session's name counts as one even where sessions are off, so that switching them on changes no caller's identity.
 */
export function credentialOf(rawHeaders: readonly string[], cookieNames: readonly string[]): Credential {
  const found: (Credential | Authorization)[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    if (isNamed(name, 'authorization')) found.push({ kind: 'authorization', value })
    else if (isNamed(name, 'cookie')) found.push(...cookiesNamed(value, cookieNames))
  }
  if (found.length > 1) {
    throw new AppError('ambiguous-credentials', 'Send one credential: a bearer token or a session cookie, once.')
  }
  const [credential] = found
  if (credential === undefined) throw unauthenticated('A credential is needed.')
  return credential.kind === 'authorization' ? bearerOf(credential) : credential
}

/** The header as it came: whatever it holds, it counts as a credential. */
interface Authorization {
  readonly kind: 'authorization'
  readonly value: string
}

function bearerOf({ value }: Authorization): Credential {
  const token = value.slice(BEARER.exec(value)?.[0].length ?? value.length)
  if (token === '' || BLANK.test(token)) throw unauthenticated('The authorization header must be a bearer token.')
  return { kind: 'bearer', token }
}

/**
 * Takes the credentials out of a head once the caller is known: a request that waits for CometChat holds no token, nor
 * the names and values that Node keeps a second time (0.8 KiB).
 */
export function forgetCredentials({ headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): void {
  rawHeaders.length = 0
  // Not `delete`, after which V8 would keep the others in a larger form.
  if (headers.authorization !== undefined) headers.authorization = ''
  if (headers.cookie !== undefined) headers.cookie = ''
}

/** The refusal of a request without a usable credential. */
export function unauthenticated(publicDetail: string): AppError {
  return new AppError('unauthenticated', publicDetail, { challenge: 'Bearer' })
}

function isNamed(spelled: string, name: string): boolean {
  return spelled.length === name.length && asciiLowerCase(spelled) === name
}

/** Their values are left as they were sent: each session's reader decodes its own. */
function cookiesNamed(header: string, names: readonly string[]): Credential[] {
  return parseCookies(header)
    .filter(({ name }) => names.includes(name))
    .map(cookie => ({ kind: 'cookie', ...cookie }))
}
