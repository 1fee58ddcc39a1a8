import { AppError } from '../errors.ts'

export interface CsrfPolicy {
  /** Origins whose pages may call with a cookie, exactly as browsers write them. */
  readonly allowedOrigins: ReadonlySet<string>
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * Lets a cookie call pass only with proof that an allowed page made it: `Sec-Fetch-Site: same-origin`, an allowed
 * `Origin`, or `X-CSRF: 1`, which CORS lets only allowed origins send. Evidence of another site always loses.
 * Throws `csrf`. Source: RFC 10017 §6.1.3.3, W3C Fetch Metadata.
 */
export function requireProofOfOrigin(headers: Headers, { allowedOrigins }: CsrfPolicy): void {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  const isSameOrigin = site === 'same-origin'
  const isAllowed = typeof origin === 'string' && allowedOrigins.has(origin)
  if (site === 'cross-site') throw refusal('The browser says that another site made this call.')
  if (origin !== undefined && !isSameOrigin && !isAllowed && !isOwnOrigin(origin, host)) {
    throw refusal('The origin of this call is not allowed.')
  }
  if (isSameOrigin || isAllowed || headers['x-csrf'] === '1') return
  throw refusal('A call with a cookie needs proof of its origin: send X-CSRF: 1.')
}

/** An old browser sends no Sec-Fetch-Site; its own page is then known by the host it talks to. */
function isOwnOrigin(origin: string | string[], host: string | string[] | undefined): boolean {
  return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).host === host
}

function refusal(publicDetail: string): AppError {
  return new AppError('csrf', publicDetail)
}
