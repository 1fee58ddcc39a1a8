// What only a real browser can say: whether it keeps these cookies on loopback, and when it sends a Strict one.
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium } from 'playwright-core'
import t, { type Test } from 'tap'
import { SESSION_COOKIE, startLogin } from '../../helpers/login.ts'

const CHROMIUM = '/usr/bin/chromium'
const skip = existsSync(CHROMIUM) ? {} : { skip: 'chromium is not installed (apt-get install chromium)' }

t.test('a browser on loopback keeps the cookies, and has the Strict one right after the sign-in', skip, async t => {
  const world = await startLogin(t)
  const browser = await startChromium(t)
  const elsewhere = await startOtherSite(t, `${world.origin}/auth/login?return_to=/auth-result`)
  const context = await browser.newContext()
  const page = await context.newPage()
  const sent: string[] = []
  await context.route(`${world.origin}/auth-result`, async route => {
    sent.push((await route.request().allHeaders())['cookie'] ?? '')
    await route.fulfill({ status: 200, contentType: 'text/html', body: '<!doctype html><title>app</title>' })
  })

  await page.goto(elsewhere)
  await page.click('a')
  await page.waitForURL(`${world.origin}/auth-result`)

  const straight = await startOtherSite(t, `${world.origin}/auth-result`)
  await page.goto(straight)
  await page.click('a')
  await page.waitForURL(`${world.origin}/auth-result`)
  t.match(sent[0], `${SESSION_COOKIE}=`, 'the first page after the sign-in is asked for with the cookie')
  t.notMatch(
    sent[1],
    SESSION_COOKIE,
    'a page that another site leads to is not: that is why the callback is no redirect'
  )

  const cookies = await context.cookies(world.origin)
  t.match(
    cookies.find(({ name }) => name === SESSION_COOKIE),
    {
      httpOnly: true,
      secure: true,
      sameSite: 'Strict',
      path: '/',
      expires: -1
    }
  )
  const me = await page.evaluate('fetch("/auth/me").then(answer => answer.json())')
  t.match(me, { uid: 'alice' })
  t.equal(await page.evaluate('document.cookie'), '', 'scripts see nothing')
  const replied = await page.evaluate(`fetch("/threads/${world.parentId}/replies", { method: "POST",
    headers: { "content-type": "application/json" }, body: '{"data":{"text":"hello"}}' }).then(answer => answer.status)`)
  t.equal(replied, 201, 'its own page needs no header: the browser says where the call comes from')
})

t.test('another site can neither use the session nor end it', skip, async t => {
  const world = await startLogin(t)
  const browser = await startChromium(t)
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${world.origin}/auth/login`)
  await page.waitForURL(`${world.origin}/`)
  t.equal(await page.evaluate('fetch("/auth/me").then(answer => answer.status)'), 200)

  const foreign = await context.newPage()
  const form = `<form method="post" action="${world.origin}/auth/logout"></form>`
  await foreign.goto(await startOtherSite(t, world.origin, form))
  await foreign.evaluate('document.forms[0].submit()')
  await foreign.waitForURL(`${world.origin}/auth/logout`)

  t.match(await foreign.content(), 'csrf')
  t.equal(await page.evaluate('fetch("/auth/me").then(answer => answer.status)'), 200, 'still signed in')
})

async function startChromium(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
  })
  t.teardown(() => browser.close())
  return browser
}

/** A page of another site: localhost is one to 127.0.0.1. */
async function startOtherSite(t: Test, href: string, more = ''): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><a href="${href}">go</a>${more}`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}/`
}
