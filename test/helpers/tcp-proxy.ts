// Stands between a client and a server, and loses what a network can lose.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface TcpProxy {
  readonly port: number
  /** Where new connections lead; the ones that exist stay where they are. */
  target: number
  /** While true, the server gets everything and the client hears nothing. */
  dropsAnswers: boolean
  /** Bytes in answers in whose place the client hears others, as many. */
  rewrites?: readonly [heard: string, told: string]
  /** Leads every connection that exists to another server, without the client's noticing. */
  lead(target: number): void
  /** Ends every connection at once. */
  cut(): void
}

/** `onBytes` is told of what clients send, as it comes. */
export async function startTcpProxy(
  t: Pick<Test, 'teardown'>,
  target: number,
  onBytes?: (bytes: Buffer) => void
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    let upstream = open(client)
    keep(client, () => upstream.destroy())
    client.on('data', bytes => {
      onBytes?.(bytes)
      upstream.write(bytes)
    })
    const leadOn = (): void => {
      const former = upstream
      upstream = open(client)
      former.removeAllListeners('close').destroy()
    }
    leads.add(leadOn)
    client.once('close', () => leads.delete(leadOn))
  })
  const leads = new Set<() => void>()
  const open = (client: Socket): Socket => {
    const upstream = connect(proxy.target, '127.0.0.1')
    keep(upstream, () => client.destroy())
    return upstream.on('data', bytes => {
      if (!proxy.dropsAnswers) client.write(rewritten(bytes))
    })
  }
  const rewritten = (bytes: Buffer): Buffer => {
    const [heard, told] = proxy.rewrites ?? []
    if (heard === undefined || told === undefined) return bytes
    return Buffer.from(bytes.toString('latin1').replaceAll(heard, told), 'latin1')
  }
  const keep = (socket: Socket, onClose: () => void): void => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      sockets.delete(socket)
      onClose()
    })
  }
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    cut()
    server.close()
  })
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    target,
    dropsAnswers: false,
    cut,
    lead(other) {
      proxy.target = other
      for (const leadOn of leads) leadOn()
    }
  }
  return proxy
}
