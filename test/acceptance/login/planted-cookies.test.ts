// A page of a sibling subdomain plants cookies for the whole domain; what a real browser keeps of them, it sends.
import { once } from 'node:events'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { BrowserContext } from 'playwright-core'
import t, { type Test } from 'tap'
import { SECRET, startExpressBackend } from '../../helpers/app-backends.ts'
import { selfSigned } from '../../helpers/certificate.ts'
import { launchChromium, needsChromium } from '../../helpers/chromium.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { ATTEMPT_COOKIE, loginEnv, SESSION_COOKIE } from '../../helpers/login.ts'
import { startOpenIdProvider } from '../../helpers/openid-provider.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { startEmulator } from '../../helpers/thread.ts'

const APP_COOKIE = '__Host-app.sid'
const HOME = 'chat.example.test'
const SIBLING = 'evil.example.test'

/** Both hosts on one port, with TLS: the service behind one of them, the attacker's page on the other. */
async function startHosts(t: Test) {
  const world = {
    service: '',
    planted: [] as string[],
    sentCookies: [] as string[],
    /** Whether callbacks end here, before the service has seen them. */
    holdsCallback: false
  }
  const server = createServer(selfSigned('*.example.test'), (incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    const isHome = headers.host?.startsWith(HOME)
    if (isHome) world.sentCookies.push(headers.cookie ?? '')
    if (!isHome || url === '/' || (world.holdsCallback && url.startsWith('/auth/callback'))) {
      const planted = world.planted.map(pair => `${pair}; Domain=example.test; Path=/; Secure`)
      return void outgoing
        .writeHead(200, { 'content-type': 'text/html', ...(!isHome && { 'set-cookie': planted }) })
        .end()
    }
    const forwarded = request(new URL(url, world.service), { method, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return Object.assign(world, { home: `https://${HOME}:${port}`, sibling: `https://${SIBLING}:${port}` })
}

async function start(t: Test) {
  const hosts = await startHosts(t)
  const provider = await startOpenIdProvider(t, hosts.home)
  const redis = await redisFor(t)
  const backend = await startExpressBackend(t, { redisUrl: redis.url, secrets: [SECRET] })
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await hostService(t, {
    ...env,
    ...loginEnv(provider, hosts.home),
    AUTH_SESSION_STORE_URL: redis.url,
    AUTH_SESSION_SECRET: SECRET,
    AUTH_SESSION_COOKIE: APP_COOKIE
  })
  hosts.service = service.url
  const browser = await launchChromium(t, [
    '--ignore-certificate-errors',
    '--host-resolver-rules=MAP *.example.test 127.0.0.1'
  ])
  return {
    hosts,
    browser,
    provider,
    page: await browser.newPage(),
    /** What the app's own backend would set for a user. */
    appSessionOf: async (user: string) => (await backend.login(user)).split('=')[1] ?? '',
    takeNames(): unknown[] {
      const names = emulator.ledger.map(({ onBehalfOf }) => onBehalfOf)
      emulator.clear()
      return names
    },
    path: `/threads/${parentId}/replies`
  }
}

type World = Awaited<ReturnType<typeof start>>

/** The sibling's page sets these cookies; all it takes is a visit. */
async function plant({ hosts, page }: World, pairs: readonly string[]): Promise<void> {
  hosts.planted = [...pairs]
  await page.goto(hosts.sibling)
}

/** Replies as a page of the app itself; resolves with the status. */
async function reply({ hosts, page, path }: World): Promise<unknown> {
  await page.goto(hosts.home)
  hosts.sentCookies.length = 0
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ data: { text: 'hello' } })
  }
  return page.evaluate(`fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}).then(answer => answer.status)`)
}

async function signIn({ hosts, page, provider, browser }: World, user: string): Promise<string> {
  provider.user = user
  await page.goto(`${hosts.home}/auth/login`)
  await page.waitForURL(`${hosts.home}/`)
  return cookieOf(browser, SESSION_COOKIE)
}

async function cookieOf(browser: BrowserContext, name: string): Promise<string> {
  return (await browser.cookies()).find(cookie => cookie.name === name)?.value ?? ''
}

/** A sign-in that began in this browser and stops before its callback. */
async function untilCallback({ hosts, page, provider, browser }: World, user: string) {
  provider.user = user
  hosts.holdsCallback = true
  await page.goto(`${hosts.home}/auth/login`)
  hosts.holdsCallback = false
  return { callback: page.url(), cookie: await cookieOf(browser, ATTEMPT_COOKIE) }
}

/** Spellings that a trim() which thinks in Unicode takes for the name; the browser keeps those that do not begin with it. */
const spellings = (name: string, value: string): string[] => [
  `\xa0${name}=${value}`,
  `\xa0${name}\xa0=${value}`,
  `${name}=${value}`
]

t.test(
  'in Chromium, planted from a sibling subdomain',
  { ...needsRedis(), ...needsChromium(), timeout: 180_000 },
  async t => {
    const world = await start(t)
    const { hosts, browser, page } = world
    const begin = async (): Promise<void> => void (await browser.clearCookies())

    const kinds: readonly [name: string, sessionOf: (user: string) => Promise<string>][] = [
      [SESSION_COOKIE, user => signIn(world, user)],
      [APP_COOKIE, user => world.appSessionOf(user)]
    ]
    for (const [name, sessionOf] of kinds) {
      t.test(
        `a session cookie (${name}) is not taken, and the good one beside it works`,
        { timeout: 90_000 },
        async t => {
          await begin()
          const ofMallory = await sessionOf('mallory')
          t.ok(ofMallory, 'the attacker has a session of their own')
          for (const planted of spellings(name, ofMallory)) {
            const shown = JSON.stringify(planted.replace(ofMallory, '…'))
            await begin()
            await plant(world, [planted])
            t.equal(await reply(world), 401, `${shown} alone`)
            if (planted.startsWith('\xa0')) t.match(hosts.sentCookies, [planted], `${shown} was kept and sent`)
            else t.match(hosts.sentCookies, [''], `${shown} is refused by the browser`)
            const ofAlice = await sessionOf('alice')
            if (name === APP_COOKIE) {
              await browser.addCookies([{ name, value: ofAlice, url: hosts.home, secure: true, httpOnly: true }])
            }
            t.equal(await reply(world), 201, `${shown} beside the good one`)
          }
          t.same(new Set(world.takeNames()), new Set(['alice']))
        }
      )
    }

    t.test('a login cookie is not taken, and a sign-in that began here goes on', { timeout: 90_000 }, async t => {
      await begin()
      const { callback, cookie } = await untilCallback(world, 'mallory')
      t.ok(cookie, 'the attacker has begun to sign in')
      for (const planted of spellings(ATTEMPT_COOKIE, cookie)) {
        const shown = JSON.stringify(planted.replace(cookie, '…'))
        await begin()
        await plant(world, [planted])
        const answer = await page.goto(callback)
        t.equal(answer?.status(), 403, shown)
        t.equal(await cookieOf(browser, SESSION_COOKIE), '', shown)
        t.ok(await signIn(world, 'alice'), `${shown}: alice signs in`)
        t.equal(await reply(world), 201)
      }
      t.same(new Set(world.takeNames()), new Set(['alice']))
    })

    t.test('the same code and cookie, in the browser they belong to, sign in', async t => {
      await begin()
      const { callback } = await untilCallback(world, 'alice')
      t.equal((await page.goto(callback))?.status(), 200)
      t.ok(await cookieOf(browser, SESSION_COOKIE))
    })
  }
)
