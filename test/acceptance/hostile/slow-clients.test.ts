import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createReader } from '../../contract/described.ts'
import { fastestMs } from '../../helpers/fastest.ts'
import { type HostileClient, hostileBytes, openHostile } from '../../helpers/hostile-client.ts'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'
import { readDocument } from '../../openapi/files.ts'

// Every slow client begins at once and takes as long as it is let; the tests below look at what became of each.
const target = await startTarget(t)
const HEADERS_MS = 10_000
const REQUEST_MS = 15_000
/** The limits are looked at every second, on a machine that is busy. */
const LATE_MS = 2500

const good = [...target.goodLines(), 'Host: service.test']
const post = `POST ${target.path} HTTP/1.1\r\n`
const whole = (text: string): Buffer =>
  hostileBytes({ target: target.path, lines: target.goodLines(), body: target.goodBody(text) })
const refusedHead = `${post}Host: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n`

/** Sends the beginning at once and then one piece after the other, until the connection has ended. */
async function dripped(beginning: string | Buffer, piece: (index: number) => string, everyMs: number) {
  const client = openHostile(target.service.url)
  t.teardown(() => void client.socket.destroy())
  client.send(beginning)
  const startedAtMs = performance.now()
  for (let index = 0; !(await client.ended(everyMs)) && performance.now() - startedAtMs < 19_000; index++) {
    client.send(piece(index))
  }
  return { answers: client.answers(), hasEnded: await client.ended(0), tookMs: performance.now() - startedAtMs }
}

const slow = {
  silent: dripped('', () => '', 500),
  'half a request line': dripped('POST /thr', () => '', 500),
  'a header line every 700 ms': dripped(`${post}Host: x\r\n`, index => `X-${index}: a\r\n`, 700),
  'a byte of a header every 300 ms': dripped(`${post}Host: x\r\nX: `, () => 'a', 300),
  'a byte of the body every 300 ms': dripped(
    `${post}${good.join('\r\n')}\r\nContent-Length: 90\r\n\r\n`,
    () => ' ',
    300
  ),
  'a chunk every 300 ms': dripped(
    `${post}${good.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    () => '1\r\n \r\n',
    300
  ),
  'a body that never comes': dripped(`${post}${good.join('\r\n')}\r\nContent-Length: 90\r\n\r\n{`, () => '', 500)
}
const refusedAndDripping = dripped(refusedHead, () => ' ', 300)
const secondIsSlow = dripped(whole('first of two'), index => (index === 0 ? post : 'X: a\r\n'), 700)
const idle = openHostile(target.service.url)
idle.send(whole('before the pause'))
const crowd = Array.from({ length: 200 }, () => openHostile(target.service.url))
t.teardown(() => {
  for (const { socket } of [idle, ...crowd]) socket.destroy()
})

/** Resolves with the texts that were posted, once there are so many or the time is over, and some time for one more. */
async function postedTexts(pattern: RegExp, count: number, patienceMs = 30_000): Promise<unknown[]> {
  const texts = () =>
    target.emulator.ledger.map(({ message }) => message.data['text']).filter(text => pattern.test(String(text)))
  for (const endMs = performance.now() + patienceMs; texts().length < count && performance.now() < endMs; )
    await sleep(20)
  await sleep(200)
  return texts()
}

const attempts = (pattern: RegExp): number => target.emulator.requests.filter(({ body }) => pattern.test(body)).length

t.test('two hundred silent connections keep nobody from being answered', async t => {
  const tookMs = await fastestMs(async () => t.equal((await target.post({ as: 'bob' })).status, 201))

  t.ok(tookMs < 2000, `${Math.round(tookMs)} ms`)
})

t.test('a client that leaves after it sent its reply has it posted once, and logged', async t => {
  target.emulator.failNext({ kind: 'delay', delayMs: 400 }, { method: 'POST' })
  const client = target.open(t)
  client.send(whole('left after sending'))
  while (attempts(/left after sending/) === 0) await sleep(5)

  client.socket.destroy()

  t.same(await postedTexts(/left after sending/, 1), ['left after sending'])
  t.equal(attempts(/left after sending/), 1)
  const id = target.emulator.ledger.at(-1)?.id
  const line = await target.service.lineWhere(({ messageId }) => messageId === id)
  t.match(line, { delivery: 'sent', uid: 'alice', parentId: target.parentId })
})

t.test('a client that leaves before its reply is under way has nothing posted', async t => {
  const { id } = target.emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  target.emulator.failNext({ kind: 'delay', delayMs: 3000 }, { method: 'GET' })
  const client = target.open(t)
  client.send(
    hostileBytes({ target: `/threads/${id}/replies`, lines: target.goodLines(), body: target.goodBody('left before') })
  )
  while (!target.emulator.requests.some(({ path }) => path.endsWith(id))) await sleep(5)
  // On a busy machine a FIN that comes sooner is read together with the request, as one right behind it.
  await sleep(50)

  client.socket.destroy()

  const line = await target.service.lineWhere(({ parentId }) => parentId === id)
  t.match(line, { delivery: 'not-sent' })
  t.same(await postedTexts(/left before/, 1, 1000), [])
})

t.test('a client that leaves in the middle of its body has nothing posted', async t => {
  const bytes = whole('half a body')
  for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const client = target.open(t)
    client.send(bytes.subarray(0, bytes.length - 5))
    await sleep(50)
    client.socket[end]()
  }
  t.same(await postedTexts(/half a body/, 1, 1000), [])
})

t.test('a client that ends its side right behind its reply has it posted once, and its answer', async t => {
  const client = target.open(t)
  client.socket.end(whole('ended at once'))
  t.ok(await client.ended(), 'the connection ends')

  t.equal((await postedTexts(/ended at once/, 1)).length, 1)
  t.same(
    client.answers().map(({ status }) => status),
    [201]
  )
})

t.test('a client that reads nothing has its replies posted and holds up nobody', async t => {
  const reader: HostileClient = target.open(t)
  reader.socket.pause()
  const long = 'slow reader '.repeat(4000)
  for (let count = 0; count < 40; count++) reader.send(whole(long))

  t.equal((await postedTexts(/^slow reader/, 40)).length, 40)
  t.equal((await target.post({ as: 'bob' })).status, 201)
})

t.test('a connection that is idle between two replies is kept', async t => {
  await Promise.all(Object.values(slow))
  idle.send(whole('after the pause'))

  t.same(
    (await idle.waitForAnswers(2)).map(({ status }) => status),
    [201, 201]
  )
})

const { undescribed } = createReader(readDocument())

for (const [name, attempt] of Object.entries(slow)) {
  t.test(`${name}: the connection is answered and ended`, async t => {
    const {
      answers: [answer, ...others],
      hasEnded,
      tookMs
    } = await attempt
    const limitMs = /body|chunk/.test(name) ? REQUEST_MS : HEADERS_MS

    t.ok(hasEnded)
    t.ok(tookMs > limitMs - 1000 && tookMs < limitMs + LATE_MS, `${Math.round(tookMs)} ms`)
    t.same(others, [])
    isRefusal(t, answer, 408, 'request-timeout')
    t.equal(answer?.headers['connection'], 'close')
    const seen = answer && { status: answer.status, headers: new Headers(answer.headers), text: answer.body }
    t.strictSame(seen && undescribed(target.path, 'POST', seen), [], 'as the document describes it')
  })
}

t.test('a refused request whose body drips is ended without a second answer', async t => {
  const { answers, hasEnded, tookMs } = await refusedAndDripping
  t.same(
    answers.map(({ status }) => status),
    [401]
  )
  t.ok(hasEnded, `${Math.round(tookMs)} ms`)
})

t.test('a slow second request is ended after the first was answered', async t => {
  const { answers, hasEnded } = await secondIsSlow
  t.same(
    answers.map(({ status }) => status),
    [201, 408]
  )
  t.ok(hasEnded)
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
