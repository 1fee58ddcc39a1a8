// Behind HTTPS_PROXY every call goes out by CONNECT, TLS from end to end, and delivery is told as truly as without.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { selfSigned } from '../../helpers/certificate.ts'
import { runService, startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { AUDIENCE, ISSUER } from '../../helpers/tokens.ts'

const NAME = 'chat.example.test'
const IDENTITY_NAME = 'login.example.test'
type Mode = 'tunnel' | 'refuse' | 'silent' | 'authenticate'

t.setTimeout(240_000)
const { emulator, env, parentId } = await startEmulator(t)
const { cert, key } = selfSigned(NAME)
const ofIdentity = selfSigned(IDENTITY_NAME)
const ca = join(t.testdir({}), 'ca.pem')
writeFileSync(ca, cert + ofIdentity.cert)

/** CometChat under its name, as only the proxy finds it. */
const front = createTlsServer({ cert, key }, socket => {
  const { port, hostname } = new URL(env.COMETCHAT_BASE_URL)
  const inner = connect(Number(port), hostname)
  socket.pipe(inner).pipe(socket)
  for (const [one, other] of [
    [socket, inner],
    [inner, socket]
  ] as const) {
    one.on('error', () => other.destroy()).on('close', () => other.destroy())
  }
}).listen(0, '127.0.0.1')
await once(front, 'listening')

const { privateKey, publicKey } = await generateKeyPair('ES256')
const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }
/** The identity provider under its name: its keys, and a token that it knows. */
const identity = createHttpsServer(ofIdentity, ({ url }, response) => {
  response.end(JSON.stringify(url === '/keys' ? keys : { active: true, sub: 'alice', iss: ISSUER, aud: AUDIENCE }))
}).listen(0, '127.0.0.1')
await once(identity, 'listening')

let mode: Mode = 'tunnel'
const asked: string[] = []
const open = new Set<Socket>()
const proxy = createServer((_request, response) => response.writeHead(405).end()).listen(0, '127.0.0.1')
proxy.on('connect', (request: IncomingMessage, client: Socket) => {
  asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? '-'}`)
  open.add(client)
  client.on('error', () => undefined)
  if (mode === 'silent') return
  if (mode === 'refuse' || (mode === 'authenticate' && !request.headers['proxy-authorization'])) {
    client.end(`HTTP/1.1 ${mode === 'refuse' ? 502 : 407} No\r\ncontent-length: 0\r\n\r\n`)
    return
  }
  const behindIt = request.url === `${IDENTITY_NAME}:443` ? identity : front
  const server = connect((behindIt.address() as AddressInfo).port, '127.0.0.1')
  open.add(server)
  client.write('HTTP/1.1 200 Connection established\r\n\r\n')
  server.on('error', () => client.destroy()).on('close', () => client.destroy())
  client.on('close', () => server.destroy())
  client.pipe(server)
  server.pipe(client)
})
await once(proxy, 'listening')
t.teardown(() => {
  for (const socket of open) socket.destroy()
  proxy.close()
  front.close()
  identity.close()
})

const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
const behind = {
  ...env,
  COMETCHAT_BASE_URL: `https://${NAME}`,
  NODE_EXTRA_CA_CERTS: ca,
  REPLY_DEADLINE_MS: '4000'
}
const service = await startService(t, { ...behind, HTTPS_PROXY: proxyUrl })

t.test('it is said at the start, and a reply goes through it', async t => {
  t.match(
    service.logLines().find(({ msg }) => msg === 'outgoing calls go through a proxy'),
    { proxy: [proxyUrl] }
  )
  const { status, json } = await postReply(service, { parentId })

  t.equal(status, 201)
  t.equal(emulator.ledger.at(-1)?.id, json.data.id)
  t.same([...new Set(asked)], [`${NAME}:443 -`])
})

for (const [fault, expected] of [
  [
    { kind: 'reset', commit: true },
    { status: 502, delivery: 'unknown' }
  ],
  [{ kind: 'stall' }, { status: 504, delivery: 'unknown' }]
] as const) {
  t.test(`CometChat failing behind it by ${fault.kind} leaves the outcome unknown`, async t => {
    emulator.failNext(fault, { method: 'POST' })
    const { status, json } = await postReply(service, { parentId })

    t.strictSame([status, json.delivery], [expected.status, expected.delivery])
  })
}

for (const refusing of ['refuse', 'silent'] as const) {
  t.test(`a proxy that makes no tunnel (${refusing}) means that nothing was sent`, async t => {
    mode = refusing
    for (const socket of open) socket.destroy()
    const before = emulator.ledger.length
    const { json } = await postReply(service, { parentId, headers: { 'idempotency-key': `tunnel-${refusing}` } })
    t.equal(json.delivery, 'not-sent')

    mode = 'tunnel'
    const again = await postReply(service, { parentId, headers: { 'idempotency-key': `tunnel-${refusing}` } })
    t.equal(again.status, 201)
    t.equal(emulator.ledger.length, before + 1)
  })
}

t.test('the identity provider is asked through it, too: for its keys, and about a token', async t => {
  const asking = await startService(t, {
    ...behind,
    HTTPS_PROXY: proxyUrl,
    AUTH_JWT_SECRET: undefined,
    AUTH_JWT_JWKS_URL: `https://${IDENTITY_NAME}/keys`,
    AUTH_INTROSPECTION_URL: `https://${IDENTITY_NAME}/introspect`,
    AUTH_INTROSPECTION_CLIENT_ID: 'replies',
    AUTH_INTROSPECTION_CLIENT_SECRET: 'a-secret-of-a-client'
  })
  const signed = new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'ES256', kid: 'one' })
  const jwt = await signed.setIssuer(ISSUER).setAudience(AUDIENCE).setExpirationTime('5m').sign(privateKey)
  const calls = (): number => asked.filter(line => line === `${IDENTITY_NAME}:443 -`).length
  t.equal((await postReply(asking, { parentId, token: jwt })).status, 201)
  t.not(calls(), 0, 'for its keys')
  for (const socket of open) socket.destroy()
  const before = calls()

  t.equal((await postReply(asking, { parentId, token: 'opaque-token-1' })).status, 201)
  t.equal(calls(), before + 1, 'about the token')
})

t.test('its user and password are sent to it alone, and shown nowhere', async t => {
  mode = 'authenticate'
  const url = proxyUrl.replace('//', '//user:pass%40word@')
  const other = await startService(t, { ...behind, https_proxy: url })
  t.equal((await postReply(other, { parentId })).status, 201)

  t.equal(asked.at(-1), `${NAME}:443 Basic ${Buffer.from('user:pass@word').toString('base64')}`)
  t.notMatch(other.output.join(), /pass(%40|@)word/)
  mode = 'tunnel'
})

t.test('a certificate for another name is refused through it, too', async t => {
  const stranger = await startService(t, {
    ...behind,
    COMETCHAT_BASE_URL: 'https://other.example.test',
    HTTPS_PROXY: proxyUrl
  })
  const { status, json } = await postReply(stranger, { parentId })

  t.ok(status >= 500)
  t.equal(json.delivery, 'not-sent')
})

for (const [title, change] of [
  ['loopback', { HTTPS_PROXY: 'http://127.0.0.1:1', HTTP_PROXY: 'http://127.0.0.1:1' }],
  ['loopback, with the switch of Node', { HTTP_PROXY: 'http://127.0.0.1:1', NODE_USE_ENV_PROXY: '1' }]
] as const) {
  t.test(`${title} never goes through a proxy`, async t => {
    const direct = await startService(t, { ...env, ...change })

    t.equal((await postReply(direct, { parentId })).status, 201)
  })
}

t.test('what NO_PROXY names does not go through it', async t => {
  const count = asked.length
  const direct = await startService(t, { ...behind, HTTPS_PROXY: proxyUrl, NO_PROXY: '10.0.0.0/8, .example.test' })
  const { json } = await postReply(direct, { parentId })

  t.equal(json.delivery, 'not-sent', 'without the proxy this name leads nowhere')
  t.equal(asked.length, count)
})

t.test('an address that is no proxy is a mistake', async t => {
  const { exitCode, errors } = await runService({ ...env, HTTPS_PROXY: 'socks5://127.0.0.1:1080' }, ['--check-config'])

  t.equal(exitCode, 78)
  t.match(errors, 'HTTPS_PROXY must be the address of a proxy')
})
