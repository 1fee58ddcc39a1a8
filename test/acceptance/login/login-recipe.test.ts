// docs/authentication.md, "A login of its own": what stands there is what runs here.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { chromium } from 'playwright-core'
import t, { type Test } from 'tap'
import { Browser } from '../../helpers/browser.ts'
import { freePort } from '../../helpers/free-port.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { startOpenIdProvider } from '../../helpers/openid-provider.ts'
import type { ServiceEnv } from '../../helpers/service-process.ts'
import { startEmulator } from '../../helpers/thread.ts'

const text = readFileSync(new URL('../../../docs/authentication.md', import.meta.url), 'utf8')
const CHROMIUM = '/usr/bin/chromium'
const EXAMPLE_ORIGIN = 'https://chat.example.com'
const EXAMPLE_ISSUER = 'https://login.example.com'

function recipe(name: string): string {
  return new RegExp(`<!-- recipe: ${name} -->\\n\`\`\`\\w+\\n(.*?)\`\`\``, 's').exec(text)?.[1] ?? ''
}

/** The recipe with the addresses of this test in place of the examples, and nothing else changed. */
async function followRecipe(t: Test) {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const client = JSON.parse(recipe('login client').replaceAll(EXAMPLE_ORIGIN, origin))
  const provider = await startOpenIdProvider(t, origin, { clients: [client] })
  const { emulator, env: cometchat, parentId } = await startEmulator(t)
  const written = recipe('login environment')
    .replaceAll(EXAMPLE_ORIGIN, origin)
    .replaceAll(EXAMPLE_ISSUER, provider.issuer)
    .replaceAll('/var/lib/thread-reply-bff', t.testdir())
  const off: ServiceEnv = { AUTH_JWT_ISSUER: undefined, AUTH_JWT_AUDIENCE: undefined, AUTH_JWT_SECRET: undefined }
  await hostService(t, { ...off, ...cometchat, ...parseEnv(written), PORT: String(port) })
  return { origin, provider, emulator, parentId, storeFolder: t.testdirName }
}

t.test('client and environment of the recipe sign somebody in, whose reply is posted', async t => {
  const { origin, emulator, parentId, storeFolder } = await followRecipe(t)
  const browser = new Browser()

  await browser.travel(`${origin}/auth/login?return_to=/`)
  const answer = await browser.visit(`${origin}/threads/${parentId}/replies`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf': '1' },
    body: JSON.stringify({ data: { text: 'Hello!' } })
  })

  t.equal(answer.status, 201)
  t.match(emulator.ledger, [{ onBehalfOf: 'alice' }])
  t.ok(existsSync(join(storeFolder, 'records.db.login')), 'the sessions have a file beside the records')
})

const skip = existsSync(CHROMIUM) ? {} : { skip: 'chromium is not installed (apt-get install chromium)' }

t.test('the page of the recipe works as it stands: sign in, reply, sign out', skip, async t => {
  const { origin, provider, emulator, parentId } = await followRecipe(t)
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  // The proxy of the recipe: it serves the app's page, and the service has the rest.
  await page.route(`${origin}/thread`, route =>
    route.fulfill({
      contentType: 'text/html',
      body: recipe('login page').replace('/threads/100/', `/threads/${parentId}/`)
    })
  )

  await page.goto(`${origin}/thread`)
  await page.getByText('Name of alice').waitFor()
  // The answer to the first click is lost on its way; the second one sends the same draft, and not another reply.
  await page.route(
    '**/replies',
    async route => {
      await route.fetch()
      await route.abort()
    },
    { times: 1 }
  )
  await page.click('#reply')
  await page.getByText('unknown').waitFor()
  await page.click('#reply')
  await page.getByText('sent', { exact: true }).waitFor()
  t.match(emulator.ledger, [{ onBehalfOf: 'alice' }])
  t.equal(emulator.ledger.length, 1, 'posted once')

  await page.click('#leave')
  await page.waitForURL(`${provider.issuer}/session/end?**`)
  await page.evaluate('document.forms[0].submit()')
  await page.waitForURL(`${origin}/`)
  t.equal(await page.evaluate('fetch("/auth/me").then(answer => answer.status)'), 401)
})
