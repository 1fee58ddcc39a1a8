import { isSecureUrl } from '../../../lib/service/secure-url.ts'

export type FetchJson = (url: string) => Promise<unknown>

/**
 * Reads the key set that belongs to an issuer: from its URL, or by OpenID Connect Discovery 1.0 §4 (then RFC 8414).
 * The returned function rejects when the metadata name another issuer or an address that is not secure.
 */
export function createKeyReader(issuer: string, jwksUrl: string | undefined, fetchJson: FetchJson) {
  return async (): Promise<unknown> => fetchJson(jwksUrl ?? (await discover(issuer, fetchJson)))
}

async function discover(issuer: string, fetchJson: FetchJson): Promise<string> {
  const metadata = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`).catch(() =>
    fetchJson(authorizationServerMetadataUrl(issuer))
  )
  if (typeof metadata !== 'object' || metadata === null) throw new TypeError('no metadata')
  const { issuer: named, jwks_uri: url } = metadata as { issuer?: unknown; jwks_uri?: unknown }
  if (named !== issuer || typeof url !== 'string' || !URL.canParse(url) || !isSecureUrl(new URL(url)))
    throw new TypeError('metadata of another issuer')
  return url
}

/** RFC 8414 §3.1: the well-known part goes between host and path. */
function authorizationServerMetadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`
}
