import { isObject } from '../../../lib/json.ts'
import { isSecureUrl, NO_HTTP_HOSTS } from '../../../lib/service/secure-url.ts'
import { UnexpectedStatus, UnreadableAnswer } from '../../../outbound/fetch-json.ts'
import { KeysProblem } from './keys-problem.ts'

export type FetchJson = (url: string) => Promise<unknown>

export interface KeyReaderOptions {
  readonly issuer: string
  /** Where the keys are; found by discovery when undefined. */
  readonly jwksUrl: string | undefined
  readonly fetchJson: FetchJson
  /** Hosts that may be asked over plain http. */
  readonly httpHosts?: ReadonlySet<string>
}

const NO_DISCOVERY = 'without a discovery document the address of the keys has to be set: AUTH_JWT_JWKS_URL, or jwksUrl'

/**
 * Reads the key set that belongs to an issuer: from its URL, or by OpenID Connect Discovery 1.0 §4 (then RFC 8414).
 * The returned function rejects with a KeysProblem, also when the metadata name another issuer or an address that is
 * not secure.
 */
export function createKeyReader({ issuer, jwksUrl, fetchJson, httpHosts = NO_HTTP_HOSTS }: KeyReaderOptions) {
  return async (): Promise<unknown> => {
    const url = jwksUrl ?? (await discover(issuer, fetchJson, httpHosts))
    return fetchJson(url).catch(error => {
      throw problemOf(error)
    })
  }
}

async function discover(issuer: string, fetchJson: FetchJson, httpHosts: ReadonlySet<string>): Promise<string> {
  const metadata = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`).catch(first =>
    // What is said of the first place is said of both: it is where nearly every issuer has its document.
    fetchJson(authorizationServerMetadataUrl(issuer)).catch(() => {
      throw problemOf(first, NO_DISCOVERY)
    })
  )
  if (!isObject(metadata)) throw new KeysProblem('keys-not-json', NO_DISCOVERY)
  const { issuer: named, jwks_uri: url } = metadata
  if (named !== issuer) throw new KeysProblem('keys-other-issuer', slashHint(issuer, named))
  if (typeof url !== 'string' || !URL.canParse(url)) throw new KeysProblem('keys-no-address')
  if (!isSecureUrl(new URL(url), httpHosts)) throw new KeysProblem('keys-insecure', 'AUTH_HTTP_HOSTS names exceptions')
  return url
}

/** RFC 8414 §3.1: the well-known part goes between host and path. */
function authorizationServerMetadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`
}

/** The commonest mistake: the address is right, and the name is not. */
function slashHint(issuer: string, named: unknown): string | undefined {
  if (named === `${issuer}/`) return 'the issuer calls itself so with a slash at the end: it is missing here'
  if (`${named}/` === issuer) return 'the issuer calls itself so without a slash at the end: here it is one too many'
  return undefined
}

function problemOf(error: unknown, hint?: string): KeysProblem {
  if (error instanceof KeysProblem) return error
  if (error instanceof UnreadableAnswer) return new KeysProblem(`keys-${error.fault}`, hint)
  if (!(error instanceof UnexpectedStatus)) return new KeysProblem('keys-unreachable')
  const isRedirect = error.status >= 300 && error.status < 400
  return new KeysProblem(`keys-status-${error.status}`, isRedirect ? NOT_FOLLOWED : hint)
}

const NOT_FOLLOWED = 'a redirect is not followed: set the address that it leads to'
