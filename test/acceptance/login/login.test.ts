import t from 'tap'
import { Browser } from '../../helpers/browser.ts'
import { ATTEMPT_COOKIE, SESSION_COOKIE, startLogin } from '../../helpers/login.ts'
import { CLIENT_SECRET } from '../../helpers/openid-provider.ts'

const world = await startLogin(t)

t.test('somebody signs in, replies under their own name, and signs out here and at the provider', async t => {
  const { origin, emulator, provider, service } = world
  const browser = new Browser()

  const home = await browser.travel(`${origin}/auth/login?return_to=${encodeURIComponent('/app?tab=1#top')}`)
  const me = await world.me(browser)
  const reply = await world.reply(browser)

  t.equal(home.url, `${origin}/app?tab=1#top`, 'the browser is back where it wanted to be')
  t.equal(me.status, 200)
  t.same(me.json, { sub: 'alice', uid: 'alice', name: 'Name of alice', picture: 'https://pictures.test/alice' })
  t.equal(me.headers.get('cache-control'), 'no-store')
  const identity = (await browser.visit(`${origin}/me`, { headers: { accept: '*/*', 'x-csrf': '1' } })).json
  t.match(identity, { uid: 'alice', issuer: provider.issuer, subject: 'alice', scheme: 'login' })
  t.ok(Date.parse(identity.expiresAt) > Date.now(), identity.expiresAt)
  t.equal(reply.status, 201)
  t.match(emulator.ledger, [{ onBehalfOf: 'alice' }])
  const line = await service.lineWhere(({ route }) => route === '/threads/:parentId/replies')
  t.match(line, { scheme: 'login', issuer: provider.issuer, subject: 'alice', uid: 'alice' })

  const answer = await world.logout(browser)
  t.equal(answer.status, 200)
  t.equal((await world.me(browser)).status, 401, 'signed out here at once')
  const end = await browser.travel(answer.json.continueAt)
  t.equal(end.url, `${origin}/`, 'back at the app')

  provider.user = 'bob'
  await world.signIn(browser)
  provider.user = 'alice'
  t.equal((await world.me(browser)).json.uid, 'bob', 'the provider asked again who it is: its session had ended')
})

t.test('without the sign-out at the provider its session would have signed the same person in again', async t => {
  const browser = await world.signIn()
  await world.logout(browser)

  world.provider.user = 'bob'
  await world.signIn(browser)
  world.provider.user = 'alice'

  t.equal((await world.me(browser)).json.uid, 'alice')
})

t.test('no token, code, verifier or secret reaches the browser, nor the log', async t => {
  const world = await startLogin(t, { LOG_LEVEL: 'trace' })
  const { origin, provider, service } = world
  const browser = await world.signIn()
  await world.me(browser)
  await world.reply(browser)
  const cookie = browser.cookie(origin, SESSION_COOKIE) ?? ''
  const signedOut = await world.logout(browser)
  await browser.travel(signedOut.json.continueAt)

  const seen = browser.visits.map(({ url, headers, text }) => {
    const isProvider = url.startsWith(provider.issuer)
    // The redirect that carries the code is the provider's own; what the service answers is what is looked at.
    return isProvider ? '' : `${JSON.stringify([...headers])} ${text}`
  })
  const haystack = `${seen.join('\n')} ${JSON.stringify(signedOut.json)} ${service.output.join('\n')} ${service.errors.join('')}`

  const codes = browser.visits.flatMap(({ url }) => new URL(url).searchParams.getAll('code'))
  const secrets = [...provider.issued, ...codes, CLIENT_SECRET]
  t.equal(secrets.length, 4, 'there is something to look for: two tokens, a code and the secret')
  for (const secret of secrets) {
    for (const form of [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)]) {
      t.notOk(haystack.includes(form), `${secret.slice(0, 8)}…`)
    }
  }
  t.notMatch(signedOut.json.continueAt, 'id_token_hint', 'not even as a hint')
  // The login cookie is a JWE without an encrypted key, its second part is empty: what it holds, nobody reads.
  t.notMatch(haystack, /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]/, 'nothing that looks like a JWT')
  t.equal(cookie.length, 43)
  t.notMatch(service.output.join('\n'), cookie, 'the log does not hold the cookie either')
})

t.test('the cookies have exactly the attributes of a BFF', async t => {
  const { origin } = world
  const browser = new Browser()

  const begun = await browser.visit(`${origin}/auth/login`)
  await world.signIn(browser)
  await world.logout(browser)

  const [first = ''] = begun.cookies
  t.match(first, new RegExp(`^${ATTEMPT_COOKIE}=[A-Za-z0-9._-]+; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$`))
  const callback = browser.visits.find(({ url }) => url.startsWith(`${origin}/auth/callback`))
  const [cleared = '', session = ''] = callback?.cookies ?? []
  t.equal(cleared, `${ATTEMPT_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`)
  t.match(session, new RegExp(`^${SESSION_COOKIE}=[A-Za-z0-9_-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict$`))
  const gone = browser.visits.find(({ url }) => url.startsWith(`${origin}/auth/logout`))
  t.same(gone?.cookies, [`${SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`])
})

t.test(
  'the callback goes on by a page of this origin, because a redirect would leave the Strict cookie out',
  async t => {
    const browser = new Browser()
    const callbackUrl = await world.untilCallback(browser)

    const callback = await browser.visit(callbackUrl, { crossSite: true })

    t.equal(callback.status, 200)
    t.equal(callback.headers.get('location'), null)
    t.match(callback.text, `<meta http-equiv="refresh" content="0;url=${world.origin}/">`)
    t.match(callback.headers.get('content-security-policy'), "default-src 'none'")
    t.equal(callback.headers.get('referrer-policy'), 'no-referrer', 'the code in the address stays here')
    t.equal(callback.headers.get('x-frame-options'), 'DENY')
    t.equal(callback.headers.get('cache-control'), 'no-store')
  }
)

t.test('every sign-in has a new id; a planted one is worthless, and the former one is dead', async t => {
  const { origin } = world
  const planted = 'A'.repeat(43)
  const browser = new Browser()
  browser.plant(origin, SESSION_COOKIE, planted)
  t.equal((await world.me(browser)).status, 401, 'a planted id is nobody before the sign-in')

  await world.signIn(browser)
  const first = browser.cookie(origin, SESSION_COOKIE) ?? ''
  t.not(first, planted)
  await world.signIn(browser)
  const second = browser.cookie(origin, SESSION_COOKIE) ?? ''
  t.not(second, first)

  for (const [name, id, status] of [
    ['planted', planted, 401],
    ['former', first, 401],
    ['present', second, 200]
  ] as const) {
    const thief = new Browser()
    thief.plant(origin, SESSION_COOKIE, id)
    t.equal((await world.me(thief)).status, status, name)
  }
  await world.logout(browser)
  browser.plant(origin, SESSION_COOKIE, second)
  t.equal((await world.me(browser)).status, 401, 'a copy of the cookie is dead after the logout')
  t.equal((await world.reply(browser)).status, 401)
})

t.test('the former session ends even when its cookie stayed at home', async t => {
  const browser = await world.signIn()
  const former = browser.cookie(world.origin, SESSION_COOKIE) ?? ''

  await browser.travel(`${world.origin}/auth/login`, { crossSite: true })

  const thief = new Browser()
  thief.plant(world.origin, SESSION_COOKIE, former)
  t.equal((await world.me(thief)).status, 401)
})

t.test('a login cookie beside another credential is two credentials', async t => {
  const browser = await world.signIn()

  const answers = [
    await world.reply(browser, { 'x-csrf': '1', authorization: 'Bearer x' }),
    await browser.visit(`${world.origin}/auth/me`, { headers: { authorization: 'Bearer x', accept: '*/*' } })
  ]

  for (const { status, json } of answers)
    t.match({ status, json }, { status: 400, json: { code: 'ambiguous-credentials' } })
})

t.test('somebody without a valid UID is signed in, but nobody in CometChat', async t => {
  world.provider.user = 'Alice Smith'
  const browser = await world.signIn()
  world.provider.user = 'alice'
  const posted = world.emulator.ledger.length

  const answers = [await world.me(browser), await world.reply(browser)]

  for (const { status, json } of answers)
    t.match({ status, json }, { status: 403, json: { code: 'identity-unmappable' } })
  t.equal(world.emulator.ledger.length, posted)
})

t.test('the claim that names the user comes from the ID token', async t => {
  const account = { accountId: 'account-1', claims: () => ({ sub: 'account-1', chat_uid: 'bob' }) }
  const world = await startLogin(
    t,
    { UID_CLAIM: 'chat_uid' },
    { conformIdTokenClaims: false, claims: { openid: ['sub', 'chat_uid'], profile: [] }, findAccount: () => account }
  )
  world.provider.user = 'account-1'
  const browser = await world.signIn()

  t.match((await world.me(browser)).json, { sub: 'account-1', uid: 'bob' })
})
