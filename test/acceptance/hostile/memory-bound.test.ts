// What callers can make the service hold has a common bound: bodies under way, what waits, and connections.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { expectProblem } from '../../helpers/problem.ts'
import { connectRaw, type RawConnection, requestBytes } from '../../helpers/raw-http.ts'
import { startService } from '../../helpers/service-process.ts'
import { isRefusal, startTargetProcess, stillServes } from '../../helpers/target.ts'
import { postReply } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const KIB = 1024
const BODY_BYTES = 240 * KIB
/** For one more that is refused, and should not be. */
const ONE_MORE_MS = 500
/** 8 MiB, an eighth of 64 MiB, in bodies of this length with what each request holds beside. */
const MOST_OF_ONE = Math.floor((8 * 1024) / (240 + 8))
const target = await startTargetProcess(t)
const pid = target.service.process.pid

function residentBytes(): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * KIB
}

const bodyOf = (length: number): string => JSON.stringify({ data: { text: '' } }).padEnd(length, ' ')

/** Requests of one user that do not send the last bytes of their body, or send nothing of it but its announcement. */
async function slowRequests(t: Test, user: string, count: number, missing = 10): Promise<RawConnection[]> {
  const head = { authorization: `Bearer ${await tokenFor(user)}`, 'content-type': 'application/json' }
  const whole = requestBytes(`POST ${target.path}`, head, bodyOf(BODY_BYTES))
  const bytes = whole.slice(0, whole.length - missing)
  const all: RawConnection[] = []
  for (let index = 0; index < count; index++) {
    const client = await connectRaw(t, target.service.url)
    client.send(bytes)
    all.push(client)
  }
  return all
}

/** Those that were refused for being too many, at least so many; the others have no answer. */
async function refusedOf(t: Test, clients: readonly RawConnection[], count: number): Promise<RawConnection[]> {
  const told = (): RawConnection[] => clients.filter(({ socket }) => socket.bytesRead > 0)
  await until(() => told().length >= count)
  await sleep(ONE_MORE_MS)
  const refused = told()
  for (const client of refused) expectProblem(t, await client.answer(), 'overloaded')
  return refused
}

t.test('one caller holds at most an eighth, the newest are refused, and it comes back', async t => {
  for (let round = 0; round < 2; round++) {
    const clients = await slowRequests(t, 'alice', MOST_OF_ONE + 10)
    const refused = await refusedOf(t, clients, 10)
    t.same(refused, clients.slice(MOST_OF_ONE), 'the last ten')
    t.equal((await target.post({ as: 'bob' })).status, 201, 'another caller is served')
    const [first] = clients
    first?.send(' '.repeat(10))
    t.equal((await first?.answer())?.status, 422, 'what was taken is finished')
    for (const { socket } of clients) socket.destroy()
    await until(async () => (await target.post({ as: 'alice', body: bodyOf(BODY_BYTES) })).status !== 503)
  }
})

const USERS = ['alice', 'bob', 'carol', ...Array.from({ length: 8 }, (_, index) => `user${index}`)]
const MOST_OF_ALL = Math.floor((64 * 1024) / (240 + 8))

/** Every user has as many bodies under way as one may have. */
async function crowd(t: Test, missing?: number): Promise<RawConnection[]> {
  return (await Promise.all(USERS.map(user => slowRequests(t, user, MOST_OF_ONE, missing)))).flat()
}

t.test('all callers together hold at most 64 MiB, and it comes back', async t => {
  for (let round = 0; round < 2; round++) {
    const clients = await crowd(t, BODY_BYTES)
    const refused = await refusedOf(t, clients, clients.length - MOST_OF_ALL)
    t.equal(clients.length - refused.length, MOST_OF_ALL, 'so many are taken')
    for (const { socket } of clients) socket.destroy()
    await until(async () => (await target.post({ as: 'alice', body: bodyOf(BODY_BYTES) })).status !== 503)
  }
})

t.test('the process grows by not much more, and no further', async t => {
  const before = residentBytes()
  for (let round = 0; round < 2; round++) {
    const clients = await crowd(t)
    await Promise.race(clients.map(client => client.answer(10_000).catch(() => sleep(10_000))))
    await sleep(1000)
    const grownBytes = residentBytes() - before
    t.ok(grownBytes < 150 * KIB * KIB, `${Math.round(grownBytes / KIB / KIB)} MiB`)
    for (const { socket } of clients) socket.destroy()
    await until(async () => (await target.post({ as: 'alice', body: bodyOf(BODY_BYTES) })).status !== 503)
  }
})

t.test('a body in chunks of one byte holds no more than its bytes', async t => {
  const before = residentBytes()
  const head = { authorization: `Bearer ${await tokenFor('alice')}`, 'content-type': 'application/json' }
  const start = requestBytes(`POST ${target.path}`, { ...head, 'transfer-encoding': 'chunked' })
  const clients: RawConnection[] = []
  for (let index = 0; index < 6; index++) {
    const client = await connectRaw(t, target.service.url)
    client.send(start + '1\r\n \r\n'.repeat(100 * KIB))
    clients.push(client)
  }
  // Its answer comes once everything before it was read.
  const end = target.goodBody('at last')
  clients[5]?.send(`${end.length.toString(16)}\r\n${end}\r\n0\r\n\r\n`)
  t.equal((await clients[5]?.answer(12_000))?.status, 201)
  const grownBytes = residentBytes() - before
  t.ok(grownBytes < 40 * KIB * KIB, `${Math.round(grownBytes / KIB / KIB)} MiB`)
  for (const { socket } of clients) socket.destroy()
})

t.test('what waits for CometChat counts as well', async t => {
  target.emulator.failNext({ kind: 'stall' }, { method: 'POST', times: MOST_OF_ONE })
  const body = JSON.stringify({ receiver: 'bob', receiverType: 'user', data: { text: 'waits' } }).padEnd(
    BODY_BYTES,
    ' '
  )
  const head = { authorization: `Bearer ${await tokenFor('alice')}`, 'content-type': 'application/json' }
  const clients: RawConnection[] = []
  for (let index = 0; index < MOST_OF_ONE + 5; index++) {
    const client = await connectRaw(t, target.service.url)
    client.send(requestBytes(`POST ${target.path}`, head, body))
    clients.push(client)
  }
  t.equal((await refusedOf(t, clients, 5)).length, 5)
  for (const { socket } of clients) socket.destroy()
  // Their clients have gone, and they are still under way.
  t.equal((await target.post({ as: 'alice', body: bodyOf(BODY_BYTES) })).status, 503)
  target.emulator.clear()
  await until(async () => (await target.post({ as: 'alice', body: bodyOf(BODY_BYTES) })).status !== 503)
})

t.test('connections have a bound, the newest is refused, and its place comes back', async t => {
  const service = await startService(t, {
    COMETCHAT_BASE_URL: target.emulator.url,
    COMETCHAT_API_KEY: target.emulator.apiKey,
    MAX_CONNECTIONS: '20'
  })
  const idle: Socket[] = []
  for (let index = 0; index < 20; index++) {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    idle.push(socket)
  }
  const refused = await connectRaw(t, service.url)
  refused.send(requestBytes('POST /threads/1/replies', { 'content-type': 'application/json' }, bodyOf(5000)))
  const answer = await refused.answer()
  expectProblem(t, answer, 'overloaded')
  t.equal(answer.headers.get('connection'), 'close')
  t.equal(answer.headers.get('retry-after'), '1')
  await refused.ended

  const silent = await connectRaw(t, service.url)
  const told = await silent.answer()
  isRefusal(t, { status: told.status, headers: told.headers, json: told.json }, 503, 'overloaded')

  idle[0]?.destroy()
  await until(async () => (await postReply(service, { parentId: target.parentId })).status === 201)
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
