// How many connections one network and all of them together may hold, counted on sockets.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Connections } from '../../../src/http/memory/connections.ts'
import { until } from '../../helpers/until.ts'

const MAX = 40
const SHARE = MAX / 8
const PROXY = '127.0.0.9'

/** Answers 200, or 503 on a connection too many. */
async function start(t: Test) {
  const told: { readonly isClosed: boolean }[] = []
  const connections = new Connections({
    max: MAX,
    isExempt: address => address === PROXY,
    refuse: (refusal, socket) => {
      told.push({ isClosed: socket.destroyed })
      socket.end(`refused: ${refusal.code}`)
    }
  })
  const server = createServer((request, response) => {
    try {
      connections.check(request.socket)
      response.end()
    } catch {
      response.writeHead(503).end()
    }
  })
  connections.watch(server)
  const open: Socket[] = []
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo

  async function openFrom(localAddress: string): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.setEncoding('latin1').on('error', () => undefined)
    open.push(socket)
    await once(socket, 'connect')
    return socket
  }
  return {
    openFrom,
    /** The connections that were ended because they asked for nothing. */
    told,
    /** What the last of so many connections is answered; all of them stay open. */
    async statusOfLast(localAddress: string, count: number): Promise<number> {
      let last = await openFrom(localAddress)
      for (let index = 1; index < count; index++) last = await openFrom(localAddress)
      return statusOn(last)
    },
    leave(localAddress: string): void {
      for (const socket of open) if (socket.localAddress === localAddress) socket.destroy()
    }
  }
}

async function statusOn(socket: Socket): Promise<number> {
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  const [text] = await once(socket, 'data')
  return Number(String(text).split(' ')[1])
}

t.test('one address holds an eighth, the newest is refused, and its places come back', async t => {
  const { statusOfLast, leave } = await start(t)

  t.equal(await statusOfLast('127.0.0.2', SHARE), 200)
  t.equal(await statusOfLast('127.0.0.2', 1), 503)
  t.equal(await statusOfLast('127.0.0.3', SHARE), 200, 'another address has its own')
  leave('127.0.0.2')
  await until(async () => (await statusOfLast('127.0.0.2', 1)) === 200)
})

t.test('a proxy may hold them all, and no more', async t => {
  const { statusOfLast } = await start(t)

  t.equal(await statusOfLast(PROXY, MAX), 200)
  t.equal(await statusOfLast(PROXY, 1), 503)
  t.equal(await statusOfLast('127.0.0.2', 1), 503, 'nor is there one for anybody else')
})

t.test('of the idle connections only one too many is told, and none that has asked or is gone', async t => {
  const { statusOfLast, openFrom, told } = await start(t)
  const idle = await openFrom('127.0.0.3')
  await statusOfLast('127.0.0.2', SHARE)
  const gone = await openFrom('127.0.0.2')
  gone.destroy()
  const asking = await openFrom('127.0.0.2')
  t.equal(await statusOn(asking), 503)
  const silent = await openFrom('127.0.0.2')

  // Timers of one length fire in the order in which they began: whatever waits for those before has happened by then.
  const [text] = await once(silent, 'data')
  t.equal(text, 'refused: overloaded')
  t.same(told, [{ isClosed: false }])
  t.equal(await statusOn(idle), 200, 'an idle one that is not too many stays')
})
