// The demo's own server: the only one that its page talks to.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type OpenIdProvider, stopServer } from '../world/openid-provider.ts'
import type { KeptService } from '../world/service-keeper.ts'
import { createBreaks } from './breaks.ts'
import { createLedger } from './ledger.ts'
import { createLive } from './live.ts'
import type { RouteParts } from './phone-routes.ts'
import { createRedact } from './redact.ts'
import { createRoutes } from './routes.ts'
import { createSignIns } from './sign-ins.ts'
import { createFindFile } from './static-files.ts'

export interface PageServerOptions
  extends Pick<RouteParts, 'serviceUrl' | 'emulator' | 'story' | 'received' | 'secrets'> {
  readonly port: number
  readonly provider: OpenIdProvider
  readonly service: KeptService
  readonly clientFolder: string
}

/** From the arrival of a reply's head to the death of the service: CometChat has posted it by then. */
const KILL_AFTER_MS = 200

export async function startPageServer(options: PageServerOptions) {
  const { port, emulator, provider, service, story, received, secrets, clientFolder } = options
  const origin = `http://127.0.0.1:${port}`
  const redact = createRedact(secrets)
  const signIns = await createSignIns(provider, origin)
  const ledger = createLedger(() => emulator.ledger)
  const breaks = createBreaks({ emulator, service, expireTokens: signIns.expire })
  const live = createLive(story, redact, () => ({ ledger: ledger.balances(), broken: breaks.state() }))
  story.listen(({ to, state, title }) => {
    const isReply = to === 'CometChat' && state === 'running' && title.startsWith('POST ')
    if (isReply) setTimeout(breaks.replyArrived, KILL_AFTER_MS)
  })

  const respond = createRoutes({
    ...options,
    origin,
    signIns,
    ledger,
    breaks,
    live,
    findFile: createFindFile(clientFolder),
    run: randomUUID()
  })
  const server = createServer((request, response) => {
    received.record(response)
    respond(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(redact(String(error)))
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { url: `${origin}/`, ledger, stop: () => stopServer(server) }
}
