// Who takes part in the demo, and how the service is told about the others.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCometChatEmulator } from '../../emulator/cometchat-emulator.ts'
import { addSampleWorld } from '../../emulator/sample-world.ts'
import { choosePorts } from '../ports.ts'
import { startPageServer } from '../server/page-server.ts'
import { createReceived } from '../server/received.ts'
import { createStory } from '../server/story.ts'
import { buildClient } from './client.ts'
import { AUDIENCE, startOpenIdProvider } from './openid-provider.ts'
import { keepService } from './service-keeper.ts'

export type Parts = Awaited<ReturnType<typeof startParts>>

/** What was measured on the real one: for so long a new message cannot be replied to. */
const SETTLE_MS = 3000
/** In earnest they are two minutes and ten seconds; that is too long for somebody who looks on. */
const QUIET_PERIOD_MS = 5000
const REPLY_DEADLINE_MS = 4000
/** What the demo decides itself, whatever the shell says. */
const OWN_VARIABLES = /^(COMETCHAT|AUTH|UID)_/

/** Starts all parts and resolves when the service is ready; whatever was started is stopped with the stack. */
export async function startParts(stack: AsyncDisposableStack, firstPort: number, stopping: AbortSignal) {
  const ports = await choosePorts(firstPort)
  const appOrigin = `http://127.0.0.1:${ports.page.port}`
  const folder = await mkdtemp(join(tmpdir(), 'thread-reply-demo-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))

  const story = createStory()
  const emulator = createCometChatEmulator({
    settleMs: SETTLE_MS,
    firstMessageId: '1000',
    watch: story.watch,
    // A socket of CometChat would bring a message to the other phone at once.
    switches: { unsettledListedTo: 'everyone' }
  })
  addSampleWorld(emulator)
  await emulator.start({ port: ports.CometChat.port })
  stack.defer(() => emulator.stop())

  const received = createReceived()
  const provider = await startOpenIdProvider({ port: ports['sign-in'].port, appOrigin, onAnswer: received.record })
  stack.defer(() => provider.stop())

  const storeSecret = randomBytes(32).toString('base64url')
  const shell = Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name))
  const service = keepService({
    // Records survive a `kill -9`, and end with the demo, unless it is told otherwise.
    STORE_URL: `file:${join(folder, 'records.db')}`,
    STORE_SECRET: storeSecret,
    QUIET_PERIOD_MS: String(QUIET_PERIOD_MS),
    REPLY_DEADLINE_MS: String(REPLY_DEADLINE_MS),
    // Where Vite serves the page of somebody who tries the client.
    CORS_ORIGINS: 'http://localhost:5173,http://127.0.0.1:5173',
    ...Object.fromEntries(shell),
    HOST: '127.0.0.1',
    PORT: String(ports.service.port),
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: String(ports.probes.port),
    LOG_LEVEL: 'info',
    COMETCHAT_BASE_URL: emulator.url,
    COMETCHAT_API_KEY: emulator.apiKey,
    AUTH_JWT_ISSUER: provider.issuer,
    AUTH_JWT_AUDIENCE: AUDIENCE
  })
  stack.defer(() => service.stop())
  const clientFolder = join(folder, 'client')
  const building = buildClient(clientFolder)
  // Before the folder goes: what is still written would bring it back.
  stack.defer(async () => void (await Promise.allSettled([building])))
  const [{ url, adminUrl }] = await Promise.all([service.ready(stopping), building])

  const secrets = { 'the key': emulator.apiKey, STORE_SECRET: storeSecret, ...provider.secrets }
  const page = await startPageServer({
    port: ports.page.port,
    serviceUrl: url,
    emulator,
    provider,
    service,
    story,
    received,
    secrets,
    clientFolder
  })
  stack.defer(() => page.stop())
  return { emulator, provider, service, page, url, adminUrl, ports, secrets }
}
