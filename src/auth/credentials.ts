import type { IncomingMessage } from 'node:http'
import type { AppError } from '../errors.ts'
import { asciiLowerCase } from '../lib/ascii.ts'
import { parseCookies } from '../lib/cookies.ts'
import { type CredentialReason, credentialRefusal } from './reasons.ts'

export type Credential =
  /** `isAmbient` where a browser or a gateway may have added it to a call of another site's page. */
  | { readonly kind: 'bearer'; readonly token: string; readonly isAmbient: boolean }
  | { readonly kind: 'cookie'; readonly name: string; readonly value: string }

/** Where a bearer token may stand beside `Authorization`. */
export interface TokenPlaces {
  /** A header that a gateway adds; in lower case. */
  readonly header?: string | undefined
  readonly cookie?: string | undefined
}

/** What was found at one place. The text of `Authorization` is there as it came: whatever it holds, it counts. */
interface Found {
  readonly kind: 'authorization' | 'header' | 'cookie' | 'session'
  /** Of the header or the cookie. */
  readonly name: string
  readonly text: string
}

const BEARER = /^bearer +/i
const BLANK = /[ \t]/

/**
 * The one credential of a request, or a refusal. Two are refused rather than ranked: a proxy that ranks them differently
 * would see another user. The same bytes in two places are one, because every reader sees the same user in them.
 */
export function credentialOf(
  rawHeaders: readonly string[],
  sessionCookies: readonly string[],
  places: TokenPlaces = {}
): Credential {
  const found = credentialsIn(rawHeaders, sessionCookies, places)
  const [first, ...others] = found
  if (first === undefined) throw unauthenticated('credential-missing', 'A credential is needed.')
  if (first.kind === 'session') {
    if (others.some(({ kind, name, text }) => kind !== 'session' || name !== first.name || text !== first.text)) {
      throw ambiguous(found)
    }
    return { kind: 'cookie', name: first.name, value: first.text }
  }
  if (others.length === 0) return bearerOf(first, first.kind !== 'authorization')
  const hasOneHeader = found.filter(({ kind }) => kind === 'authorization').length <= 1
  const token = tokenIn(first)
  if (!hasOneHeader || others.some(other => other.kind === 'session' || tokenIn(other) !== token))
    throw ambiguous(found)
  return bearerOf(first, true)
}

function credentialsIn(rawHeaders: readonly string[], sessionCookies: readonly string[], places: TokenPlaces): Found[] {
  const found: Found[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const text = rawHeaders[index + 1] ?? ''
    if (isNamed(name, 'authorization')) found.push({ kind: 'authorization', name: 'authorization', text })
    else if (isNamed(name, 'cookie')) found.push(...cookiesIn(text, sessionCookies, places.cookie))
    // A gateway that knows nobody may say so with an empty header.
    else if (places.header !== undefined && isNamed(name, places.header) && text !== '') {
      found.push({ kind: 'header', name: places.header, text })
    }
  }
  return found
}

/** Their values are left as they were sent, but for the quotes of a whole one, which cookie libraries take away. */
function cookiesIn(header: string, sessionCookies: readonly string[], tokenCookie: string | undefined): Found[] {
  const found: Found[] = []
  for (const { name, value } of parseCookies(header)) {
    const text = /^".*"$/s.test(value) ? value.slice(1, -1) : value
    if (sessionCookies.includes(name)) found.push({ kind: 'session', name, text })
    // One that was cleared.
    else if (name === tokenCookie && text !== '') found.push({ kind: 'cookie', name, text })
  }
  return found
}

function bearerOf(found: Found, isAmbient: boolean): Credential {
  const token = tokenIn(found)
  if (token === '' || BLANK.test(token))
    throw unauthenticated('credential-form', `The ${found.name} ${wordOf(found)} must be a bearer token.`)
  return { kind: 'bearer', token, isAmbient }
}

/** `Authorization` needs its scheme; elsewhere the token stands alone, or as it would there. */
function tokenIn({ kind, text }: Found): string {
  const scheme = BEARER.exec(text)?.[0].length
  return text.slice(scheme ?? (kind === 'authorization' ? text.length : 0))
}

function ambiguous(found: readonly Found[]): AppError {
  return credentialRefusal('ambiguous-credentials', 'credential-several', whatToDo(found))
}

/** For who has to mend it: names of places and never a value. */
function whatToDo(found: readonly Found[]): string {
  const twice = found.find(one =>
    found.some(other => isCookie(one) && other.name === one.name && other.text !== one.text)
  )
  if (twice) {
    return (
      `The cookie ${twice.name} comes twice, with two values: delete the cookies of this site in the browser, and sign in ` +
      'again.'
    )
  }
  const names = [...new Set(found.map(one => `the ${one.name} ${wordOf(one)}`))].join(' and ')
  const hasBearer = found.some(({ kind }) => kind === 'authorization')
  const hasSession = found.some(({ kind }) => kind === 'session')
  const advice =
    hasBearer && hasSession ? " A page that sends a token leaves its cookies out: credentials: 'omit'." : ''
  return `Send one credential, once: a bearer token or a session cookie, not ${names}.${advice}`
}

function isCookie({ kind }: Found): boolean {
  return kind === 'cookie' || kind === 'session'
}

function wordOf(found: Found): string {
  return isCookie(found) ? 'cookie' : 'header'
}

/**
 * Takes the credentials out of a head once the caller is known: a request that waits for CometChat holds no token, nor
 * the names and values that Node keeps a second time (0.8 KiB).
 */
export function forgetCredentials(
  { headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
  tokenHeader?: string
): void {
  rawHeaders.length = 0
  // Not `delete`, after which V8 would keep the others in a larger form.
  if (headers.authorization !== undefined) headers.authorization = ''
  if (headers.cookie !== undefined) headers.cookie = ''
  if (tokenHeader !== undefined && headers[tokenHeader] !== undefined) headers[tokenHeader] = ''
}

/** The refusal of a request without a usable credential. */
export function unauthenticated(reason: CredentialReason, publicDetail: string): AppError {
  return credentialRefusal('unauthenticated', reason, publicDetail, { challenge: 'Bearer' })
}

function isNamed(spelled: string, name: string): boolean {
  return spelled.length === name.length && asciiLowerCase(spelled) === name
}
