// Joins what verifies bearer tokens: issuers with their keys, and the issuer that is asked about opaque tokens.
import type { Authenticator } from '../auth/authenticator.ts'
import { basicAuthorization, createIntrospector, type IntrospectionOptions } from '../auth/bearer/introspection.ts'
import { createJwtAuthenticator, type TrustedIssuer } from '../auth/bearer/jwt.ts'
import { routeByTokenFormat } from '../auth/bearer/token-format.ts'
import type { IntrospectionClient, IntrospectionConfig } from '../config/introspection.ts'
import { describeAsked } from '../config/issuers/describe-issuer.ts'
import type { Config } from '../config/load-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Emit } from '../observability/events.ts'
import { createJsonFetcher, type JsonFetcher } from '../outbound/fetch-json.ts'
import { createConnector } from '../outbound/proxy-connector.ts'
import { createIssuers, type KeyAge, rulesOf } from './issuers.ts'
import type { Part } from './part.ts'

/** For a question that a caller waits for: an answer that takes longer is an outage. */
const ASKED = { timeoutMs: 3000, maxBytes: 64 * 1024, connections: 16 }

export interface Bearer extends Part {
  /** Undefined where bearer tokens are off. */
  readonly authenticate: Authenticator | undefined
  keyAges(): readonly KeyAge[]
}

interface BearerParts {
  readonly fetchJson: JsonFetcher
  readonly clock: Clock
  readonly emit: Emit
}

export function createBearer({ auth, uid, proxy }: Config, parts: BearerParts): Bearer {
  const { jwt, introspection } = auth
  if (!jwt && !auth.issuers) return { authenticate: undefined, keyAges: () => [], health: [], close: () => undefined }
  const opaque = introspection && jwt && createOpaque(introspection, { ...rulesOf(jwt), clock: parts.clock }, proxy)
  if (opaque && introspection.tokens === 'all') {
    const rules = describeAsked(jwt, uid.mode, introspection.url)
    parts.emit({ name: 'issuer-ready', issuer: jwt.issuer ?? jwt.usersOf, rules })
    return { ...opaque, keyAges: () => [], health: [] }
  }

  const issuers = createIssuers({ auth, uid }, parts)
  const issuerOf = (iss: unknown): TrustedIssuer | undefined => issuers.issuerOf(iss)
  const verified = createJwtAuthenticator({ issuerOf, clock: parts.clock })
  return {
    authenticate: opaque ? routeByTokenFormat(verified, opaque.authenticate) : verified,
    health: issuers.health,
    warnings: () => issuers.warnings(),
    keyAges: () => issuers.keyAges(),
    async close() {
      issuers.close()
      await opaque?.close()
    }
  }
}

/** Asks the issuer about a token, as the client that the issuer knows this service as. */
function createOpaque(
  { url, client }: NonNullable<IntrospectionConfig>,
  rules: Omit<IntrospectionOptions, 'introspect' | 'maxAsking'>,
  proxy: Config['proxy']
) {
  const fetchJson = createJsonFetcher({ ...ASKED, connect: createConnector(proxy?.proxyFor) })
  const authorization = authorizationOf(client)
  const introspect = (token: string): Promise<unknown> =>
    fetchJson(url, { authorization, form: new URLSearchParams({ token, token_type_hint: 'access_token' }) })
  return {
    authenticate: createIntrospector({ ...rules, introspect, maxAsking: ASKED.connections }),
    close: () => fetchJson.close()
  }
}

function authorizationOf(client: IntrospectionClient): string {
  if ('token' in client) return `Bearer ${client.token.reveal()}`
  return basicAuthorization(client.clientId, client.clientSecret)
}
