// Runs the recipes "Session cookie of your backend" and "Browsers: CORS and CSRF" of docs/authentication.md as they are
// written; only addresses are exchanged for those of this test.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import t, { type Test } from 'tap'
import { startSessionTarget } from '../../helpers/app-session.ts'
import { launchChromium, needsChromium, startPage } from '../../helpers/chromium.ts'
import { freePort } from '../../helpers/free-port.ts'
import { needsRedis } from '../../helpers/redis-server.ts'

const text = await readFile(new URL('../../../docs/authentication.md', import.meta.url), 'utf8')

function recipe(name: string, moved: Readonly<Record<string, string>> = {}): string {
  const block = text.split(`<!-- recipe: ${name} -->\n`)[1]?.match(/^```\w+\n([\s\S]*?)^```$/m)?.[1] ?? ''
  if (block === '') throw new Error(`there is no recipe ${name}`)
  return Object.entries(moved).reduce((all, [from, to]) => all.replaceAll(from, to), block)
}

/** The backend of the recipe, as a program of its own; resolves with its port. */
async function startBackend(t: Test, redisUrl: string): Promise<number> {
  const port = await freePort()
  const program = recipe('app backend', { 'redis://127.0.0.1:6379': redisUrl, '4001': String(port) })
  // Inside the project, where its packages are found.
  const path = join(t.testdirName, 'backend.mjs')
  await writeFile(path, program)
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return port
}

async function start(t: Test, corsOrigin?: string) {
  const target = await startSessionTarget(t)
  const service = await target.start(t, {
    ...parseEnv(recipe('app session environment', { 'redis://127.0.0.1:6379': target.redis.url })),
    ...(corsOrigin && parseEnv(recipe('cors environment', { 'https://app.example.com': corsOrigin })))
  })
  const port = await startBackend(t, target.redis.url)
  const moved = { '/threads/100/': `/threads/${target.parentId}/` }
  return { ...target, port, moved, url: service.url.replace('127.0.0.1', 'localhost') }
}

t.test('the recipe for the session of a backend works as it is written', needsRedis(), async t => {
  t.testdir({})
  const { port, url, moved, takeNames } = await start(t)
  const script = recipe('app session call', {
    ...moved,
    'localhost:4001': `localhost:${port}`,
    'http://localhost:3000': url
  })

  const { stdout } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd: t.testdirName
  })

  t.match(stdout, /^signed in\nHTTP\/1\.1 201 Created/)
  t.same(takeNames(), ['alice'])
})

t.test(
  'the recipe for a page of another origin works as it is written',
  { ...needsRedis(), ...needsChromium() },
  async t => {
    const browser = await launchChromium(t)
    // The page can be written only when the service has an address, and that only when the origin of the page is known.
    const page = { html: '' }
    const pagePort = await startPage(t, () => page.html)
    const { port, url, moved, takeNames } = await start(t, `http://localhost:${pagePort}`)
    page.html = recipe('cors page', { ...moved, 'https://chat.example.com': url })

    const app = await browser.newPage()
    await app.goto(`http://localhost:${pagePort}/`)
    const backend = `http://localhost:${port}/login`
    await browser.request.post(backend)
    // The answer to the first click is lost on its way; the second one sends the same draft, and not another reply.
    await app.route(
      '**/replies',
      async route => {
        await route.fetch()
        await route.abort()
      },
      { times: 1 }
    )
    await app.click('#reply')
    await app.waitForFunction('result.textContent.startsWith("unknown")')
    await app.click('#reply')
    await app.waitForFunction('result.textContent === "sent"')
    t.same(takeNames(), ['alice'], 'posted once')

    await app.evaluate('result.textContent = ""')
    await app.click('#reply')
    await app.waitForFunction('result.textContent === "sent"')
    t.same(takeNames(), ['alice'], 'the next draft is another reply')
  }
)
