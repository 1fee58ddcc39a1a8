import type { AppError } from '../errors.ts'
import { type CredentialReason, credentialRefusal } from './reasons.ts'

export interface CsrfPolicy {
  /** Origins whose pages may call with a cookie, exactly as browsers write them. */
  readonly allowedOrigins: ReadonlySet<string>
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * Lets a cookie call pass only with proof that an allowed page made it: `Sec-Fetch-Site: same-origin`, an allowed
 * `Origin`, or `X-CSRF: 1`, which CORS lets only allowed origins send. Evidence of another site always loses, whatever
 * else is said: a cross-site call, also from an allowed origin, and an origin that is neither ours nor allowed.
 * Throws `csrf`. Sources: W3C Fetch Metadata §2.3, RFC 6454 §7, the Fetch standard's CORS-safelisted headers.
 */
export function verifyCsrf(headers: Headers, { allowedOrigins }: CsrfPolicy): void {
  const { origin, host, 'sec-fetch-site': site } = headers
  const isSameOrigin = site === 'same-origin'
  // A form of our own page says so where its referrer policy is no-referrer; from a sandbox it comes cross-site.
  const isHidden = isSameOrigin && origin === 'null'
  const isAllowed = typeof origin === 'string' && allowedOrigins.has(origin)
  if (site === 'cross-site') throw refusal('csrf-cross-site', 'The browser says that another site made this call.')
  if (origin !== undefined && !isHidden && !isAllowed && !isOwnOrigin(origin, host)) {
    throw refusal('csrf-origin', 'The origin of this call is not allowed.')
  }
  if (isSameOrigin || isAllowed || headers['x-csrf'] === '1') return
  throw refusal('csrf-proof', 'A call with a cookie needs proof of its origin: send X-CSRF: 1.')
}

/** Whether the page came from the host it talks to; by which scheme is known only to the proxy that ended TLS. */
function isOwnOrigin(origin: string | string[], host: string | string[] | undefined): boolean {
  return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).host === host
}

function refusal(reason: CredentialReason, publicDetail: string): AppError {
  return credentialRefusal('csrf', reason, publicDetail)
}
