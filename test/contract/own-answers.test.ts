// Real answers of this service, one run for each route and status, judged by Prism and by docs/openapi.json itself.
import t from 'tap'
import { Browser } from '../helpers/browser.ts'
import { startLogin } from '../helpers/login.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET } from '../helpers/tokens.ts'
import { readDocument } from '../openapi/files.ts'
import { ask, type Call, createReader, violations } from './described.ts'
import { startJudge } from './prism.ts'

const PER_MINUTE = 40
const { emulator, parentId, origin, signIn, provider, ...world } = await startLogin(t, {
  AUTH_JWT_ISSUER: ISSUER,
  AUTH_JWT_AUDIENCE: AUDIENCE,
  AUTH_JWT_SECRET: SHARED_SECRET,
  AUTH_EXPLAIN_SCOPE: 'replies:explain',
  COMETCHAT_TOKENS: 'on',
  COMETCHAT_APP_ID: '2748663902141719',
  COMETCHAT_REGION: 'eu',
  LIMIT_MODE: undefined,
  LIMIT_USER_PER_MINUTE: String(PER_MINUTE),
  OPENAPI: 'on',
  REPLY_DEADLINE_MS: '1500'
})
const document = readDocument()
const { undescribed, seen } = createReader(document)
/** A route that is none, described wrongly: so that it is seen that Prism judges. */
const WRONG = {
  description: 'Nothing.',
  content: { 'application/problem+json': { schema: { type: 'object', required: ['age'] } } }
}
const prism = await startJudge(
  t,
  JSON.stringify({
    ...document,
    paths: {
      ...document.paths,
      '/nothing': { get: { responses: { 404: WRONG } }, delete: { responses: { 200: WRONG } } }
    }
  }),
  origin
)
const replies = `/threads/${parentId}/replies`
const text = { data: { text: 'hello' } }
const own = async (): Promise<string> =>
  JSON.parse((await ask(origin + replies, { method: 'POST', body: text })).text).data.id
const known = { 'idempotency-key': '"known"' }
await ask(origin + replies, { method: 'POST', body: text, headers: known })
const browser = await signIn()
const cookie = `__Host-Http-session=${browser.cookie(origin, '__Host-Http-session')}`

type Fault = Parameters<typeof emulator.failNext>
const once = (kind: object, method: string): Fault => [kind as Fault[0], { method: method as 'POST' }]

// Bob has sent all that he may.
await Promise.all(
  Array.from({ length: PER_MINUTE }, () => ask(origin + replies, { method: 'POST', body: text, as: 'bob' }))
)

/** Every route with every status that Prism can pass on: it follows redirects, and writes no JSON that is none. */
const rows: readonly (readonly [status: number, path: string, call: Call, fault?: Fault])[] = [
  [201, replies, { method: 'POST', body: text }],
  [201, replies, { method: 'POST', body: text, headers: known }],
  [201, replies, { method: 'POST', body: text, headers: { prefer: 'return=minimal' } }],
  [
    201,
    replies,
    { method: 'POST', body: { type: 'image', data: { attachments: [{ url: 'https://a.test/a.png', name: 'a.png' }] } } }
  ],
  [201, replies, { method: 'POST', body: { category: 'custom', type: 'poll', data: { customData: { a: 1 } } } }],
  [201, replies, { method: 'POST', body: { ...text, multipleReceivers: { uids: ['carol'] } } }],
  [
    200,
    replies,
    { method: 'POST', body: text, claims: { scope: 'replies:explain' }, headers: { prefer: 'handling=explain' } }
  ],
  [400, replies, { method: 'POST', body: { ...text, sender: 'bob' } }],
  [401, replies, { method: 'POST', body: text, as: '' }],
  [403, replies, { method: 'POST', body: text, as: 'Alice' }],
  [403, replies, { method: 'POST', body: text, headers: { prefer: 'handling=explain' } }],
  [403, replies, { method: 'POST', body: text, as: '', headers: { cookie } }],
  [404, '/threads/999999/replies', { method: 'POST', body: text }],
  [409, replies, { method: 'POST', body: { ...text, receiver: 'carol', receiverType: 'user' } }],
  [413, replies, { method: 'POST', body: { data: { text: 'x'.repeat(300_000) } } }],
  [415, replies, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }],
  [422, replies, { method: 'POST', body: { data: {} } }],
  [422, replies, { method: 'POST', body: { data: { text: 'something else' } }, headers: known }],
  [422, replies, { method: 'POST', body: text }, once({ kind: 'error', code: 'ERR_BLOCKED_BY_EXTENSION' }, 'POST')],
  [429, replies, { method: 'POST', body: text, as: 'bob' }],
  [502, replies, { method: 'POST', body: text }, once({ kind: 'server-error', commit: true }, 'POST')],
  [502, replies, { method: 'POST', body: text }, once({ kind: 'key-in-answer' }, 'POST')],
  [504, replies, { method: 'POST', body: text }, once({ kind: 'stall' }, 'POST')],
  [200, replies, {}],
  [200, `${replies}?limit=2`, {}],
  [422, `${replies}?limit=0`, {}],
  [401, replies, { as: '' }],
  [404, '/threads/999999/replies', {}],
  [502, replies, {}, once({ kind: 'gzip' }, 'GET')],
  [200, `${replies}/by-key/known`, {}],
  [200, `${replies}/by-key/unknown`, {}],
  [400, `${replies}/by-key/${'x'.repeat(256)}`, {}],
  [404, '/threads/999999/replies/by-key/known', {}],
  [200, `${replies}/${await own()}`, { method: 'PATCH', body: { data: { text: 'again' } } }],
  [422, `${replies}/${await own()}`, { method: 'PATCH', body: {} }],
  [400, `${replies}/${await own()}`, { method: 'PATCH', body: { data: { sender: 'bob' } } }],
  [415, `${replies}/${await own()}`, { method: 'PATCH', body: 'x', headers: { 'content-type': 'text/plain' } }],
  [403, `${replies}/${await own()}`, { method: 'PATCH', body: text, as: 'bob' }],
  [404, `${replies}/999999`, { method: 'PATCH', body: text }],
  [200, `${replies}/${await own()}`, { method: 'DELETE' }],
  [403, `${replies}/${await own()}`, { method: 'DELETE', as: 'bob' }],
  [404, `${replies}/999999`, { method: 'DELETE' }],
  [422, `${replies}/${await own()}`, { method: 'DELETE', body: { permanent: true } }],
  [200, `/threads/${parentId}`, {}],
  [404, '/threads/999999', {}],
  [422, '/threads/x', {}],
  [200, '/me', {}],
  [200, '/me', { as: '', headers: { cookie, 'x-csrf': '1' } }],
  [401, '/me', { as: '' }],
  [400, '/me', { headers: { cookie } }],
  [422, '/me?a=1', {}],
  [201, '/cometchat/token', { method: 'POST' }],
  [200, '/cometchat/token', { method: 'POST', claims: { jti: 'one' } }],
  [401, '/cometchat/token', { method: 'POST', as: '' }],
  [422, '/cometchat/token', { method: 'POST', body: { uid2: 'bob' } }],
  [200, '/cometchat/token', { method: 'DELETE', claims: { jti: 'one' } }],
  [401, '/cometchat/token', { method: 'DELETE', as: '' }],
  [200, '/auth/me', { as: '', headers: { cookie } }],
  [401, '/auth/me', { as: '' }],
  [400, '/auth/login?return_to=//evil.test', { as: '' }],
  [403, '/auth/callback?code=x&state=y', { as: '' }],
  [403, '/auth/logout', { method: 'POST', as: '' }],
  [
    400,
    '/auth/backchannel-logout',
    { method: 'POST', as: '', body: 'logout_token=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  ],
  [200, '/openapi.json', { as: '' }]
]

t.test('what Prism passes on is as the document describes it', async t => {
  // A token that is taken a second time is the same one.
  await ask(`${origin}/cometchat/token`, { method: 'POST', claims: { jti: 'one' } })
  for (const [status, path, call, fault] of rows) {
    const method = call.method ?? 'GET'
    if (fault) emulator.failNext(...fault)
    const answer = await ask(prism.url + path, call)
    const name = `${method} ${path.slice(0, 60)} ${status}`
    t.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`)
    t.strictSame(violations(answer, 'response'), [], name)
    t.strictSame(undescribed(path, method, answer), [], name)
    if (status < 300) t.strictSame(violations(answer, 'request'), [], `${name}: the request, too`)
  }
})

t.test('Prism would say so of an answer that is not', async t => {
  t.match(violations(await ask(`${prism.url}/nothing`, {}), 'response').join(), /age/)
  t.match(violations(await ask(`${prism.url}/nothing`, { method: 'DELETE' }), 'response').join(), /status code/)
})

t.test('and so is what it cannot pass on', async t => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const visitor = await signIn(new Browser())
  const session = `__Host-Http-session=${visitor.cookie(origin, '__Host-Http-session')}`
  const { etag } = Object.fromEntries((await ask(`${origin}/openapi.json`, { as: '' })).headers)
  const plain: readonly (readonly [status: number, path: string, call: Call])[] = [
    [400, replies, { method: 'POST', body: '{' }],
    [431, replies, { headers: { 'x-long': 'x'.repeat(20_000) } }],
    [303, '/auth/login', { as: '' }],
    [303, '/auth/logged-out', { as: '' }],
    [403, '/auth/callback', { as: '', headers: { accept: 'text/html' } }],
    [400, '/auth/login?return_to=//evil.test', { as: '', headers: { accept: 'text/html' } }],
    [200, '/auth/logout', { method: 'POST', as: '', headers: { ...form, cookie: session, 'x-csrf': '1' } }],
    [
      303,
      '/auth/logout',
      { method: 'POST', as: '', headers: { ...form, cookie: session, 'x-csrf': '1', accept: 'text/html' } }
    ],
    [
      200,
      '/auth/backchannel-logout',
      { method: 'POST', as: '', headers: form, body: `logout_token=${await provider.logoutToken({ sub: 'alice' })}` }
    ],
    [304, '/openapi.json', { as: '', headers: { 'if-none-match': etag ?? '' } }]
  ]
  for (const [status, path, call] of plain) {
    const answer = await ask(origin + path, call)
    const name = `${call.method ?? 'GET'} ${path} ${status}`
    t.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`)
    if (status !== 431) t.strictSame(undescribed(path, call.method ?? 'GET', answer), [], name)
  }
  const callback = visitor.visits.find(({ url, status }) => url.includes('/auth/callback') && status === 200)
  t.ok(callback)
  if (callback) t.strictSame(undescribed('/auth/callback', 'GET', callback), [])
})

t.test('without CometChat, too', async t => {
  await emulator.stop()
  for (const [path, call] of [
    [replies, { method: 'POST', body: { ...text, receiver: 'bob', receiverType: 'user' } }],
    [replies, {}],
    [`/threads/${parentId}`, {}]
  ] as const) {
    const answer = await ask(prism.url + path, call)
    t.equal(answer.status, 503)
    t.strictSame(violations(answer, 'response'), [])
    t.strictSame(undescribed(path, 'method' in call ? call.method : 'GET', answer), [])
  }
})

t.test('every route was asked, and answered well', async t => {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      for (const status of Object.keys(responses).filter(code => Number(code) < 400)) {
        t.ok(seen.has(`${method.toUpperCase()} ${path} ${status}`), `${method} ${path} ${status}`)
      }
    }
  }
  t.comment(`${seen.size} statuses of ${world.service.url}`)
})
