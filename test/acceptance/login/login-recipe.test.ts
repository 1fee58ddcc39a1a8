// docs/authentication.md, "A login of its own": what stands there is what runs here. Its page: `client/recipes/pages.test.ts`.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import t, { type Test } from 'tap'
import { Browser } from '../../helpers/browser.ts'
import { freePort } from '../../helpers/free-port.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { startOpenIdProvider } from '../../helpers/openid-provider.ts'
import { blockOf } from '../../helpers/recipes.ts'
import type { ServiceEnv } from '../../helpers/service-process.ts'
import { startEmulator } from '../../helpers/thread.ts'

const text = readFileSync(new URL('../../../docs/authentication.md', import.meta.url), 'utf8')
const EXAMPLE_ORIGIN = 'https://chat.example.com'
const EXAMPLE_ISSUER = 'https://login.example.com'

const recipe = (name: string): string => blockOf(text, `recipe: ${name}`)

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
  return { origin, emulator, parentId, storeFolder: t.testdirName }
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
