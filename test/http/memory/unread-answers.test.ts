// What becomes of clients that read slowly or not at all, on sockets that the system gives little room.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { UnreadAnswers, type UnreadAnswersOptions } from '../../../src/http/memory/unread-answers.ts'
import { until } from '../../helpers/until.ts'

/** More than a system takes for a client that reads nothing. */
const LARGE_BYTES = 16 * 1024 * 1024
const EVERY_MS = 50
const MAX_LOOKS = 10
const BOUND_MS = EVERY_MS * MAX_LOOKS
/** On a machine that is busy. */
const LATE_MS = 3000

/** Answers `/N` with N bytes. */
async function start(t: Test, options: UnreadAnswersOptions = {}) {
  const sockets: Socket[] = []
  const server = createServer((request, response) => {
    response.end(Buffer.alloc(Number(request.url?.slice(1)), 'x'))
  })
  server.on('connection', socket => sockets.push(socket))
  new UnreadAnswers({ everyMs: EVERY_MS, maxLooks: MAX_LOOKS, ...options }).watch(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo

  async function ask(bytes: number, times = 1): Promise<Socket> {
    const client = connect({ port, host: '127.0.0.1' })
    t.teardown(() => void client.destroy())
    client.on('error', () => undefined).pause()
    await once(client, 'connect')
    client.write(`GET /${bytes} HTTP/1.1\r\nhost: a\r\n\r\n`.repeat(times))
    return client
  }
  return {
    ask,
    unreadBytes: () => sockets.reduce((sum, { writableLength }) => sum + writableLength, 0),
    open: () => sockets.filter(({ destroyed }) => !destroyed).length
  }
}

t.test('a client that reads nothing is ended within the bound, and not before', async t => {
  const { ask, open, unreadBytes } = await start(t)
  await ask(LARGE_BYTES)
  await until(() => unreadBytes() > 0)
  const startedAtMs = performance.now()
  await until(open, count => count === 0, BOUND_MS + LATE_MS)

  const tookMs = performance.now() - startedAtMs
  t.ok(tookMs > BOUND_MS / 2, `${Math.round(tookMs)} ms`)
  t.equal(unreadBytes(), 0, 'nothing is held for it any more')
})

t.test('a client that takes a little now and then, too', async t => {
  const { ask, open, unreadBytes } = await start(t)
  const client = await ask(LARGE_BYTES)
  await until(() => unreadBytes() > 0)
  const drip = setInterval(() => client.read(1), EVERY_MS)
  t.teardown(() => clearInterval(drip))

  await until(open, count => count === 0, BOUND_MS + LATE_MS)
})

t.test('so is a client that keeps asking and reads nothing', async t => {
  const { ask, open } = await start(t)
  const client = await ask(LARGE_BYTES, 20)
  const more = setInterval(() => client.write('GET /9 HTTP/1.1\r\nhost: a\r\n\r\n'), EVERY_MS)
  t.teardown(() => clearInterval(more))

  await until(open, count => count === 0, BOUND_MS + LATE_MS)
})

t.test('a client that takes each answer in time is kept, however long something of the next one is unread', async t => {
  const maxLooks = 60
  const { ask, open, unreadBytes } = await start(t, { maxLooks })
  const client = await ask(LARGE_BYTES)
  const startedAtMs = performance.now()
  let turns = 0
  for (let received = 0; performance.now() - startedAtMs < 2 * EVERY_MS * maxLooks; turns++) {
    client.write(`GET /${LARGE_BYTES} HTTP/1.1\r\nhost: a\r\n\r\n`)
    await until(unreadBytes)
    for (const taken = received + LARGE_BYTES; received < taken && !client.destroyed; await sleep(0)) {
      received += client.read()?.length ?? 0
    }
    await sleep(EVERY_MS)
  }

  t.ok(turns > 2, `${turns} answers`)
  t.ok(unreadBytes() > 0, 'the last one is still unread')
  t.equal(open(), 1)
})

t.test('a connection that is idle, and a client that leaves what the system holds for it, are kept', async t => {
  const { ask, open } = await start(t)
  const client = await ask(1000)
  await ask(0)
  await sleep(2 * BOUND_MS)

  t.equal(open(), 2)
  const [answer] = await once(client.resume(), 'data')
  t.ok(String(answer).endsWith('x'.repeat(1000)), 'its answer is there when it looks')
})

t.test('where all leave too much, those that leave the most are ended at once', async t => {
  const maxBytes = 3 * LARGE_BYTES
  const { ask, open, unreadBytes } = await start(t, { maxBytes, maxLooks: 1000 })
  const modest = await ask(LARGE_BYTES)
  await Promise.all(Array.from({ length: 4 }, () => ask(2 * LARGE_BYTES)))

  await until(unreadBytes, bytes => bytes > 0 && bytes <= maxBytes, LATE_MS)
  await sleep(2 * EVERY_MS)
  t.ok(open() >= 2 && open() < 5, `${open()} are left`)
  let received = 0
  for (; received < LARGE_BYTES && !modest.destroyed; await sleep(0)) received += modest.read()?.length ?? 0
  t.ok(received >= LARGE_BYTES, 'the modest one gets all of its answer')
})
