// Who takes part in the demo, and how the service is told about the others.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createCometChatEmulator } from '../emulator/cometchat-emulator.ts'
import { addSampleWorld } from '../emulator/sample-world.ts'
import { spawnService } from './service.ts'
import { startTokenIssuer } from './token-issuer.ts'

export type Parts = Awaited<ReturnType<typeof startParts>>

/** What was measured on the real one: for so long a new message cannot be replied to. */
const SETTLE_MS = 3000
const ADMIN_PORT = 3001
/** What the demo decides itself, whatever the shell says. */
const OWN_VARIABLES = /^(COMETCHAT|AUTH|UID)_/

/** Starts all parts and resolves when the service is ready; whatever was started is stopped with the stack. */
export async function startParts(stack: AsyncDisposableStack, port: number, stopping: AbortSignal) {
  const emulator = createCometChatEmulator({ settleMs: SETTLE_MS, firstMessageId: '1000' })
  addSampleWorld(emulator)
  await emulator.start()
  stack.defer(() => emulator.stop())

  const tokens = await startTokenIssuer()
  stack.defer(() => tokens.stop())

  const adminPort = port === 0 || port === ADMIN_PORT ? 0 : ADMIN_PORT
  const shell = Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name))
  const service = spawnService({
    // A demo leaves nothing behind, unless it is told to.
    STORE_URL: 'memory:',
    ...Object.fromEntries(shell),
    HOST: '127.0.0.1',
    PORT: String(await freePort(port)),
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: String(await freePort(adminPort)),
    LOG_LEVEL: 'info',
    COMETCHAT_BASE_URL: emulator.url,
    COMETCHAT_API_KEY: emulator.apiKey,
    AUTH_JWT_ISSUER: tokens.issuer,
    AUTH_JWT_AUDIENCE: tokens.audience
  })
  stack.defer(() => service.stop())
  const { url, adminUrl } = await service.ready(stopping)
  const notes = [...takenNote('PORT', port, url), ...takenNote('ADMIN_PORT', adminPort, adminUrl)]
  return { emulator, tokens, service, url, adminUrl, notes }
}

/** The wanted port if nobody listens there, else 0: then the system gives a free one. */
async function freePort(wanted: number): Promise<number> {
  const probe = createServer()
  try {
    probe.listen(wanted, '127.0.0.1')
    await once(probe, 'listening')
  } catch {
    return 0
  }
  const closed = once(probe, 'close')
  probe.close()
  await closed
  return wanted
}

function takenNote(name: string, wanted: number, url: string): string[] {
  const got = new URL(url).port
  return wanted === 0 || got === String(wanted) ? [] : [`${name} ${wanted} is taken: ${got} is used instead.`]
}
