import { SignJWT } from 'jose'
import t from 'tap'
import { Browser } from '../../helpers/browser.ts'
import { SESSION_COOKIE, startLogin } from '../../helpers/login.ts'
import { CLIENT_ID, CLIENT_SECRET, LOGOUT_EVENT } from '../../helpers/openid-provider.ts'

const world = await startLogin(t)

t.test('signing out at the provider ends the session here at once, without the browser', async t => {
  const browser = await world.signIn()
  const other = await world.signIn()
  t.equal((await world.me(browser)).status, 200)

  // As another app of the same provider would do it: this service hears of it behind the browser's back.
  await browser.travel(`${world.provider.issuer}/session/end`)
  await world.service.lineWhere(({ route }) => route === '/auth/backchannel-logout')

  t.equal((await world.me(browser)).status, 401)
  t.equal((await world.reply(browser)).status, 401)
  t.equal((await world.me(other)).status, 200, 'the same user in another browser stays')
  const line = world.service.logLines().find(({ route }) => route === '/auth/backchannel-logout')
  t.equal(line?.['status'], 200)
})

t.test('a logout token ends one session by sid, or all of a user by sub', async t => {
  const browsers = [await world.signIn(), await world.signIn()]
  world.provider.user = 'bob'
  const bob = await world.signIn()
  world.provider.user = 'alice'
  const statuses = (): Promise<number[]> =>
    Promise.all([...browsers, bob].map(async one => (await world.me(one)).status))

  const unknown = await world.backChannel(await world.provider.logoutToken({ sid: 'a session of nobody' }))
  t.equal(unknown.status, 200, 'a session that is already gone is logged out')
  t.equal(unknown.headers.get('cache-control'), 'no-store')
  t.same(await statuses(), [200, 200, 200])

  const all = await world.backChannel(await world.provider.logoutToken({ sub: 'alice' }))
  t.equal(all.status, 200)
  t.same(await statuses(), [401, 401, 200])
})

t.test('a logout token that is not exactly one is refused and ends nothing', async t => {
  const { provider } = world
  const browser = await world.signIn()
  const now = Math.floor(Date.now() / 1000)
  const bad: readonly (readonly [string, object, Record<string, string>?])[] = [
    ['another audience', { aud: 'somebody-else' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'https://evil.test' }],
    ['no issuer', { iss: undefined }],
    ['a nonce', { nonce: 'x' }],
    ['expired', { iat: now - 200, exp: now - 60 }],
    ['no end', { exp: undefined }],
    ['no beginning', { iat: undefined }],
    ['from the future', { iat: now + 600 }],
    ['old, with a long life', { iat: now - 3600, exp: now + 3600 }],
    ['no jti', { jti: undefined }],
    ['no events', { events: undefined }],
    ['another event', { events: { 'https://evil.test/event': {} } }],
    ['an event that is no object', { events: { [LOGOUT_EVENT]: true } }],
    ['events as a list', { events: [LOGOUT_EVENT] }],
    ['neither sid nor sub', { sub: undefined }],
    ['a sub that is no text', { sub: ['alice'] }],
    ['the type of an access token', {}, { typ: 'at+jwt' }],
    ['an unknown key', {}, { kid: 'two' }]
  ]
  const good = { sub: 'alice' }
  const signed = (claims: object) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' })
  const claimsOf = {
    iss: provider.issuer,
    aud: CLIENT_ID,
    iat: now,
    exp: now + 60,
    jti: 'x',
    sub: 'alice',
    events: { [LOGOUT_EVENT]: {} }
  }
  const unsigned = [{ alg: 'none' }, claimsOf]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const valid = await provider.logoutToken(good)
  const tokens: (readonly [string, string])[] = [
    ['unsigned', `${unsigned}.`],
    ['unsigned, with a signature', `${unsigned}.AAAA`],
    ['signed with the client secret', await signed(claimsOf).sign(new TextEncoder().encode(CLIENT_SECRET))],
    ['another signature', `${valid.slice(0, valid.lastIndexOf('.'))}.${'A'.repeat(342)}`],
    ['nothing', ''],
    ['no token', 'x'],
    ['too long', 'A'.repeat(9000)]
  ]
  for (const [name, claims, header] of bad) {
    tokens.push([name, await provider.logoutToken({ ...good, ...claims }, header)])
  }

  for (const [name, token] of tokens) {
    const answer = await world.backChannel(token)
    t.match({ status: answer.status, json: answer.json }, { status: 400, json: { code: 'malformed-request' } }, name)
  }
  t.equal((await world.me(browser)).status, 200, 'still signed in after all of it')
  t.equal((await world.backChannel(valid)).status, 200, 'the valid one is accepted')
  t.equal((await world.me(browser)).status, 401)
})

t.test('a logout token counts once', async t => {
  const token = await world.provider.logoutToken({ sub: 'alice' })
  await world.signIn()

  const first = await world.backChannel(token)
  const again = await world.signIn()
  const second = await world.backChannel(token)

  t.equal(first.status, 200)
  t.equal(second.status, 400)
  t.equal((await world.me(again)).status, 200, 'a replay cannot keep somebody out')
})

t.test('a logout call without exactly one token in a form is refused', async t => {
  const token = await world.provider.logoutToken({ sub: 'alice' })
  const form = 'application/x-www-form-urlencoded'
  const cases: readonly (readonly [string, string, string, number])[] = [
    ['another name', form, `token=${token}`, 400],
    ['two tokens', form, `logout_token=${token}&logout_token=${token}`, 400],
    ['JSON', 'application/json', JSON.stringify({ logout_token: token }), 415],
    ['text', 'text/plain', `logout_token=${token}`, 415],
    ['too much', form, `logout_token=${'a'.repeat(20_000)}`, 413]
  ]

  for (const [name, type, body, status] of cases) {
    const answer = await new Browser().visit(`${world.origin}/auth/backchannel-logout`, {
      method: 'POST',
      headers: { accept: '*/*', 'content-type': type },
      body
    })
    t.equal(answer.status, status, name)
  }
})

t.test('a form signs out by navigation, through the provider, back to the path it names', async t => {
  const browser = await world.signIn()

  const end = await browser.travel(`${world.origin}/auth/logout?return_to=/goodbye`, {
    method: 'POST',
    headers: {
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'navigate',
      'content-type': 'application/x-www-form-urlencoded'
    },
    body: ''
  })

  t.equal(end.url, `${world.origin}/goodbye`)
  t.notOk(browser.cookie(world.origin, SESSION_COOKIE))
  t.equal((await world.me(browser)).status, 401)
})

t.test('signing out without a session is no mistake', async t => {
  const answer = await world.logout(new Browser())

  t.equal(answer.status, 200)
  t.match(answer.json.continueAt, `${world.provider.issuer}/session/end?`)
})

t.test('a provider that cannot sign anybody out is not asked', async t => {
  const silent = await startLogin(
    t,
    {},
    { features: { rpInitiatedLogout: { enabled: false }, backchannelLogout: { enabled: false } } }
  )
  const browser = await silent.signIn()

  const answer = await silent.logout(browser)

  t.equal(answer.json.continueAt, `${silent.origin}/`)
  t.equal((await silent.me(browser)).status, 401)
})
