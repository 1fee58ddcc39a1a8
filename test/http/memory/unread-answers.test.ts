// What becomes of clients that read slowly or not at all, on sockets; it is looked when the test says so.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { UnreadAnswers, type UnreadAnswersOptions } from '../../../src/http/memory/unread-answers.ts'
import { until } from '../../helpers/until.ts'

/** More than a system takes for a client that reads nothing. */
const LARGE_BYTES = 16 * 1024 * 1024
const MAX_LOOKS = 5
const NEVER_MS = 1_000_000

/** Answers `/N` with N bytes. */
async function start(t: Test, options: UnreadAnswersOptions = {}) {
  const sockets: Socket[] = []
  const server = createServer((request, response) => {
    response.end(Buffer.alloc(Number(request.url?.slice(1)), 'x'))
  })
  server.on('connection', socket => sockets.push(socket))
  const answers = new UnreadAnswers({ everyMs: NEVER_MS, maxLooks: MAX_LOOKS, ...options })
  answers.watch(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const unread = () => sockets.filter(({ writableLength }) => writableLength > 0).length

  async function ask(bytes: number, times = 1): Promise<Socket> {
    const client = connect({ port, host: '127.0.0.1' })
    t.teardown(() => void client.destroy())
    client.on('error', () => undefined).pause()
    await once(client, 'connect')
    client.write(requestOf(bytes).repeat(times))
    return client
  }
  return {
    ask,
    unread,
    unreadBytes: () => sockets.reduce((sum, { writableLength }) => sum + writableLength, 0),
    open: () => sockets.filter(({ destroyed }) => !destroyed).length,
    async look(times: number, between: () => unknown = () => undefined): Promise<void> {
      for (let count = 0; count < times; count++) {
        answers.look()
        await between()
      }
    }
  }
}

function requestOf(bytes: number): string {
  return `GET /${bytes} HTTP/1.1\r\nhost: a\r\n\r\n`
}

/** Reads that much, as fast as it comes. */
async function read(client: Socket, bytes: number): Promise<number> {
  let received = 0
  for (; received < bytes && !client.destroyed; await sleep(0)) received += client.read()?.length ?? 0
  return received
}

t.test('a client that reads nothing is ended when it was looked so often, and not before', async t => {
  const { ask, open, unread, unreadBytes, look } = await start(t)
  await ask(LARGE_BYTES)
  await until(unread)

  await look(1 + MAX_LOOKS)
  t.equal(open(), 1)
  await look(1)
  t.equal(open(), 0)
  await until(unreadBytes, bytes => bytes === 0)
})

t.test('a client that takes a little now and then is ended, too', async t => {
  const { ask, open, unread, look } = await start(t)
  const client = await ask(LARGE_BYTES)
  await until(unread)

  await look(2 + MAX_LOOKS, async () => {
    client.read(1)
    await sleep(5)
  })
  t.equal(open(), 0)
})

t.test('so is a client that keeps asking and reads nothing', async t => {
  const { ask, open, unread, look } = await start(t)
  const client = await ask(LARGE_BYTES, 2)
  await until(unread)

  await look(2 + MAX_LOOKS, async () => {
    client.write(requestOf(9))
    await sleep(5)
  })
  t.equal(open(), 0)
})

t.test('a client that takes each answer in time is kept, however long something of the next one is unread', async t => {
  const { ask, open, unread, look } = await start(t)
  const client = await ask(LARGE_BYTES)
  for (let turn = 0; turn < 4; turn++) {
    client.write(requestOf(LARGE_BYTES))
    await until(unread)
    await look(MAX_LOOKS / 2)
    t.ok((await read(client, LARGE_BYTES)) >= LARGE_BYTES)
    t.equal(unread(), 1, 'the next one is still unread')
  }
  await look(1)
  t.equal(open(), 1)
})

t.test('a connection that is idle, and a client that leaves what the system holds for it, are kept', async t => {
  const { ask, open, look } = await start(t)
  const client = await ask(1000)
  await ask(0)
  await until(open, count => count === 2)
  await look(3 * MAX_LOOKS, () => sleep(5))

  t.equal(open(), 2)
  const [answer] = await once(client.resume(), 'data')
  t.ok(String(answer).endsWith('x'.repeat(1000)), 'its answer is there when it looks')
})

t.test('where all leave too much, those that leave the most are ended at once', async t => {
  /** Of two of them, and their heads. */
  const maxBytes = 3 * LARGE_BYTES + 10_000
  const { ask, open, unread, unreadBytes, look } = await start(t, { maxBytes })
  const modest = await ask(LARGE_BYTES)
  await Promise.all(Array.from({ length: 3 }, () => ask(2 * LARGE_BYTES)))
  await until(unread, count => count === 4)

  await look(1)
  t.equal(open(), 2, 'a modest one and one of the others')
  await until(unreadBytes, bytes => bytes <= maxBytes)
  t.ok((await read(modest, LARGE_BYTES)) >= LARGE_BYTES, 'the modest one gets all of its answer')
})

t.test('a server that is watched is looked at by itself', async t => {
  const { ask, open, unread } = await start(t, { everyMs: 10, maxLooks: 2 })
  await ask(LARGE_BYTES)
  await until(open, count => count === 1)
  await until(() => open() === 0 && unread() === 0)
})
