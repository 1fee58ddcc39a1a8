// A stand-in for the identity provider of an app. It signs in anybody who asks: it is for loopback and nothing else.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'

export interface TokenIssuer {
  readonly issuer: string
  readonly audience: string
  tokenFor(user: string): Promise<string>
  stop(): Promise<void>
}

const ALGORITHM = 'ES256'
const KEY_ID = 'demo'
const AUDIENCE = 'thread-replies'
/** A working day: the curl that was printed still works after lunch. */
const TOKEN_LIFETIME = '12h'

/** Makes a new key and publishes it by OpenID Connect Discovery; `GET /token?user=alice` answers with a JWT. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM)
  const keySet = { keys: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: ALGORITHM, use: 'sig' }] }
  const server = createServer((request, response) => {
    void answer(new URL(request.url ?? '/', issuer), response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // It listens on TCP, where an address is always of this shape.
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokenFor = (user: string) => signToken(privateKey, issuer, user)

  async function answer({ pathname, searchParams }: URL, response: ServerResponse): Promise<void> {
    if (pathname === '/.well-known/openid-configuration') return sendJson(response, metadataOf(issuer))
    if (pathname === '/jwks') return sendJson(response, keySet)
    if (pathname !== '/token') return sendText(response, 404, 'Ask for /token?user=alice.')
    const user = searchParams.get('user')
    if (!user) return sendText(response, 400, 'Say for whom: /token?user=alice.')
    return sendText(response, 200, await tokenFor(user))
  }

  return {
    issuer,
    audience: AUDIENCE,
    tokenFor,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

function metadataOf(issuer: string) {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    token_endpoint: `${issuer}/token`,
    response_types_supported: ['token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [ALGORITHM]
  }
}

function signToken(key: CryptoKey, issuer: string, user: string): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: ALGORITHM, kid: KEY_ID })
    .setIssuer(issuer)
    .setAudience(AUDIENCE)
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(TOKEN_LIFETIME)
    .sign(key)
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
}

/** Plain text, so that `$(curl …)` is the token. */
function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`)
}
