// A real authorization server (oidc-provider, certified) on loopback that gives services tokens: JWTs for one audience,
// opaque ones for another.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { Provider } from 'oidc-provider'
import type { Test } from 'tap'

export const JWT_AUDIENCE = 'https://replies.example.com'
export const OPAQUE_AUDIENCE = 'https://opaque.replies.example.com'

/** Every client may ask about tokens; `billing` may act for users, `mailer` may not. */
const CLIENTS = [
  { client_id: 'billing', client_secret: 'local-billing-secret', scope: 'replies:act' },
  { client_id: 'mailer', client_secret: 'local-mailer-secret', scope: 'replies:read' },
  { client_id: 'thread-replies', client_secret: 'local-replies-secret+/%:', scope: 'replies:read' }
]

export type ClientId = 'billing' | 'mailer' | 'thread-replies'

export async function startTokenProvider(t: Test) {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const key = { ...(await exportJWK(privateKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${new URL(request.url ?? '', 'http://localhost').pathname}`)
    respond(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const respond = new Provider(issuer, configurationWith(key)).callback()
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    if (server.listening) await new Promise(resolve => server.close(resolve))
  }
  t.teardown(stop)

  const sign = (claims: JWTPayload): Promise<string> => {
    const token = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' })
    return token.setIssuer(issuer).setAudience(JWT_AUDIENCE).setExpirationTime('5m').sign(privateKey)
  }

  return {
    issuer,
    requests,
    stop,
    secretOf,
    /** What the client credentials grant gives a service (RFC 6749 §4.4). */
    async serviceToken(client: ClientId, audience: string, scope?: string): Promise<string> {
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        resource: audience,
        ...(scope && { scope })
      })
      const response = await fetch(`${issuer}/token`, { method: 'POST', headers: basic(client), body: form })
      const answer = (await response.json()) as { access_token?: string }
      if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`)
      return answer.access_token
    },
    /** The access token of a user who signed in to an app. */
    userToken: (user: string) => sign({ sub: user }),
    /** What token exchange gives a service that calls for a user (RFC 8693 §4.1). */
    exchangedToken: (user: string, service: string) => sign({ sub: user, act: { sub: service } }),
    async revoke(client: ClientId, token: string): Promise<void> {
      const body = new URLSearchParams({ token })
      await fetch(`${issuer}/token/revocation`, { method: 'POST', headers: basic(client), body })
    }
  }
}

function secretOf(client: ClientId): string {
  return CLIENTS.find(({ client_id: id }) => id === client)?.client_secret ?? ''
}

function basic(client: ClientId): { authorization: string } {
  return { authorization: `Basic ${btoa(`${client}:${encodeURIComponent(secretOf(client))}`)}` }
}

function configurationWith(key: object): object {
  return {
    clients: CLIENTS.map(client => ({
      ...client,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: []
    })),
    jwks: { keys: [key] },
    cookies: { keys: ['cookies of the provider'] },
    scopes: ['replies:act', 'replies:read'],
    clientBasedCORS: () => false,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, audience: string) => ({
          scope: 'replies:act replies:read',
          audience,
          accessTokenFormat: audience === JWT_AUDIENCE ? 'jwt' : 'opaque',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } }
        })
      }
    }
  }
}
