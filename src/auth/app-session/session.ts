import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { claimAt, nameIn } from '../../lib/claims.ts'
import type { Secret } from '../../lib/secret.ts'

/** What express-session and @fastify/session write, as far as it is used here. */
type Session = Static<typeof Session>
const Session = Type.Object({
  cookie: Type.Object({
    /** The date is absent where the session ends with the browser, or what the app wrote for that: null or false. */
    expires: Type.Optional(Type.Union([Type.String(), Type.Null(), Type.Literal(false)])),
    /** In milliseconds; absent, null or false where nothing renews the session. */
    originalMaxAge: Type.Optional(Type.Union([Type.Number(), Type.Null(), Type.Literal(false)]))
  })
})
const sessionCheck = TypeCompiler.Compile(Session)

/** Three times what both libraries make, URL-encoded. */
const MAX_COOKIE_LENGTH = 512
const MAX_SESSION_LENGTH = 256 * 1024
/** An id becomes part of a key: what both libraries make, a UUID, or what an app's `genid` puts together of such. */
const SESSION_ID = /^[A-Za-z0-9_.:~@+/=|,-]{16,128}$/
const MAX_USER_LENGTH = 1024

/**
 * The session id in a signed cookie, `s:<id>.<signature>` or `<id>.<signature>`; undefined unless one of the secrets
 * signed it. The signature is compared as text, so there is one spelling of it.
 */
export function sessionIdOf(cookie: string, secrets: readonly Secret[]): string | undefined {
  const signed = decoded(cookie)?.replace(/^s:/, '') ?? ''
  const end = signed.lastIndexOf('.')
  const id = signed.slice(0, Math.max(0, end))
  if (!SESSION_ID.test(id)) return undefined
  const signature = Buffer.from(signed.slice(end + 1))
  return secrets.some(secret => isSignature(signature, id, secret)) ? id : undefined
}

/** The session in a stored text; undefined for anything else: other programs may write to the same place. */
export function parseSession(text: string): Session | undefined {
  if (text.length > MAX_SESSION_LENGTH) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return sessionCheck.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * When a session ends, on the wall clock in milliseconds; NaN for a date that is none.
 * express-session renews a session that is only used by its key's time to live and leaves the value as it is, so
 * the later of the stored and the renewed end counts. `ttlMs` is undefined for a key that never expires.
 */
export function sessionEndsAtMs({ cookie }: Session, ttlMs: number | undefined, nowMs: number): number {
  const { expires, originalMaxAge } = cookie
  if (expires === undefined || expires === null || expires === false) return Number.POSITIVE_INFINITY
  const storedMs = Date.parse(expires)
  if (ttlMs === undefined || !originalMaxAge) return storedMs
  // connect-redis rounds up to whole seconds; a time to live that is longer than that was made of something else.
  const wholeMs = Math.ceil(originalMaxAge / 1000) * 1000
  return ttlMs > wholeMs ? storedMs : Math.max(storedMs, nowMs + ttlMs - (wholeMs - originalMaxAge))
}

/** The user at a name or a path of names; undefined unless it leads to a text or a whole number through objects alone. */
export function userAt(session: Session, path: string): string | undefined {
  const user = nameIn(claimAt(session, path))
  return user !== undefined && user.length <= MAX_USER_LENGTH ? user : undefined
}

function decoded(cookie: string): string | undefined {
  if (cookie.length > MAX_COOKIE_LENGTH) return undefined
  try {
    return decodeURIComponent(cookie)
  } catch {
    return undefined
  }
}

/** Both libraries: HMAC-SHA256 of the id, in base64 without padding. */
function isSignature(signature: Buffer, id: string, secret: Secret): boolean {
  const expected = Buffer.from(createHmac('sha256', secret.reveal()).update(id).digest('base64').replace(/=+$/, ''))
  return expected.length === signature.length && timingSafeEqual(expected, signature)
}
