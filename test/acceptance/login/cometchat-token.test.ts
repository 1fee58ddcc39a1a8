// The auth token that CometChat's SDK signs in with: one a sign-in, gone with it, and seen by its user alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Browser, Visit } from '../../helpers/browser.ts'
import { leaksIn } from '../../helpers/leaks.ts'
import { readLiveFolder } from '../../helpers/live-folder.ts'
import { startLogin } from '../../helpers/login.ts'
import { startOtlpReceiver } from '../../helpers/otlp-receiver.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { runService } from '../../helpers/service-process.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET, tokenFor } from '../../helpers/tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'sdk-tokens-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const receiver = await startOtlpReceiver(t)
const world = await startLogin(t, {
  COMETCHAT_TOKENS: 'on',
  COMETCHAT_APP_ID: '2748663902141719',
  COMETCHAT_REGION: 'eu',
  AUTH_JWT_ISSUER: ISSUER,
  AUTH_JWT_AUDIENCE: AUDIENCE,
  AUTH_JWT_SECRET: SHARED_SECRET,
  AUTH_ACT_SCOPE: 'replies:act',
  AUTH_SDK_TOKEN_SCOPE: 'sdk:tokens',
  STORE_URL: `file:${join(folder, 'replies.db')}`,
  STORE_SECRET: 'a-store-secret-of-at-least-32-bytes-for-this',
  AUDIT_FILE: join(folder, 'audit.log'),
  AUDIT_SECRET: 'an-audit-secret-of-at-least-32-bytes-for-this',
  IDEMPOTENCY_KEY: 'required',
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  LOG_LEVEL: 'trace'
})
const { emulator, origin, service } = world
const url = `${origin}/cometchat/token`
/** Every token that was ever given out. */
const seen = new Set<string>()

type Method = 'POST' | 'DELETE'

async function call(method: Method, token: string, headers: Record<string, string> = {}, body?: string) {
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body !== undefined && { body })
  })
  const text = await answer.text()
  const json = JSON.parse(text)
  if (typeof json.authToken === 'string') seen.add(json.authToken)
  return { status: answer.status, headers: answer.headers, text, json }
}

async function inBrowser(browser: Browser, method: Method): Promise<Visit> {
  const visit = await browser.visit(url, { method, headers: { accept: '*/*', 'x-csrf': '1' } })
  if (typeof visit.json?.authToken === 'string') seen.add(visit.json.authToken)
  return visit
}

const bearer = (claims: object = {}, sub = 'alice') => tokenFor(sub, { claims: { ...claims } })
const calls = () => emulator.requests.filter(({ path }) => path.includes('auth_tokens')).length

t.test('a sign-in gets what an SDK needs, once, without a body or a key; each sign-in its own', async t => {
  const phone = await bearer({ sid: 'phone' })
  const first = await call('POST', phone)
  t.equal(first.status, 201)
  t.match(first.json, {
    uid: 'alice',
    appId: '2748663902141719',
    region: 'eu',
    authToken: /^alice_\d{10}[0-9a-f]{30}$/
  })
  t.strictSame(Object.keys(first.json), ['uid', 'appId', 'region', 'authToken'])
  t.equal(first.headers.get('cache-control'), 'no-store')

  const refreshed = await call(
    'POST',
    await bearer({ sid: 'phone', iat: 1 }),
    { 'content-type': 'application/json' },
    '{}'
  )
  t.strictSame([refreshed.status, refreshed.json], [200, first.json], 'a refreshed token is of the same sign-in')
  const laptop = await call('POST', await bearer({ sid: 'laptop' }))
  t.not(laptop.json.authToken, first.json.authToken)
  t.strictSame(emulator.authTokensOf('alice'), [first.json.authToken, laptop.json.authToken])

  const gone = await call('DELETE', phone)
  t.strictSame([gone.status, gone.json], [200, { revoked: true }])
  t.strictSame(emulator.authTokensOf('alice'), [laptop.json.authToken], 'the laptop is still signed in')
  t.strictSame((await call('DELETE', phone, { 'content-type': 'application/json' })).json, { revoked: false })
  t.strictSame((await call('DELETE', await bearer({ sid: 'laptop' }))).json, { revoked: true })
})

t.test('without a name of the sign-in the token itself counts, by its own name or as it is', async t => {
  const byName = [
    await bearer({ jti: 'one', iat: 1 }),
    await bearer({ jti: 'one', iat: 2 }),
    await bearer({ jti: 'two' })
  ]
  const [one, again, other] = await Promise.all(byName.map(async token => (await call('POST', token)).json.authToken))
  t.equal(one, again)
  t.not(other, one)
  const plain = [await bearer({ iat: 3 }), await bearer({ iat: 4 })] as const
  t.not((await call('POST', plain[0])).json.authToken, (await call('POST', plain[1])).json.authToken)
  for (const token of [...byName.slice(1), ...plain])
    t.strictSame((await call('DELETE', token)).json, { revoked: true })
  t.strictSame(emulator.authTokensOf('alice'), [])
})

t.test('signing out ends the token of that browser, and no other; so does the provider', async t => {
  const [phone, laptop] = [await world.signIn(), await world.signIn()]
  const ofPhone = (await inBrowser(phone, 'POST')).json.authToken
  const ofLaptop = (await inBrowser(laptop, 'POST')).json.authToken
  t.strictSame((await inBrowser(phone, 'POST')).json.authToken, ofPhone)
  t.strictSame(emulator.authTokensOf('alice'), [ofPhone, ofLaptop])

  t.equal((await world.logout(phone)).status, 200)
  t.strictSame(emulator.authTokensOf('alice'), [ofLaptop])
  t.equal((await inBrowser(phone, 'POST')).status, 401)

  await inBrowser(await world.signIn(), 'POST')
  t.equal(emulator.authTokensOf('alice').length, 2)
  await world.backChannel(await world.provider.logoutToken({ sub: 'alice' }))
  t.strictSame(emulator.authTokensOf('alice'), [], 'the provider signed alice out everywhere')
})

t.test('a sign-out succeeds while CometChat fails, and the operator is told what is left', async t => {
  const browser = await world.signIn()
  const { authToken } = (await inBrowser(browser, 'POST')).json
  emulator.failNext({ kind: 'server-error' }, { method: 'DELETE' })
  t.equal((await world.logout(browser)).status, 200)
  t.equal((await world.me(browser)).status, 401)
  t.strictSame(emulator.authTokensOf('alice'), [authToken])
  t.match(await service.lineWhere(({ alarm }) => alarm === 'sdk-token-left'), { uid: 'alice', level: 'error' })
})

t.test('a service that acts for a user gets none without the scope for it', async t => {
  const before = calls()
  const acting = { 'x-acting-for': 'bob' }
  for (const [token, headers] of [
    [await bearer({ scope: 'replies:act' }, 'billing'), acting],
    [await bearer({ act: { sub: 'gateway' } }), {}]
  ] as const) {
    for (const method of ['POST', 'DELETE'] as const) expectProblem(t, await call(method, token, headers), 'forbidden')
  }
  t.equal(calls(), before, 'CometChat is asked nothing')
  await service.lineWhere(({ reason }) => reason === 'sdk-token-scope')
  const allowed = await bearer({ scope: 'replies:act sdk:tokens', jti: 'billing' }, 'billing')
  t.match(await call('POST', allowed, acting), { status: 201, json: { uid: 'bob' } })
  t.match(await call('DELETE', allowed, acting), { json: { revoked: true } })
})

t.test('bad input is refused before anything is asked of CometChat', async t => {
  const before = calls()
  const token = await bearer({ sid: 'bad' })
  const json = { 'content-type': 'application/json' }
  for (const [headers, body, code] of [
    [json, '{"uid":"bob"}', 'reserved-name'],
    [json, '{"authToken":"x"}', 'reserved-name'],
    [json, '{"device":"phone"}', 'invalid-request'],
    [json, '[]', 'invalid-request'],
    [json, '{', 'malformed-request'],
    [{ 'content-type': 'text/plain' }, 'x', 'unsupported-media-type'],
    [{ onbehalfof: 'bob' }, undefined, 'reserved-name'],
    [{ prefer: 'handling=explain' }, undefined, 'forbidden'],
    [{ 'idempotency-key': '"' }, undefined, 'idempotency-key-invalid']
  ] as const) {
    expectProblem(t, await call('POST', token, { ...headers }, body), code)
  }
  expectProblem(t, await call('POST', 'a.b.c'), 'unauthenticated')
  const put = await fetch(url, { method: 'PUT' })
  t.strictSame([put.status, put.headers.get('allow')], [405, 'POST, DELETE'])
  t.equal(calls(), before)
})

t.test('what CometChat refuses or loses is a problem that shows nothing, and can be tried again', async t => {
  expectProblem(t, await call('POST', await bearer({}, 'nobody')), 'identity-unmappable')
  const token = await bearer({ sid: 'unlucky' })
  emulator.failNext({ kind: 'server-error' }, { method: 'POST' })
  expectProblem(t, await call('POST', token), 'upstream-error', { delivery: 'not-sent' })
  t.equal((await call('POST', token)).status, 201)
  emulator.failNext({ kind: 'server-error' }, { method: 'DELETE' })
  expectProblem(t, await call('DELETE', token), 'upstream-error', { delivery: 'not-sent' })
  t.strictSame((await call('DELETE', token)).json, { revoked: true })
})

t.test('one that CometChat has forgotten, in whose refusal it is repeated, is taken back', async t => {
  const token = await bearer({ sid: 'forgotten' })
  const { authToken } = (await call('POST', token)).json
  const path = `/v3/users/alice/auth_tokens/${authToken}`
  await fetch(emulator.url + path, { method: 'DELETE', headers: { apikey: emulator.apiKey } })
  t.strictSame((await call('DELETE', token)).json, { revoked: true })
  t.equal((await fetch(`${service.adminUrl}/readyz`)).status, 200, 'our key is as good as before')
  t.not((await call('POST', token)).json.authToken, authToken)
})

t.test('a token is in no log, span, metric, audit line or record', async t => {
  await receiver.spansWhere(({ attributes }) =>
    String(attributes['url.template'] ?? attributes['http.route']).includes('token')
  )
  const files = readLiveFolder(folder).map(({ name, text }) => ({ where: name, text }))
  const haystacks = [
    ...files,
    { where: 'the log', text: service.output.join('\n') },
    { where: 'standard error', text: service.errors.join('') },
    { where: 'metrics', text: await (await fetch(`${service.adminUrl}/metrics`)).text() },
    { where: 'traces', text: receiver.asked.map(({ body }) => body).join('\n') }
  ]
  for (const { where, text } of haystacks.filter(({ where }) =>
    ['the log', 'metrics', 'traces', 'audit.log'].includes(where)
  )) {
    t.match(text, 'token', `${where} tells of the call`)
  }
  t.ok(seen.size > 10)
  const secrets = Object.fromEntries([...seen].map((token, index) => [`token ${index}`, token.slice(-30)]))
  t.strictSame(leaksIn(haystacks, secrets), [])
})

t.test('where tokens are off there is no such address, and half a configuration is refused by name', async t => {
  const { output, exitCode } = await runService({
    COMETCHAT_BASE_URL: 'http://127.0.0.1:1',
    COMETCHAT_API_KEY: 'k'.repeat(20),
    COMETCHAT_TOKENS: 'on'
  })
  t.not(exitCode, 0)
  t.match(output, 'COMETCHAT_TOKENS=on needs COMETCHAT_APP_ID and COMETCHAT_REGION')
})
