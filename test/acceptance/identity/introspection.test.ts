// Opaque tokens over the wire: the issuer is asked (RFC 7662), and what it cannot answer is an outage, never a guess.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { startJsonServer } from '../../helpers/json-server.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { runService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { OPAQUE_AUDIENCE, startTokenProvider } from '../../helpers/token-provider.ts'
import { AUDIENCE, ISSUER, tokenFor } from '../../helpers/tokens.ts'

const CLIENT_SECRET = 'canary+secret/with %:signs'
const active = { active: true, sub: 'alice', iss: ISSUER, aud: AUDIENCE }

const { emulator, env, parentId } = await startEmulator(t)
const issuer = await startJsonServer(t, active)
const service = await hostService(t, {
  ...env,
  AUTH_INTROSPECTION_URL: `${issuer.url}/introspect`,
  AUTH_INTROSPECTION_CLIENT_ID: 'client:1',
  AUTH_INTROSPECTION_CLIENT_SECRET: CLIENT_SECRET
})
let tokens = 0
const newToken = (): string => `canary-opaque.${tokens++}`

t.test('the issuer is asked by a form, as a client, once for a burst of calls', async t => {
  const token = newToken()
  const calls = Array.from({ length: 20 }, () => postReply(service, { token, parentId }))
  for (const { status } of await Promise.all(calls)) t.equal(status, 201)

  t.ok(emulator.ledger.every(({ onBehalfOf }) => onBehalfOf === 'alice'))
  t.equal(issuer.asked.length, 1)
  t.match(issuer.asked[0], {
    method: 'POST',
    path: '/introspect',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      authorization: `Basic ${btoa('client%3A1:canary%2Bsecret%2Fwith+%25%3Asigns')}`
    },
    body: `token=${token}&token_type_hint=access_token`
  })
})

t.test('its user learns who they are, and until when', async t => {
  const exp = Math.floor(Date.now() / 1000) + 600
  issuer.answerWith({ ...active, exp })
  t.teardown(() => issuer.answerWith(active))
  const answer = await fetch(`${service.url}/me`, { headers: { authorization: `Bearer ${newToken()}` } })
  t.strictSame(await answer.json(), {
    uid: 'alice',
    issuer: ISSUER,
    subject: 'alice',
    scheme: 'bearer',
    expiresAt: new Date(exp * 1000).toISOString()
  })
})

t.test('a JWT is judged by its signature, and nobody is asked', async t => {
  const asked = issuer.asked.length
  t.equal((await postReply(service, { as: 'alice', parentId })).status, 201)
  const forged = await tokenFor('alice', { secret: 'another-secret-that-is-long-enough-for-hs256' })
  expectProblem(t, await postReply(service, { token: forged, parentId }), 'unauthenticated')
  t.equal(issuer.asked.length, asked)
})

t.test('an inactive token is refused, with the challenge of RFC 6750', async t => {
  issuer.answerWith({ active: false })
  const answer = await postReply(service, { token: newToken(), parentId })

  expectProblem(t, answer, 'unauthenticated', { without: [CLIENT_SECRET] })
  t.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
})

t.test('without a usable answer the call may be made again, and nothing is sent', async t => {
  emulator.clear()
  const redirected = await startJsonServer(t, active)
  const outages: [title: string, how: () => void][] = [
    ['500', () => issuer.answerWith(active, 500)],
    ['401', () => issuer.answerWith(active, 401)],
    ['204', () => issuer.answer((_, response) => void response.writeHead(204).end())],
    [
      'a redirect',
      () => issuer.answer((_, response) => void response.writeHead(307, { location: redirected.url }).end())
    ],
    ['HTML', () => issuer.answer((_, response) => void response.end('<html>'))],
    ['half an answer', () => issuer.answer((_, response) => void response.end('{"active": true, "sub"'))],
    ['100 KB', () => issuer.answerWith({ ...active, padding: 'x'.repeat(100_000) })],
    ['a reset', () => issuer.answer((_, response) => void response.destroy())],
    ['silence', () => issuer.answer(() => undefined)]
  ]
  for (const [title, how] of outages) {
    how()
    await t.test(title, async t => {
      const answer = await postReply(service, { token: newToken(), parentId })
      expectProblem(t, answer, 'identity-provider-unavailable', { without: [CLIENT_SECRET, issuer.url] })
    })
  }
  t.strictSame(redirected.asked, [], 'the secret follows no redirect')
  t.strictSame(emulator.requests, [])
})

t.test('neither the secret nor a token is ever logged', async t => {
  const lines = service.output.join('\n') + service.errors.join('\n')
  for (const secret of [CLIENT_SECRET, 'canary', btoa(`client%3A1:canary`).slice(0, 20)]) t.notMatch(lines, secret)
  t.match(lines, /introspection-refused/)
  t.match(lines, /introspection-unreachable/)
})

t.test('with AUTH_INTROSPECTION_TOKENS=all the issuer is asked about JWTs too, and no keys are needed', async t => {
  const all = await hostService(t, {
    ...env,
    AUTH_JWT_ISSUER: 'urn:issuer-without-keys',
    AUTH_JWT_SECRET: undefined,
    AUTH_INTROSPECTION_TOKENS: 'all',
    AUTH_INTROSPECTION_URL: issuer.url,
    AUTH_INTROSPECTION_CLIENT_ID: 'client',
    AUTH_INTROSPECTION_CLIENT_SECRET: 'secret'
  })
  const token = await tokenFor('alice', { secret: 'a-secret-that-only-the-issuer-knows-at-all' })
  issuer.answerWith({ ...active, iss: 'urn:issuer-without-keys', sub: 'bob' })

  t.equal((await postReply(all, { token, parentId })).json.data.sender, 'bob')
  t.equal((await fetch(`${all.adminUrl}/readyz`)).status, 200)
  const line = await all.lineWhere(({ msg }) => msg === 'tokens of this issuer are accepted')
  t.equal(line['issuer'], 'urn:issuer-without-keys')
  t.match(line['rules'], /^no keys, every token is asked about at http.*, audience replies, UID verbatim of claim sub/)
})

t.test('a certified issuer answers for an opaque token of a service, until it is revoked', async t => {
  const provider = await startTokenProvider(t)
  const real = await hostService(t, {
    ...env,
    AUTH_JWT_ISSUER: provider.issuer,
    AUTH_JWT_AUDIENCE: OPAQUE_AUDIENCE,
    AUTH_JWT_SECRET: undefined,
    AUTH_ACT_SCOPE: 'replies:act',
    AUTH_EXPLAIN_SCOPE: 'replies:act',
    AUTH_INTROSPECTION_URL: `${provider.issuer}/token/introspection`,
    AUTH_INTROSPECTION_CLIENT_ID: 'thread-replies',
    AUTH_INTROSPECTION_CLIENT_SECRET: provider.secretOf('thread-replies')
  })
  const token = await provider.serviceToken('billing', OPAQUE_AUDIENCE, 'replies:act')
  const revoked = await provider.serviceToken('billing', OPAQUE_AUDIENCE, 'replies:act')
  await provider.revoke('billing', revoked)
  const headers = { 'x-acting-for': 'alice', 'x-request-id': 'request-opaque' }

  const answer = await postReply(real, { token, parentId, headers })
  t.equal(answer.json.data?.sender, 'alice')
  t.match(await real.lineWhere(line => line['requestId'] === 'request-opaque'), { actors: ['billing'] })
  const explained = await postReply(real, { token, parentId, headers: { ...headers, prefer: 'handling=explain' } })
  t.match(explained, { status: 200, json: { identity: { uid: 'alice', actors: ['billing'] } } }, 'its scopes count')
  expectProblem(t, await postReply(real, { token: revoked, parentId, headers }), 'unauthenticated')
})

t.test('--check-config says who is asked, and not with which secret', async t => {
  const { exitCode, output } = await runService(
    {
      ...env,
      AUTH_INTROSPECTION_URL: 'https://login.example.com/introspect',
      AUTH_INTROSPECTION_CLIENT_ID: 'client-1',
      AUTH_INTROSPECTION_CLIENT_SECRET: CLIENT_SECRET
    },
    ['--check-config']
  )
  t.equal(exitCode, 0)
  t.match(output, /opaque tokens are asked about at https:\/\/login\.example\.com\/introspect as client client-1/)
  t.notMatch(output, CLIENT_SECRET)
})
