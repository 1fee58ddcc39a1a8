// Real answers of this service, one run for each route and status, judged by Prism and by docs/openapi.json itself.
import t, { type Test } from 'tap'
import { Browser } from '../helpers/browser.ts'
import { ask, type Call, createReader, violations } from './described.ts'
import { PER_MINUTE, startJudged } from './judged-service.ts'

t.setTimeout(120_000)
const { emulator, parentId, origin, signIn, untilCallback, provider, prism, document } = await startJudged(t)
const { undescribed, seen } = createReader(document)
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
  [403, replies, { method: 'POST', body: text, headers: { prefer: 'handling=explain' } }],
  [403, replies, { method: 'POST', body: text, as: '', headers: { cookie } }],
  [404, '/threads/999999/replies', { method: 'POST', body: text }],
  [409, replies, { method: 'POST', body: { ...text, receiver: 'carol', receiverType: 'user' } }],
  [422, replies, { method: 'POST', body: { data: {} } }],
  [422, replies, { method: 'POST', body: { data: { text: 'something else' } }, headers: known }],
  [422, replies, { method: 'POST', body: text }, once({ kind: 'error', code: 'ERR_BLOCKED_BY_EXTENSION' }, 'POST')],
  [429, replies, { method: 'POST', body: text, as: 'bob' }],
  [502, replies, { method: 'POST', body: text }, once({ kind: 'server-error', commit: true }, 'POST')],
  [502, replies, { method: 'POST', body: text }, once({ kind: 'key-in-answer' }, 'POST')],
  [200, replies, {}],
  [200, `${replies}?limit=2`, {}],
  [422, `${replies}?limit=0`, {}],
  [404, '/threads/999999/replies', {}],
  [502, replies, {}, once({ kind: 'gzip' }, 'GET')],
  [200, `${replies}/by-key/known`, {}],
  [200, `${replies}/by-key/unknown`, {}],
  [400, `${replies}/by-key/${'x'.repeat(256)}`, {}],
  [404, '/threads/999999/replies/by-key/known', {}],
  [200, `${replies}/${await own()}`, { method: 'PATCH', body: { data: { text: 'again' } } }],
  [422, `${replies}/${await own()}`, { method: 'PATCH', body: {} }],
  [400, `${replies}/${await own()}`, { method: 'PATCH', body: { data: { sender: 'bob' } } }],
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
  [201, '/cometchat/token', { method: 'POST' }],
  [200, '/cometchat/token', { method: 'POST', claims: { jti: 'one' } }],
  [422, '/cometchat/token', { method: 'POST', body: { uid2: 'bob' } }],
  [200, '/cometchat/token', { method: 'DELETE', claims: { jti: 'one' } }],
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

/** Asks through Prism, and holds the answer against the document. */
async function judge(t: Test, status: number, path: string, call: Call): Promise<void> {
  const { method = 'GET' } = call
  const answer = await ask(prism.url + path, call)
  const name = `${method} ${path.slice(0, 60)} ${status}`
  t.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`)
  t.strictSame(violations(answer, 'response'), [], name)
  t.strictSame(undescribed(path, method, answer), [], name)
  if (status < 300) t.strictSame(violations(answer, 'request'), [], `${name}: the request, too`)
}

t.test('what Prism passes on is as the document describes it', async t => {
  // A token that is taken a second time is the same one.
  await ask(`${origin}/cometchat/token`, { method: 'POST', claims: { jti: 'one' } })
  for (const [status, path, call, fault] of rows) {
    if (fault) emulator.failNext(...fault)
    await judge(t, status, path, call)
  }
})

const toBob = { ...text, receiver: 'bob', receiverType: 'user' }
/** Each route for callers, with a call that is fine, and whether CometChat is asked then. */
const routes: readonly (readonly [path: string, call: Call, asksCometChat: boolean])[] = [
  [replies, { method: 'POST', body: toBob }, true],
  [replies, {}, true],
  [`${replies}/by-key/known`, {}, false],
  [`${replies}/${await own()}`, { method: 'PATCH', body: text }, true],
  [`${replies}/${await own()}`, { method: 'DELETE' }, true],
  [`/threads/${parentId}`, {}, true],
  ['/me', {}, false],
  ['/cometchat/token', { method: 'POST', claims: { jti: 'two' } }, true],
  ['/cometchat/token', { method: 'DELETE', claims: { jti: 'one' } }, false]
]
const asking = routes.filter(([, , asksCometChat]) => asksCometChat)

t.test('what every route for callers is refused with, too', async t => {
  for (const [path, call] of routes) {
    await judge(t, 401, path, { ...call, as: '' })
    await judge(t, 403, path, { ...call, as: 'Alice' })
    await judge(t, 400, path, { ...call, headers: { cookie } })
    await judge(t, 422, `${path}?a=1`, call)
    if (call.method === undefined) continue
    await judge(t, 415, path, { ...call, body: 'x', headers: { 'content-type': 'text/plain' } })
    await judge(t, 413, path, { ...call, body: { data: { text: 'x'.repeat(300_000) } } })
  }
  for (const [path, call] of asking) {
    emulator.failNext({ kind: 'server-error' })
    await judge(t, 502, path, call)
  }
  const slow = { prefer: 'wait=1' }
  for (const _ of asking) emulator.failNext({ kind: 'stall' })
  await Promise.all(asking.map(([path, call]) => judge(t, 504, path, { ...call, headers: slow })))
  // Prism knows no such method.
  for (const [path, { method = 'GET' }] of routes) {
    const answer = await ask(origin + path, { method: 'PUT', body: {} })
    t.equal(answer.status, 405)
    t.strictSame(undescribed(path, method, answer), [], `PUT ${path}`)
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
    t.strictSame(undescribed(path, call.method ?? 'GET', answer), [], name)
  }
  const callback = visitor.visits.find(({ url, status }) => url.includes('/auth/callback') && status === 200)
  t.ok(callback)
  if (callback) t.strictSame(undescribed('/auth/callback', 'GET', callback), [])
  for (const accept of ['text/html', '*/*']) {
    const other = new Browser()
    const wrong = (await untilCallback(other)).replace(/code=[^&]+/, 'code=wrong')
    const refused = await other.visit(wrong, { headers: { accept } })
    t.equal(refused.status, 401)
    t.strictSame(undescribed('/auth/callback', 'GET', refused), [], `a wrong code, for ${accept}`)
  }
})

t.test('without CometChat, too', async t => {
  await emulator.stop()
  for (const [path, call] of asking) await judge(t, 503, path, call)
})

t.test('every route was asked, and answered well', async t => {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      for (const status of Object.keys(responses).filter(code => Number(code) < 400)) {
        t.ok(seen.has(`${method.toUpperCase()} ${path} ${status}`), `${method} ${path} ${status}`)
      }
    }
  }
  t.ok(seen.size > 100, `${seen.size} of a status and a route`)
})
