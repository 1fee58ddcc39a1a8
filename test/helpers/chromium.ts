// A real browser, and the web around it: pages of several origins, and a proxy that sees what the browser sends.

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BrowserContext, chromium } from 'playwright-core'
import type { Test } from 'tap'

const EXECUTABLE = '/usr/bin/chromium'
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

/** For `t.test`: skips it where there is no browser, but never in CI. */
export function needsChromium(): { skip?: string } {
  if (existsSync(EXECUTABLE) || process.env['CI']) return {}
  return { skip: 'chromium is not installed (apt-get install chromium)' }
}

/** Cookies go as far as they can: what holds here holds in every browser that is stricter. */
const PREFERENCES = JSON.stringify({ profile: { cookie_controls_mode: 0, block_third_party_cookies: false } })

/** Starts a browser with a fresh profile, which ends with the test. */
export async function launchChromium(t: Test, flags: readonly string[] = []): Promise<BrowserContext> {
  const profile = t.testdir({ Default: { Preferences: PREFERENCES } })
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    args: [...FLAGS, ...flags],
    timeout: 60_000
  })
  t.teardown(() => context.close())
  return context
}

export interface SeenRequest {
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

export interface Front {
  readonly port: number
  /** What the browser asked for under /threads since the last look, preflights included. */
  takeSeen(): SeenRequest[]
  /** From now on preflights are answered for everybody, as a proxy in front might be set up to do. */
  allowEverybody(): void
}

/** A reverse proxy as an app would have: /threads goes to the service, the rest to the app's own backend. */
export async function startFront(t: Test, { service, backend }: { service: string; backend: string }): Promise<Front> {
  let seen: SeenRequest[] = []
  let isCareless = false
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    const isReply = url.startsWith('/threads/')
    if (isReply) seen.push({ method, headers })
    if (isCareless && method === 'OPTIONS') {
      const allowed = {
        origin: headers.origin,
        headers: headers['access-control-request-headers'],
        credentials: 'true'
      }
      for (const [name, value] of Object.entries(allowed))
        outgoing.setHeader(`access-control-allow-${name}`, value ?? '')
      return void outgoing.writeHead(204).end()
    }
    const target = new URL(url, isReply ? service : backend)
    const forwarded = request(target, { method, headers: { ...headers, 'x-forwarded-proto': 'https' } }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  return {
    port: await listen(t, server),
    takeSeen() {
      const taken = seen
      seen = []
      return taken
    },
    allowEverybody() {
      isCareless = true
    }
  }
}

/** A page on a port of its own: localhost and 127.0.0.1 are two sites, and each port is an origin. */
export async function startPage(t: Test, html: () => string): Promise<number> {
  const server = createServer((_request, answer) => answer.setHeader('content-type', 'text/html').end(html()))
  return listen(t, server)
}

/** A page that calls, or submits a form, when it is told to, and shows what its script could see of the answer. */
export function pageNamed(title: string): string {
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><pre id="result"></pre>
<script>
async function call({ url, mode = 'cors', type = 'application/json', csrf = true }) {
  const headers = { 'content-type': type, ...(csrf && { 'x-csrf': '1' }) }
  const body = JSON.stringify({ data: { text: 'hello from ' + document.title } })
  const result = await fetch(url, { method: 'POST', mode, credentials: 'include', headers, body }).then(
    async answer => [answer.type, answer.status, await answer.text()],
    () => ['blocked']
  )
  document.querySelector('#result').append(mode + ' ' + type + ' → ' + result.join(' ') + '\\n')
  return result.slice(0, 2).join(' ')
}
function submitForm({ url, enctype }) {
  const form = Object.assign(document.createElement('form'), { method: 'POST', action: url, enctype })
  // As text/plain it looks like JSON: name, equals sign, value.
  form.append(Object.assign(document.createElement('input'), { name: '{"data":{"text":"', value: '"}}' }))
  document.body.append(form)
  form.submit()
}
async function logIn(user) {
  const headers = { 'content-type': 'application/json' }
  return (await fetch('/login', { method: 'POST', headers, body: JSON.stringify({ user }) })).status
}
</script>`
}

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}
