import type { FastifyRequest } from 'fastify'
import type { AppError } from '../errors.ts'
import { asciiLowerCase } from '../lib/ascii.ts'
import { parseUrl } from '../lib/node20/parse-url.ts'
import { type CredentialReason, credentialRefusal } from './reasons.ts'

export interface CsrfPolicy {
  /** Origins whose pages may call with a cookie, exactly as browsers write them. */
  readonly allowedOrigins: ReadonlySet<string>
  /** Whether an address is that of a proxy in front, whose X-Forwarded-Host and X-Forwarded-Proto count. */
  readonly isProxy: (address: string | undefined) => boolean
}

/** `host` is what Fastify makes of it: X-Forwarded-Host where a proxy in front sent it, else Host. */
export type CsrfRequest = Pick<FastifyRequest, 'headers' | 'host' | 'protocol' | 'socket'>

/** An origin, or a host with its port, and nothing that a URL could have beside it. */
const ORIGIN = /^https?:\/\/[\w.:[\]-]+$/i
const HOST = /^[\w.:[\]-]+$/

/**
 * Lets a cookie call pass only with proof that an allowed page made it: `Sec-Fetch-Site: same-origin`, an allowed
 * `Origin`, or `X-CSRF: 1`, which CORS lets only allowed origins send. Evidence of another site always loses, whatever
 * else is said: a cross-site call, also from an allowed origin, and an origin that is neither ours nor allowed.
 * Throws `csrf`. Sources: W3C Fetch Metadata §2.3, RFC 6454 §7, the Fetch standard's CORS-safelisted headers.
 */
export function verifyCsrf(request: CsrfRequest, { allowedOrigins, isProxy }: CsrfPolicy): void {
  const { origin, 'sec-fetch-site': site, 'x-csrf': mark } = request.headers
  const isSameOrigin = site === 'same-origin'
  // A form of our own page says so where its referrer policy is no-referrer; from a sandbox it comes cross-site.
  const isHidden = isSameOrigin && origin === 'null'
  const isAllowed = typeof origin === 'string' && allowedOrigins.has(origin)
  if (site === 'cross-site') throw refusal('csrf-cross-site', 'The browser says that another site made this call.')
  if (origin !== undefined && !isHidden && !isAllowed && !isOwnOrigin(origin, request, isProxy)) {
    throw refusal('csrf-origin', 'The origin of this call is not allowed.')
  }
  if (isSameOrigin || isAllowed || mark === '1') return
  throw refusal('csrf-proof', 'A call with a cookie needs proof of its origin: send X-CSRF: 1.')
}

/**
 * Whether the page came from the host it talks to, compared as origins are (RFC 6454 §5): a default port is none, letters
 * have no case, and a final dot names the same host. The scheme is known only where a proxy that ended TLS says it.
 */
function isOwnOrigin(origin: string, request: CsrfRequest, isProxy: CsrfPolicy['isProxy']): boolean {
  const page = ORIGIN.test(origin) ? parseUrl(origin) : null
  const own = page && HOST.test(request.host) ? parseUrl(`${page.protocol}//${request.host}`) : null
  if (!page || !own || page.port !== own.port || nameOf(page) !== nameOf(own)) return false
  const isSchemeKnown = request.headers['x-forwarded-proto'] !== undefined && isProxy(request.socket.remoteAddress)
  return !isSchemeKnown || page.protocol === `${asciiLowerCase(request.protocol)}:`
}

function nameOf({ hostname }: URL): string {
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
}

function refusal(reason: CredentialReason, publicDetail: string): AppError {
  return credentialRefusal('csrf', reason, publicDetail)
}
