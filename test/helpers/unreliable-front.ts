// What stands between the service and CometChat: ports on which a connection fails before anything can be sent.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { Test } from 'tap'
import { selfSigned } from './certificate.ts'

type Treatment = (socket: Socket) => void

export interface UnreliableFront {
  readonly url: string
  /** A file for NODE_EXTRA_CA_CERTS: it makes the good certificate and the one of another host trusted. */
  readonly caFile: string
  /** How many connections were accepted since the last call of `treat`. */
  readonly connections: () => number
  /** What becomes of the next connections, in order; the last treatment stays. */
  treat(...treatments: readonly Treatment[]): void
  readonly good: Treatment
  readonly unknownAuthority: Treatment
  readonly otherHost: Treatment
  readonly oldProtocol: Treatment
  readonly plain: Treatment
  readonly silent: Treatment
  readonly reset: Treatment
  readonly close: Treatment
  readonly resetAtConnect: Treatment
  readonly closeAtConnect: Treatment
  /** From now on nothing listens. */
  stop(): Promise<void>
}

/** A port of localhost that speaks TLS well or badly, with a healthy CometChat behind it. */
export async function startFront(t: Test, healthyUrl: string): Promise<UnreliableFront> {
  const [good, other] = [selfSigned('localhost'), selfSigned('other.test')]
  const directory = mkdtempSync(join(tmpdir(), 'front-'))
  const caFile = join(directory, 'ca.pem')
  writeFileSync(caFile, good.cert + other.cert)
  t.teardown(() => rmSync(directory, { recursive: true }))

  const sockets = new Set<Socket>()
  let treatments: readonly Treatment[] = []
  let connections = 0
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    const treat = treatments[Math.min(connections++, treatments.length - 1)]
    treat?.(socket)
  })
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise(resolve => server.close(resolve))
  }
  t.teardown(stop)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))

  const throughTls = (options: TlsOptions): Treatment => {
    const tls = createTlsServer(options, socket => link(socket, connectTo(healthyUrl)))
    tls.on('tlsClientError', () => undefined)
    return socket => void tls.emit('connection', socket)
  }
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    caFile,
    connections: () => connections,
    treat(...next) {
      treatments = next
      connections = 0
    },
    // It offers HTTP/2 first: whoever took it would not get through to the CometChat behind it.
    good: throughTls({ ...good, ALPNProtocols: ['h2', 'http/1.1'] }),
    unknownAuthority: throughTls(selfSigned('localhost')),
    otherHost: throughTls(other),
    oldProtocol: throughTls({ ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    plain: socket => link(socket, connectTo(healthyUrl)),
    silent: socket => void socket.resume(),
    reset: socket => void socket.once('data', () => socket.resetAndDestroy()),
    close: socket => void socket.once('data', () => socket.end()),
    resetAtConnect: socket => void socket.resetAndDestroy(),
    closeAtConnect: socket => void socket.end(),
    stop
  }
}

/** A port that takes no connection and refuses none: its queue is full, and nobody empties it. */
export async function startBlackHole(t: Test): Promise<string> {
  const code = `
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      process.stdout.write(String(server.address().port), () =>
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
    })`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  const url = `http://127.0.0.1:${chunk.toString()}`
  const fillers = Array.from({ length: 4 }, () => connectTo(url))
  t.teardown(() => fillers.forEach(socket => void socket.destroy()))
  await Promise.all(fillers.slice(0, 2).map(socket => once(socket, 'connect')))
  return url
}

function connectTo(url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  return socket.on('error', () => undefined)
}

function link(a: Socket, b: Socket): void {
  a.pipe(b).pipe(a)
  a.on('error', () => b.destroy())
  b.on('error', () => a.destroy())
}
