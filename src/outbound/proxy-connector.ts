import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import { createDeferred } from '../lib/node20/deferred.ts'

/** Through which proxy a call goes; undefined for one that goes straight to its server. */
export type ProxyFor = (target: { readonly protocol: string; readonly host: string }) => URL | undefined

const CONNECT_TIMEOUT_MS = 2000
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/**
 * How connections are made where there may be a proxy: by CONNECT (RFC 9110 §9.3.6), so that TLS goes from end to end and
 * the proxy sees no more than a name; undefined without a proxy. Nothing of a request leaves before the tunnel stands: one that cannot be had is a
 * connection that could not be made. The time is for each of both steps.
 */
export function createConnector(
  proxyFor: ProxyFor | undefined,
  timeoutMs = CONNECT_TIMEOUT_MS
): buildConnector.connector | undefined {
  if (!proxyFor) return undefined
  // Node's own default for TLS can be lowered by NODE_OPTIONS.
  const connect = buildConnector({ timeout: timeoutMs, allowH2: false, minVersion: 'TLSv1.2' })
  return (options, callback) => {
    const { protocol, hostname } = options
    const port = options.port || (DEFAULT_PORTS[protocol] ?? '')
    const proxy = proxyFor({ protocol, host: `${hostname}:${port}` })
    if (!proxy) return connect(options, callback)
    openTunnel(proxy, `${hostname}:${port}`, timeoutMs).then(
      socket => {
        if (protocol === 'https:') connect({ ...options, httpSocket: socket }, callback)
        else callback(null, socket)
      },
      (error: Error) => callback(error, null)
    )
  }
}

/** Rejects with an error whose code says what the proxy did. */
async function openTunnel(proxy: URL, target: string, timeoutMs: number): Promise<Socket> {
  // An import of node:http loads the whole of `fetch`, which is a tenth of what a start costs: only where it is needed.
  const { request: ask } = await (proxy.protocol === 'https:' ? import('node:https') : import('node:http'))
  const { promise, resolve, reject } = createDeferred<Socket>()
  const request = ask({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port || DEFAULT_PORTS[proxy.protocol],
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...credentialsOf(proxy) },
    agent: false
  })
  const timer = setTimeout(() => request.destroy(failure('PROXY_TIMEOUT')), timeoutMs)
  request.once('connect', ({ statusCode = 0 }: IncomingMessage, socket: Socket, head: Buffer) => {
    clearTimeout(timer)
    if (statusCode >= 200 && statusCode < 300 && head.length === 0) return resolve(socket)
    socket.destroy()
    reject(failure(`PROXY_${statusCode}`))
  })
  // A proxy that takes CONNECT for another request.
  request.once('response', response => {
    response.destroy()
    reject(failure(`PROXY_${response.statusCode}`))
  })
  request.once('error', error => {
    clearTimeout(timer)
    reject(error)
  })
  request.end()
  return promise
}

function credentialsOf({ username, password }: URL): { 'proxy-authorization'?: string } {
  if (username === '' && password === '') return {}
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(text).toString('base64')}` }
}

function failure(code: string): Error {
  return Object.assign(new Error('the proxy made no tunnel'), { code })
}
