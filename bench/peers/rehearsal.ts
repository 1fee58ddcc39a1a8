// A peer as it is measured, before an upstream that tells what reached it, and an issuer that signs whatever is asked.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { isDeepStrictEqual } from 'node:util'
import { exportSPKI, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { Pool } from 'undici'
import { freePort } from '../../test/helpers/free-port.ts'
import { startProgram } from '../subjects.ts'
import type { Peer, PeerEnv } from './peers.ts'

export interface Rehearsal {
  readonly upstream: Upstream
  readonly sign: Sign
  /** As the issuer would, with a key that is not the issuer's. */
  readonly forge: Sign
  post(parentId: string, headers: Readonly<Record<string, string>>): Promise<Answer>
}

export interface Upstream {
  readonly url: string
  readonly key: string
  posts(): number
  /** How many have been opened so far. */
  connections(): number
}

export interface Answer {
  readonly status: number
  readonly text: string
}

type Sign = (claims: JWTPayload) => Promise<string>

export const CONNECTIONS = 64
const ISSUER = 'https://issuer.example'
const AUDIENCE = 'replies'
const TOKEN_SECONDS = 600
const REPLY = { receiver: 'bob', receiverType: 'user', data: { text: 'Gern – am Freitag um zehn.' } }
const THREAD = /^\/v3\/messages\/(\d+)\/thread$/

export function claimsOf(user: string): JWTPayload {
  const now = Math.floor(Date.now() / 1000)
  return { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + TOKEN_SECONDS, sub: user }
}

/** Starts everything; it ends, and its files go, with the stack. */
export async function startRehearsal(stack: AsyncDisposableStack, peer: Peer): Promise<Rehearsal> {
  const directory = mkdtempSync(join(tmpdir(), `peer-${peer.name}-`))
  stack.defer(() => rmSync(directory, { recursive: true, force: true }))
  const [issuer, another] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')])
  const publicKeyFile = join(directory, 'issuer.pem')
  writeFileSync(publicKeyFile, await exportSPKI(issuer.publicKey))
  const upstream = await startUpstream(stack)
  const port = await freePort()
  const env: PeerEnv = {
    PORT: String(port),
    UPSTREAM_URL: upstream.url,
    API_KEY: upstream.key,
    JWT_PUBLIC_KEY_FILE: publicKeyFile,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    NODE_ENV: 'production'
  }
  const { file, args } = peer.command(env, directory)
  await startProgram(stack, { name: 'it', command: [file, ...args], env: { ...env }, port })
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS })
  stack.defer(() => pool.destroy())
  return {
    upstream,
    sign: signerWith(issuer),
    forge: signerWith(another),
    async post(parentId, headers) {
      const { statusCode: status, body } = await pool.request({
        method: 'POST',
        path: `/threads/${parentId}/replies`,
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(REPLY)
      })
      return { status, text: await body.text() }
    }
  }
}

function signerWith({ privateKey }: GenerateKeyPairResult): Sign {
  return claims => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT' }).sign(privateKey)
}

/** Answers with the sender and the thread that reached it; refuses what lost something on the way, or shows a token. */
async function startUpstream(stack: AsyncDisposableStack): Promise<Upstream> {
  const key = randomBytes(20).toString('hex')
  let [posts, connections] = [0, 0]
  const server = createServer(async (request, response) => {
    posts++
    const { sender, parentId, lacks } = await read(request, key)
    response.writeHead(lacks.length === 0 ? 200 : 400, { 'content-type': 'application/json' })
    response.end(JSON.stringify(lacks.length === 0 ? { data: { sender, parentId } } : { lacks }))
  })
  server.keepAliveTimeout = 60_000
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, key, posts: () => posts, connections: () => connections }
}

async function read(request: IncomingMessage, key: string) {
  const { apikey, authorization, onbehalfof: sender } = request.headers
  const parentId = request.method === 'POST' ? THREAD.exec(request.url ?? '')?.[1] : undefined
  const body = await json(request).catch(() => undefined)
  const checks = {
    key: apikey === key,
    user: sender !== undefined,
    thread: parentId !== undefined,
    body: isDeepStrictEqual(body, REPLY),
    // What the upstream of the bench, which is simpler than HTTP, goes by.
    length: request.headers['content-length'] !== undefined,
    discretion: authorization === undefined
  }
  const lacks = Object.entries(checks).flatMap(([name, isThere]) => (isThere ? [] : [name]))
  return { sender, parentId, lacks }
}
