// An OpenID issuer on loopback: metadata, keys, tokens, and whatever can go wrong with them.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT
} from 'jose'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { AUDIENCE } from './tokens.ts'

export type Algorithm = 'RS256' | 'RS384' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA'

export interface SigningKey {
  readonly kid: string
  readonly alg: Algorithm
  readonly privateKey: CryptoKey
  /** As it is published. */
  readonly jwk: JWK
}

/** What an endpoint does instead of its duty. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void

export interface TokenParts {
  readonly key?: SigningKey
  readonly header?: Partial<JWTHeaderParameters>
  readonly claims?: JWTPayload
}

const LIFETIME_SECONDS = 600

export async function createSigningKey(kid: string, alg: Algorithm = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** Starts an issuer that ends with the test; `issuer` is its address. */
export async function startIdentityProvider(t: Test, keys: readonly SigningKey[]) {
  const counts = { metadata: 0, keys: 0 }
  let published: unknown = { keys: keys.map(({ jwk }) => jwk) }
  let signing = keys[0]
  let metadataFault: Misbehaviour | undefined
  let keysFault: Misbehaviour | undefined
  const json = (response: ServerResponse, body: unknown): void => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  }

  const server = createServer((request, response) => {
    if (request.url === '/keys') {
      counts.keys++
      if (keysFault) keysFault(request, response)
      else json(response, published)
    } else if (request.url?.startsWith('/.well-known/')) {
      counts.metadata++
      if (metadataFault) metadataFault(request, response)
      else json(response, { issuer, jwks_uri: `${issuer}/keys` })
    } else {
      response.writeHead(404).end()
    }
  })
  const listen = (port: number): Promise<void> => new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
  const port = await freePort()
  await listen(port)
  const issuer = `http://127.0.0.1:${port}`
  const stop = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  t.teardown(stop)

  return {
    issuer,
    counts,
    /** The variables that make the service believe this issuer. */
    env: { AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: AUDIENCE, AUTH_JWT_SECRET: undefined },
    stop,
    restart: () => listen(port),
    /** Publishes these keys only and signs with the first of them. */
    rotateTo(...next: readonly SigningKey[]): void {
      published = { keys: next.map(({ jwk }) => jwk) }
      signing = next[0] ?? signing
    },
    publish(keySet: unknown): void {
      published = keySet
    },
    failKeys(fault: Misbehaviour | undefined): void {
      keysFault = fault
    },
    failMetadata(fault: Misbehaviour | undefined): void {
      metadataFault = fault
    },
    async tokenFor(sub: string, { key = signing, header = {}, claims = {} }: TokenParts = {}): Promise<string> {
      if (!key) throw new Error('this issuer has no key')
      const now = Math.floor(Date.now() / 1000)
      const payload = { iss: issuer, aud: AUDIENCE, iat: now, exp: now + LIFETIME_SECONDS, sub, ...claims }
      const token = new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      return token.sign(key.privateKey)
    }
  }
}
