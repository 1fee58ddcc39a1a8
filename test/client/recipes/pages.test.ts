// What stands in docs/apps.md, docs/authentication.md and docs/delivery.md for pages is what runs here, behind Vite and in a
// real browser. Only addresses, the thread and the token are those of this test.
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchChromium, needsChromium } from '../../helpers/chromium.ts'
import { freePort } from '../../helpers/free-port.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { startOpenIdProvider } from '../../helpers/openid-provider.ts'
import { blockOf, moved, runProgram } from '../../helpers/recipes.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import type { ServiceEnv } from '../../helpers/service-process.ts'
import { startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { startViteApp } from './vite-app.ts'

const read = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const apps = read('apps.md')
const authentication = read('authentication.md')
const file = (name: string): string => blockOf(apps, `file: ${name}`)
const recipe = (name: string): string => blockOf(authentication, `recipe: ${name}`)

t.setTimeout(150_000)

/** A machine of a LAN, which the browser is told to find here. */
const LAN = '192.168.1.20'

t.test('in Chromium', { ...needsChromium(), ...needsRedis(), timeout: 140_000 }, async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const redis = await redisFor(t)
  const browser = await launchChromium(t, [`--host-resolver-rules=MAP ${LAN} 127.0.0.1`])
  const token = await tokenFor('alice')
  const backendPort = await freePort()
  const stores = { 'redis://127.0.0.1:6379': redis.url }
  await runProgram(t, moved(recipe('app backend'), { ...stores, '4001': String(backendPort) }))
  const origins = await Promise.all(['include', 'token', 'sample', 'wrong', 'lan'].map(() => freePort()))
  const [includePort = 0, tokenPort = 0, samplePort = 0, wrongPort = 0, lanPort = 0] = origins
  const service = await hostService(t, {
    ...env,
    ...parseEnv(moved(recipe('app session environment'), stores)),
    CORS_ORIGINS: [
      moved(corsOf(recipe('cors environment')), { 'https://app.example.com': `http://localhost:${includePort}` }),
      moved(corsOf(file('token environment')), { 'https://app.example.com': `http://localhost:${tokenPort}` }),
      `http://localhost:${samplePort}`,
      `http://localhost:${wrongPort}`,
      moved(corsOf(file('lan environment')), { 5173: String(lanPort) })
    ].join(',')
  })
  const { port: servicePort } = new URL(service.url)
  const addresses = {
    'https://chat.example.com': `http://localhost:${servicePort}`,
    "'100'": `'${parentId}'`,
    ':3000': `:${servicePort}`,
    ':4001': `:${backendPort}`
  }
  const here = (text: string): string => moved(text, addresses)
  const expired = await tokenFor('alice', { claims: { exp: Math.floor(Date.now() / 1000) - 3600 } })
  /** As the library of a provider gives them. */
  const auth = `let kept = '${expired}'
    export async function accessToken({ isNew }: { readonly isNew: boolean }): Promise<string> {
      if (isNew) kept = '${token}'
      return kept
    }`
  const page = browser.pages()[0] ?? (await browser.newPage())
  const names = () => emulator.ledger.map(({ onBehalfOf }) => onBehalfOf)
  t.beforeEach(() => emulator.clear())
  /** Writes a reply into the page of the recipes, and waits until the thread shows it. */
  const write = async (text: string): Promise<void> => {
    await page.getByLabel('Reply').fill(text)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText(`alice: ${text}`).waitFor()
  }
  const common = { 'index.html': file('index.html'), 'src/thread.ts': file('src/thread.ts'), 'src/auth.ts': auth }

  t.test('a page with the session of its backend, behind one proxy', async t => {
    const port = await freePort()
    const config = moved(here(file('session vite.config.ts')), { '5173': String(port) })
    const files = { ...common, 'vite.config.ts': config, 'src/main.ts': here(file('session src/main.ts')) }
    await startViteApp(t, { port, files })

    await page.goto(`http://localhost:${port}/`)
    await write('By the session')

    t.same(names(), ['alice'])
  })

  t.test('a page of another origin of the same site, with that session', async t => {
    await startViteApp(t, { port: includePort, files: { 'index.html': here(recipe('cors page')) } })

    await page.goto(`http://localhost:${includePort}/`)
    await loseFirstAnswer(page)
    await page.click('#reply')
    await page.getByText('sent', { exact: true }).waitFor()

    t.same(names(), ['alice'], 'posted once, although its first answer was lost')
  })

  t.test('a page with a token on another origin, beside the cookie of that session', async t => {
    const files = { ...common, 'src/main.ts': here(file('token src/main.ts')) }
    await startViteApp(t, { port: tokenPort, files })

    await page.goto(`http://localhost:${tokenPort}/`)
    await write('With a token')

    t.same(names(), ['alice'])
    const code = await page.evaluate(`fetch('http://localhost:${servicePort}/me', {
      credentials: 'include', headers: { authorization: 'Bearer ${token}' } }).then(async answer => (await answer.json()).code)`)
    t.equal(code, 'ambiguous-credentials', 'why it is called without cookies')
  })

  t.test('the sample of docs/delivery.md', async t => {
    const index = `<!doctype html><pre id="drawn"></pre><script>
      const session = { accessToken: async () => '${token}' }
      const draw = (key, text, state) => { document.getElementById('drawn').textContent = text + ' ' + state.is }
    </script><script type="module" src="/src/main.ts"></script>`
    const main = here(blockOf(read('delivery.md'), 'file: src/main.ts'))
    await startViteApp(t, { port: samplePort, files: { 'index.html': index, 'src/main.ts': main } })

    await page.goto(`http://localhost:${samplePort}/`)
    await page.getByText('Hello! sent').waitFor()

    t.same(names(), ['alice'])
  })

  t.test('what is wrong with a page has the code that docs/apps.md says', async t => {
    const main = `import { createThreadReplies } from 'thread-reply-client'
      /** The code with which the thread cannot be read, as a developer finds out. */
      Object.assign(globalThis, { codeOf: async (url: string, token: string, threadId: string) => {
        const replies = createThreadReplies({ url, auth: { bearer: async () => token } })
        const code = await replies.list(threadId).then(() => 'none', error => error.problem.code)
        replies.close()
        return code
      } })`
    await startViteApp(t, { port: wrongPort, files: { 'index.html': file('index.html'), 'src/main.ts': main } })
    const other = await tokenFor('alice', { claims: { aud: 'another' } })
    const there = `http://localhost:${servicePort}`
    const rows: Readonly<Record<string, { url?: string; given?: string; host?: string; threadId?: string }>> = {
      'the service is not there': { url: `http://localhost:${await freePort()}` },
      'the origin of the page is not in `CORS_ORIGINS`': { host: '127.0.0.1' },
      'nothing passes the calls on to the service': { url: '' },
      'the token is over, and no new one comes': { given: expired },
      'the token is for another audience': { given: other },
      "nobody is signed in: the token is `''`": { given: '' },
      'a thread that this user does not see': { threadId: '999999' }
    }
    for (const [what, { url = there, given = token, host = 'localhost', threadId = parentId }] of Object.entries(
      rows
    )) {
      await page.goto(`http://${host}:${wrongPort}/`)
      await page.waitForFunction('window.codeOf')
      const code = await page.evaluate(`codeOf('${url}', '${given}', '${threadId}')`)
      t.match(apps, `| ${what} | \`${code}\` |`)
    }
  })

  t.test('a proxy that changes Host makes the own page a stranger', async t => {
    const port = await freePort()
    const config = moved(here(file('session vite.config.ts')), { 5173: String(port), 'Origin: false': 'Origin: true' })
    const files = { ...common, 'vite.config.ts': config, 'src/main.ts': here(file('session src/main.ts')) }
    await startViteApp(t, { port, files })

    await page.goto(`http://localhost:${port}/`)
    await page.getByLabel('Reply').fill('Who are you?')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText('Something is wrong with this app').waitFor()

    t.same(names(), [])
    t.ok(service.logLines().some(({ reason }) => reason === 'csrf-origin'))
  })

  t.test('a phone on the LAN', async t => {
    const files = { ...common, 'src/main.ts': here(file('lan src/main.ts')) }
    await startViteApp(t, { port: lanPort, files })

    await page.goto(`http://${LAN}:${lanPort}/`)
    await write('From a phone')

    t.same(names(), ['alice'])
    t.equal(await page.evaluate('isSecureContext || "randomUUID" in crypto || "locks" in navigator'), false)
    t.equal(parseEnv(file('lan environment'))['HOST'], '0.0.0.0')
  })

  t.test('the page of the recipe works as it stands: sign in, reply, sign out', async t => {
    const port = await freePort()
    const origin = `http://localhost:${port}`
    const client = JSON.parse(moved(recipe('login client'), { 'https://chat.example.com': origin }))
    const provider = await startOpenIdProvider(t, origin, { clients: [client] })
    const written = { 'https://login.example.com': provider.issuer, 'http://localhost:5173': origin }
    const off: ServiceEnv = { AUTH_JWT_ISSUER: undefined, AUTH_JWT_AUDIENCE: undefined, AUTH_JWT_SECRET: undefined }
    const login = await hostService(t, { ...off, ...env, ...parseEnv(moved(file('login environment'), written)) })
    const config = moved(file('login vite.config.ts'), {
      'http://localhost:3000': login.url,
      '5173': String(port)
    })
    await startViteApp(t, { port, files: { 'vite.config.ts': config, 'index.html': here(recipe('login page')) } })

    await page.goto(`${origin}/`)
    await page.getByText('Name of alice').waitFor()
    await loseFirstAnswer(page)
    await page.click('#reply')
    await page.getByText('sent', { exact: true }).waitFor()
    t.same(names(), ['alice'], 'posted once, although its first answer was lost')

    await page.click('#leave')
    await page.waitForURL(`${provider.issuer}/session/end?**`)
    // Back on the page, which finds nobody signed in.
    const asked = page.waitForRequest(`${origin}/auth/login?return_to=%2F`)
    await page.evaluate('document.forms[0].submit()')
    await asked
  })
})

const corsOf = (environment: string): string => parseEnv(environment)['CORS_ORIGINS'] ?? ''

/** The first reply arrives, and its answer does not. */
async function loseFirstAnswer(page: Page): Promise<void> {
  await page.route(
    '**/replies',
    async route => {
      await route.fetch()
      await route.abort()
    },
    { times: 1 }
  )
}
