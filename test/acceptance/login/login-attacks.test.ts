import type { ServerResponse } from 'node:http'
import { SignJWT } from 'jose'
import t from 'tap'
import { Browser } from '../../helpers/browser.ts'
import { ATTEMPT_COOKIE, SESSION_COOKIE, startLogin } from '../../helpers/login.ts'
import { CLIENT_ID, CLIENT_SECRET } from '../../helpers/openid-provider.ts'

const program = { accept: '*/*' }

const world = await startLogin(t)

t.test('a callback that did not begin in this browser signs nobody in', async t => {
  const { origin } = world
  const victim = new Browser()
  const attacker = new Browser()
  const ofVictim = await world.untilCallback(victim)
  const ofAttacker = await world.untilCallback(attacker)
  const exchanges = exchangesSoFar()

  const attempts: readonly (readonly [string, string])[] = [
    ["the attacker's callback (login CSRF)", ofAttacker],
    ['no state', ofVictim.replace(/state=[^&]+/, '')],
    ['another state', ofVictim.replace(/state=[^&]+/, `state=${'A'.repeat(43)}`)],
    ['an empty state', ofVictim.replace(/state=[^&]+/, 'state=')],
    ['nothing at all', `${origin}/auth/callback`]
  ]
  for (const [name, url] of attempts) {
    const answer = await victim.visit(url, { headers: program })
    t.match({ status: answer.status, json: answer.json }, { status: 403, json: { code: 'csrf' } }, name)
    t.notOk(victim.cookie(origin, SESSION_COOKIE), name)
  }
  victim.plant(origin, ATTEMPT_COOKIE, 'AAAA'.repeat(60))
  t.equal((await victim.visit(ofVictim, { headers: program })).status, 403, 'an attempt that nobody sealed')
  t.equal(exchangesSoFar(), exchanges, 'no code was exchanged')
})

t.test('a callback counts once', async t => {
  const browser = new Browser()
  const url = await world.untilCallback(browser)
  const attempt = browser.cookie(world.origin, ATTEMPT_COOKIE) ?? ''

  const first = await browser.visit(url, { headers: program })
  browser.plant(world.origin, ATTEMPT_COOKIE, attempt)
  const second = await browser.visit(url, { headers: program })

  t.equal(first.status, 200)
  t.match({ status: second.status, json: second.json }, { status: 403, json: { code: 'csrf' } })
  t.equal((await world.me(browser)).status, 200, 'the session of the first one lives')
})

t.test('a stolen code is worthless in another browser: the provider verifies the PKCE challenge', async t => {
  const thief = new Browser()
  const ofVictim = await world.untilCallback(new Browser())
  const ofThief = await world.untilCallback(thief)
  const code = new URL(ofVictim).searchParams.get('code') ?? ''

  const answer = await thief.visit(ofThief.replace(/code=[^&]+/, `code=${code}`), { headers: program })

  t.match({ status: answer.status, json: answer.json }, { status: 401, json: { code: 'unauthenticated' } })
  t.notOk(thief.cookie(world.origin, SESSION_COOKIE))
  const line = await world.service.lineWhere(({ reason }) => reason === 'login-code-refused')
  t.match(line, { route: '/auth/callback', code: 'unauthenticated' })
})

t.test('the request to the provider has everything that makes a code flow safe', async t => {
  const begun = await Promise.all([1, 2].map(() => new Browser().visit(`${world.origin}/auth/login`)))

  const [one, other] = begun.map(({ headers }) => new URL(headers.get('location') ?? '').searchParams)
  t.match(Object.fromEntries(one ?? []), {
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: `${world.origin}/auth/callback`,
    scope: 'openid profile',
    code_challenge_method: 'S256',
    code_challenge: /^[A-Za-z0-9_-]{43}$/,
    state: /^[A-Za-z0-9_-]{43}$/,
    nonce: /^[A-Za-z0-9_-]{43}$/
  })
  for (const name of ['state', 'nonce', 'code_challenge']) t.not(one?.get(name), other?.get(name), `${name} is new`)
})

t.test('an answer of another issuer is refused before its code is sent anywhere', async t => {
  const exchanges = exchangesSoFar()

  for (const [name, iss] of [
    ['another issuer', '&iss=https%3A%2F%2Fevil.test'],
    ['no issuer, although this provider names itself', '']
  ] as const) {
    const browser = new Browser()
    const url = await world.untilCallback(browser)
    const answer = await browser.visit(url.replace(/&iss=[^&]+/, iss), { headers: program })
    t.match({ status: answer.status, json: answer.json }, { status: 401, json: { code: 'unauthenticated' } }, name)
    t.notOk(browser.cookie(world.origin, SESSION_COOKIE), name)
  }
  t.equal(exchangesSoFar(), exchanges)
})

t.test('an ID token that is not exactly for this sign-in is refused; the right one is accepted', async t => {
  const { provider, origin } = world
  const now = Math.floor(Date.now() / 1000)
  const unsigned = (claims: object): string =>
    `${[{ alg: 'none' }, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`
  const shared = (claims: object): Promise<string> =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(CLIENT_SECRET))
  const cases: readonly (readonly [string, number, object, ((claims: object) => string | Promise<string>)?])[] = [
    ['right', 200, {}],
    ['another nonce', 401, { nonce: 'A'.repeat(43) }],
    ['no nonce', 401, { nonce: undefined }],
    ['another audience', 401, { aud: 'somebody-else' }],
    ['another issuer', 401, { iss: 'https://evil.test' }],
    ['expired', 401, { exp: now - 120 }],
    ['no subject', 401, { sub: undefined }],
    ['more audiences without azp', 401, { aud: [CLIENT_ID, 'somebody-else'] }],
    ['unsigned', 401, {}, unsigned],
    ['signed with the client secret', 401, {}, shared],
    ['a broken signature', 401, {}, async claims => `${(await provider.sign({ ...claims })).slice(0, -8)}AAAAAAAA`]
  ]

  for (const [name, status, claims, sign = (all: object) => provider.sign({ ...all })] of cases) {
    const browser = new Browser()
    const url = await world.untilCallback(browser)
    const begun = browser.visits
      .map(({ headers }) => headers.get('location') ?? '')
      .find(text => text.includes('nonce='))
    const nonce = new URL(begun ?? '').searchParams.get('nonce')
    const right = { iss: provider.issuer, aud: CLIENT_ID, sub: 'alice', iat: now, exp: now + 300, nonce, name: 'Alice' }
    const idToken = await sign({ ...right, ...claims })
    provider.answerOnce('/token', json({ access_token: 'x', token_type: 'Bearer', id_token: idToken }))
    const answer = await browser.visit(url, { headers: program })
    t.equal(answer.status, status, name)
    t.equal(browser.cookie(origin, SESSION_COOKIE) !== undefined, status === 200, name)
  }
})

t.test('what the provider answers instead of a code is a page in our own words', async t => {
  world.provider.user = undefined
  t.teardown(() => {
    world.provider.user = 'alice'
  })
  const browser = new Browser()

  const page = await browser.travel(`${world.origin}/auth/login`)

  t.equal(page.status, 403)
  t.match(page.headers.get('content-type'), 'text/html')
  t.match(page.text, /did not sign you in.*forbidden/s)
  t.notMatch(page.text, /canary-text-of-the-provider|access_denied|localhost|127\.0\.0\.1/)
  t.match(page.headers.get('content-security-policy'), "default-src 'none'")
  t.notOk(browser.cookie(world.origin, SESSION_COOKIE))
  t.notMatch(world.service.output.join('\n'), 'canary-text-of-the-provider')
})

t.test('nobody is sent to another origin, after login or after logout', async t => {
  const { origin } = world
  const browser = await world.signIn()
  const elsewhere = [
    'https://evil.test',
    '//evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    '/\t/evil.test',
    '/\n/evil.test',
    'javascript:alert(1)',
    'evil.test',
    '',
    '/auth/login',
    '/%61uth/login',
    '/x"><script>',
    `/${'a'.repeat(600)}`
  ]

  for (const path of elsewhere) {
    const query = new URLSearchParams({ return_to: path })
    const login = await browser.visit(`${origin}/auth/login?${query}`, { headers: program })
    const logout = await browser.visit(`${origin}/auth/logout?${query}`, {
      method: 'POST',
      headers: { ...program, 'x-csrf': '1' }
    })
    const after = await browser.visit(`${origin}/auth/logged-out?${new URLSearchParams({ state: path })}`)
    t.equal(login.status, 400, `login: ${JSON.stringify(path)}`)
    t.equal(logout.status, 400, `logout: ${JSON.stringify(path)}`)
    t.equal(after.headers.get('location'), `${origin}/`, `back from the provider: ${JSON.stringify(path)}`)
  }
  const twice = await browser.visit(`${origin}/auth/login?return_to=/a&return_to=/b`, { headers: program })
  t.equal(twice.status, 400, 'two of them')
  t.equal((await world.me(browser)).status, 200, 'a refused logout ends nothing')
})

t.test('a reply or a logout with the login cookie needs proof of its origin', async t => {
  const browser = await world.signIn()
  const { origin } = world
  const cases: readonly (readonly [string, Record<string, string>, boolean])[] = [
    ['nothing', {}, false],
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }, false],
    ['another site that knows the header', { 'sec-fetch-site': 'cross-site', 'x-csrf': '1' }, false],
    ['a sibling of the same site', { 'sec-fetch-site': 'same-site', origin: 'https://b.chat.test' }, false],
    ['a page without an origin', { origin: 'null', 'x-csrf': '1' }, false],
    ['its own page', { 'sec-fetch-site': 'same-origin', origin }, true],
    ['its own page in an old browser', { origin }, true],
    ['a program with the header', { 'x-csrf': '1' }, true]
  ]

  for (const [name, headers, isAllowed] of cases) {
    const reply = await world.reply(browser, headers)
    t.equal(reply.status, isAllowed ? 201 : 403, `reply: ${name}`)
    if (isAllowed) continue
    const logout = await world.logout(browser, headers)
    t.match({ status: logout.status, json: logout.json }, { status: 403, json: { code: 'csrf' } }, `logout: ${name}`)
  }
  const form = await browser.visit(`${origin}/auth/logout`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
    body: 'a=b'
  })
  t.equal(form.status, 403, 'a form of another site')
  const byLink = await browser.visit(`${origin}/auth/logout`, { headers: program })
  t.not(byLink.status, 200, 'a link')
  t.equal((await world.me(browser)).status, 200, 'still signed in after all of it')
  for (const [name, headers, isAllowed] of cases) {
    if (!isAllowed) continue
    await world.signIn(browser)
    t.equal((await world.logout(browser, headers)).status, 200, `logout: ${name}`)
  }
})

function exchangesSoFar(): number {
  return world.provider.requests.filter(request => request === 'POST /token').length
}

function json(body: object): (response: ServerResponse) => void {
  return response => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
