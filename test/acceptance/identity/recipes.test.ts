// Runs the recipes of docs/authentication.md as they are written: the env blocks configure a service, the sh blocks
// call it. Only addresses, files and tokens are exchanged for those of this test.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { startJsonServer } from '../../helpers/json-server.ts'
import type { ServiceEnv } from '../../helpers/service-process.ts'
import { startEmulator } from '../../helpers/thread.ts'
import { startTokenProvider } from '../../helpers/token-provider.ts'

const DOCUMENT = new URL('../../../docs/authentication.md', import.meta.url)
const text = await readFile(DOCUMENT, 'utf8')
const provider = await startTokenProvider(t)
const { emulator, env, parentId } = await startEmulator(t)
const table = await startJsonServer(t, { uid: 'alice' })
const folder = await mkdtemp(join(tmpdir(), 'recipes-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
t.beforeEach(() => emulator.clear())
const files: Record<string, string> = {
  '/run/uids.json': '{"auth0|17": "alice"}',
  '/run/secrets/uid-table-token': 'a-token-for-the-table',
  '/run/secrets/introspection-client-secret': provider.secretOf('thread-replies')
}
for (const [path, content] of Object.entries(files)) await writeFile(localPath(path), content)

function localPath(path: string): string {
  return join(folder, path.replaceAll('/', '_'))
}

/** The blocks of one language below a heading. */
function blocks(heading: string, language: 'env' | 'sh'): string[] {
  const section = text.split(/^#{2,3} /m).find(part => part.startsWith(`${heading}\n`)) ?? ''
  const found = section.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))
  return Array.from(found, ([, block = '']) => here(block))
}

/** The same text with the addresses and files of this test. */
function here(block: string): string {
  const moved = block
    .replaceAll('https://login.example.com', provider.issuer)
    .replaceAll('https://app.example.com', table.url)
    .replaceAll('/threads/100/', `/threads/${parentId}/`)
  return Object.keys(files).reduce((all, path) => all.replaceAll(path, localPath(path)), moved)
}

async function serviceFor(t: Test, heading: string, index = 0) {
  const config: ServiceEnv = parseEnv(blocks(heading, 'env')[index] ?? '')
  t.ok(config['AUTH_JWT_ISSUER'], 'the recipe has an env block')
  return hostService(t, { ...env, AUTH_JWT_SECRET: undefined, ...config })
}

/** Pastes a sh block into a shell; resolves with what it prints. */
async function paste(heading: string, index: number, url: string, variables: Record<string, string>): Promise<string> {
  const script = (blocks(heading, 'sh')[index] ?? 'exit 1').replaceAll('http://localhost:3000', url)
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    env: { PATH: process.env['PATH'], ...variables }
  })
  return stdout
}

function isPosted(t: Test, output: string): void {
  t.match(output, /^HTTP\/1\.1 201 Created/)
  t.strictSame(
    emulator.ledger.map(({ onBehalfOf }) => onBehalfOf),
    ['alice']
  )
}

t.test('a token of the identity provider', async t => {
  const heading = 'Bearer tokens of your identity provider'
  const service = await serviceFor(t, heading)
  isPosted(t, await paste(heading, 0, service.url, { TOKEN: await provider.userToken('alice') }))
})

t.test('a token that a gateway adds', async t => {
  const heading = 'Behind a gateway'
  const service = await serviceFor(t, heading)
  isPosted(t, await paste(heading, 0, service.url, { TOKEN: await provider.userToken('alice') }))
})

t.test('ids that CometChat has lower-cased, behind a prefix', async t => {
  const heading = 'One owner for each UID'
  const service = await serviceFor(t, heading)
  isPosted(t, await paste(heading, 0, service.url, { TOKEN: await provider.userToken('auth0|Alice') }))
})

t.test('an internal service, by header and by token exchange', async t => {
  const heading = 'Internal services'
  const service = await serviceFor(t, heading)
  isPosted(t, await paste(heading, 0, service.url, { BILLING_SECRET: provider.secretOf('billing') }))
  emulator.clear()
  const EXCHANGED_TOKEN = await provider.exchangedToken('alice', 'billing')
  isPosted(t, await paste(heading, 1, service.url, { EXCHANGED_TOKEN }))
  for (const { actors } of service.logLines().filter(({ msg }) => msg === 'request')) t.strictSame(actors, ['billing'])
})

t.test('an opaque token', async t => {
  const service = await serviceFor(t, 'Opaque tokens')
  isPosted(t, await paste('Opaque tokens', 0, service.url, { BILLING_SECRET: provider.secretOf('billing') }))
  t.ok(provider.requests.includes('POST /token/introspection'))
})

t.test('a table in a file, and at an address', async t => {
  const heading = 'A table of your app'
  const TOKEN = await provider.userToken('auth0|17')
  for (const index of [0, 1]) {
    const service = await serviceFor(t, heading, index)
    emulator.clear()
    isPosted(t, await paste(heading, index, service.url, { TOKEN }))
  }
  t.match(table.asked, [
    { path: '/internal/chat-uid/auth0%7C17', headers: { authorization: 'Bearer a-token-for-the-table' } }
  ])
})

t.test('a user who is created', async t => {
  const heading = 'Users whom CometChat does not know yet'
  const service = await serviceFor(t, heading)
  const output = await paste(heading, 0, service.url, { NEWCOMER_TOKEN: await provider.userToken('newcomer') })

  t.match(output, /^HTTP\/1\.1 404/)
  t.match(output, 'thread-not-found')
  t.ok(emulator.requests.some(({ method, path, status }) => `${method} ${path} ${status}` === 'POST /v3/users 200'))
})
