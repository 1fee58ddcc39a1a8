// The internet of a test: host names of the real world lead to a server on loopback, each with a certificate of its own.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import net, { type AddressInfo, type Server } from 'node:net'
import tls from 'node:tls'
import type { Test } from 'tap'
import { selfSigned } from './certificate.ts'

/** What a page answers to a form that was posted to it, or to nothing. */
export type Page = (form: URLSearchParams, headers: IncomingMessage['headers']) => unknown

export interface Internet {
  /** Every address that was asked for. */
  readonly asked: readonly string[]
  /** From now on the address answers with JSON, or with what a page makes of the question. */
  publish(url: string, value: unknown): void
}

interface Destination {
  readonly host?: string
  readonly port?: number | string
}

/** Connections from this process to `hosts` end here until the test does; others go their way. */
export async function startInternet(t: Pick<Test, 'teardown'>, hosts: readonly string[]): Promise<Internet> {
  const pages = new Map<string, unknown>()
  const asked: string[] = []
  const certificates = new Map(hosts.map(host => [host, selfSigned(host)]))
  const contexts = new Map(Array.from(certificates, ([host, pair]) => [host, tls.createSecureContext(pair)]))
  const respond = (scheme: string) => async (request: IncomingMessage, response: ServerResponse) => {
    const url = `${scheme}://${request.headers.host}${request.url}`
    asked.push(url)
    let body = ''
    for await (const chunk of request) body += chunk
    if (!pages.has(url)) return void response.writeHead(404, { 'content-type': 'text/html' }).end('<p>Not found')
    const page = pages.get(url)
    const value = typeof page === 'function' ? page(new URLSearchParams(body), request.headers) : page
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  const secure = https.createServer({ SNICallback: (name, done) => done(null, contexts.get(name)) }, respond('https'))
  const plain = http.createServer(respond('http'))
  const securePort = await listen(t, secure)
  const plainPort = await listen(t, plain)

  const trusted = tls.getCACertificates('default')
  const { connect: connectSecurely } = tls
  const { connect } = net
  tls.setDefaultCACertificates([...trusted, ...Array.from(certificates.values(), ({ cert }) => cert)])
  const elsewhere = (options: Destination, port: number): Destination =>
    hosts.includes(options.host ?? '') ? { ...options, host: '127.0.0.1', port } : options
  tls.connect = ((options: Destination, ...rest: []) =>
    connectSecurely(elsewhere(options, securePort) as tls.ConnectionOptions, ...rest)) as typeof tls.connect
  net.connect = ((options: Destination, ...rest: []) =>
    connect(elsewhere(options, plainPort) as net.NetConnectOpts, ...rest)) as typeof net.connect
  t.teardown(() => {
    tls.connect = connectSecurely
    net.connect = connect
    tls.setDefaultCACertificates(trusted)
  })
  return { asked, publish: (url, value) => void pages.set(url, value) }
}

async function listen(t: Pick<Test, 'teardown'>, server: Server & { closeAllConnections(): void }): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
