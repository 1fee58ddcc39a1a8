// Joins what verifies bearer tokens: keys, their source, and the issuer that is asked about opaque ones.
import type { Authenticator } from '../auth/authenticator.ts'
import { basicAuthorization, createIntrospector, type IntrospectionOptions } from '../auth/bearer/introspection.ts'
import { createKeyReader } from '../auth/bearer/jwks/discovery.ts'
import { createRemoteKeys } from '../auth/bearer/jwks/remote.ts'
import { createSharedKey } from '../auth/bearer/jwks/shared-secret.ts'
import { createJwtAuthenticator } from '../auth/bearer/jwt.ts'
import { routeByTokenFormat } from '../auth/bearer/token-format.ts'
import type { IntrospectionConfig } from '../config/introspection.ts'
import type { Config } from '../config/load-config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Emit } from '../observability/events.ts'
import { createJsonFetcher, type JsonFetcher } from '../outbound/fetch-json.ts'
import type { Part } from './part.ts'

/** For a question that a caller waits for: an answer that takes longer is an outage. */
const ASKED = { timeoutMs: 3000, maxBytes: 64 * 1024, connections: 16 }

export interface Bearer extends Part {
  /** Undefined where bearer tokens are off. */
  readonly authenticate: Authenticator | undefined
}

interface BearerParts {
  readonly fetchJson: JsonFetcher
  readonly clock: Clock
  readonly emit: Emit
}

export function createBearer({ auth, uid }: Config, { fetchJson, clock, emit }: BearerParts): Bearer {
  const { jwt, introspection } = auth
  if (!jwt) return { authenticate: undefined, health: [], close: () => undefined }
  const rules = { ...jwt, uidClaim: uid.claim, usersOf: uid.issuer, clock }
  const opaque = introspection && createOpaque(introspection, rules)
  if (opaque && introspection.tokens === 'all') return { ...opaque, health: [] }

  const keys = jwt.secret
    ? createSharedKey(jwt.secret)
    : createRemoteKeys({
        fetchKeys: createKeyReader(jwt.issuer, jwt.jwksUrl, fetchJson),
        clock,
        emit,
        variable: 'AUTH_JWT_ISSUER'
      })
  const verified = createJwtAuthenticator({ ...rules, keys })
  return {
    authenticate: opaque ? routeByTokenFormat(verified, opaque.authenticate) : verified,
    health: [{ reason: 'identity-provider-keys', isReady: () => keys.isReady() }],
    async close() {
      keys.close()
      await opaque?.close()
    }
  }
}

/** Asks the issuer about a token, as the client that the issuer knows this service as. */
function createOpaque(
  { url, clientId, clientSecret }: NonNullable<IntrospectionConfig>,
  rules: Omit<IntrospectionOptions, 'introspect' | 'maxAsking'>
) {
  const fetchJson = createJsonFetcher(ASKED)
  const authorization = basicAuthorization(clientId, clientSecret)
  const introspect = (token: string): Promise<unknown> =>
    fetchJson(url, { authorization, form: new URLSearchParams({ token, token_type_hint: 'access_token' }) })
  return {
    authenticate: createIntrospector({ ...rules, introspect, maxAsking: ASKED.connections }),
    close: () => fetchJson.close()
  }
}
