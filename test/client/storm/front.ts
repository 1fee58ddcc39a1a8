// What stands between a page and the service: the page itself with the client's modules, tokens, and a proxy that loses
// requests and answers, or says something of its own in their place.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'

const SOURCE = new URL('../../../packages/client/src/', import.meta.url)
const PAGE = readFileSync(new URL('page.html', import.meta.url))

export interface FrontOptions {
  /** Where the service is; undefined while it is not. */
  readonly service: () => string | undefined
  readonly random: () => number
  /** Of a user, as the service takes it. */
  readonly tokenOf: (name: string) => Promise<string>
}

export interface Front {
  readonly url: string
  /** The part of calls that something happens to. */
  faultRate: number
  close(): void
}

export async function startFront({ service, random, tokenOf }: FrontOptions): Promise<Front> {
  const modules = new Map<string, string>()
  const server = createServer((incoming, answer) => {
    const { pathname } = new URL(incoming.url ?? '', 'http://front')
    if (pathname === '/') answer.setHeader('content-type', 'text/html').end(PAGE)
    else if (pathname.startsWith('/client/')) sendModule(pathname.slice(8), answer)
    else if (pathname.startsWith('/token/')) void tokenOf(pathname.slice(7)).then(token => answer.end(token))
    else pass(incoming, answer)
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))

  function sendModule(name: string, answer: ServerResponse): void {
    const code = modules.get(name) ?? stripTypeScriptTypes(readFileSync(new URL(name, SOURCE), 'utf8'))
    modules.set(name, code)
    answer.setHeader('content-type', 'text/javascript').end(code)
  }

  function pass(incoming: IncomingMessage, answer: ServerResponse): void {
    // A person who signs in tries until it is done; what is lost here is lost to the calls of the client.
    const isLogin = incoming.url?.startsWith('/auth/')
    const fate = !isLogin && random() < front.faultRate ? random() : 1
    const target = service()
    if (target === undefined || fate < 0.2) return void incoming.socket.destroy()
    if (fate < 0.4) return void answer.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
    const { method, url, headers } = incoming
    const forwarded = request(new URL(url ?? '', target), { method, headers }, reply => {
      // The service has done it, and its answer is lost, or cut off.
      if (fate < 0.7) return void incoming.socket.destroy()
      if (fate < 1) {
        answer.writeHead(reply.statusCode ?? 502, { ...reply.headers, 'content-length': '1000000' })
        return void answer.write('{"data":', () => incoming.socket.destroy())
      }
      answer.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(answer)
    })
    forwarded.on('error', () => incoming.socket.destroy())
    incoming.pipe(forwarded)
  }

  const front: Front = {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    faultRate: 0,
    close() {
      server.closeAllConnections()
      server.close()
    }
  }
  return front
}
