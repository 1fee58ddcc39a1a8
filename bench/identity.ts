// An issuer of its own for the bench: a key pair, its public half over HTTP and in a file, and tokens of many users.
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

export const AUDIENCE = 'replies'
/** The year 2100: a token is the same however often it is made. */
const EXPIRES_AT = 4_102_444_800
const KEY_ID = 'bench'
const EC_KEY_ID = 'bench-ec'

export interface User {
  readonly uid: string
  readonly token: string
}

/** Too many to be handed over: each token is made when it is sent. */
export interface ManyUsers {
  readonly count: number
  readonly issuer: string
  readonly secret: string
}

export interface Issuer {
  readonly url: string
  readonly jwksUrl: string
  readonly publicKeyFile: string
  /** Users with a token each, signed with RS256. */
  users(count: number): User[]
  /** The same with ES256, whose signatures are made thirty times as fast; only the service takes those. */
  manyUsers(count: number): User[]
}

export async function startIssuer(stack: AsyncDisposableStack, directory: string): Promise<Issuer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicKeyFile = join(directory, 'issuer.pem')
  writeFileSync(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }))
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = JSON.stringify({
    keys: [
      { ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' },
      { ...ec.publicKey.export({ format: 'jwk' }), kid: EC_KEY_ID, alg: 'ES256', use: 'sig' }
    ]
  })
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(jwks)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => void server.close())
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    url,
    jwksUrl: `${url}/jwks.json`,
    publicKeyFile,
    users: count =>
      Array.from({ length: count }, (_, index) =>
        userOf(index, { alg: 'RS256', kid: KEY_ID }, url, text => signWith(text, privateKey))
      ),
    manyUsers: count =>
      Array.from({ length: count }, (_, index) =>
        userOf(index, { alg: 'ES256', kid: EC_KEY_ID }, url, text => signWith(text, ec.privateKey))
      )
  }
}

/** A user of an issuer that shares a secret; made anew, the token is the same. */
export function userWithSecret(index: number, { issuer, secret }: Pick<ManyUsers, 'issuer' | 'secret'>): User {
  const signed = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url')
  return userOf(index, { alg: 'HS256' }, issuer, signed)
}

function userOf(index: number, header: object, iss: string, signed: (text: string) => string): User {
  const uid = `user-${index}`
  const text = `${base64url({ ...header, typ: 'JWT' })}.${base64url({ iss, aud: AUDIENCE, exp: EXPIRES_AT, sub: uid })}`
  return { uid, token: `${text}.${signed(text)}` }
}

function signWith(text: string, key: KeyObject): string {
  // JWS has the two numbers of an ECDSA signature one behind the other (RFC 7518 §3.4); RSA has no such choice.
  return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
