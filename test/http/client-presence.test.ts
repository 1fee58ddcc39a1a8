// Whether a client still waits: a FIN right behind its request is no leaving, a later one is.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { ClientPresence } from '../../src/http/client-presence.ts'
import { until } from '../helpers/until.ts'

const REQUEST = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

interface Asked {
  readonly isThere: () => boolean
  readonly response: ServerResponse
}

async function start(t: Test): Promise<{ readonly port: number; readonly asked: Asked[] }> {
  const presence = new ClientPresence()
  const asked: Asked[] = []
  const server: Server = createServer((request: IncomingMessage, response) => {
    asked.push({ isThere: presence.of(request), response })
  })
  Object.assign(server, { httpAllowHalfOpen: true })
  presence.watch(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

const first = async (asked: readonly Asked[]): Promise<Asked> => {
  await until(() => asked.length > 0)
  const [one] = asked
  if (!one) throw new Error('nobody asked')
  return one
}

async function ask(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

t.test('a client that ends its side with its request waits for the answer, however long it takes', async t => {
  const { port, asked } = await start(t)
  const socket = await ask(port)
  socket.end(REQUEST)
  const { isThere, response } = await first(asked)
  await until(() => response.req.socket.readableEnded)
  await sleep(30)

  t.equal(isThere(), true)
})

t.test('also where requests come one after the other', async t => {
  const { port, asked } = await start(t)
  for (let index = 0; index < 20; index++) {
    const socket = await ask(port)
    socket.end(REQUEST)
    await sleep(index % 4)
  }
  await until(() => asked.length === 20 && asked.every(({ response }) => response.req.socket.readableEnded))
  await sleep(30)

  t.ok(asked.every(({ isThere }) => isThere()))
})

for (const way of ['destroy', 'resetAndDestroy', 'end'] as const) {
  t.test(`a client that leaves later does not wait (${way})`, async t => {
    const { port, asked } = await start(t)
    const socket = await ask(port)
    socket.write(REQUEST)
    const { isThere } = await first(asked)
    await sleep(30)
    t.equal(isThere(), true, 'it waits so far')
    socket[way]()

    await until(() => !isThere())
    t.equal(isThere(), false)
  })
}

t.test('a client that stays waits', async t => {
  const { port, asked } = await start(t)
  const socket = await ask(port)
  socket.write(REQUEST)
  const { isThere } = await first(asked)
  await sleep(30)

  t.equal(isThere(), true)
  socket.destroy()
})
