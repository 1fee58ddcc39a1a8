// What can go wrong before a byte of the reply has left.
// All of it is `not-sent`, and true.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { connectRaw, requestBytes } from '../../helpers/raw-http.ts'
import { type RunningService, startService } from '../../helpers/service-process.ts'
import { postReply, type ReplyAnswer, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { startBlackHole, startFront } from '../../helpers/unreliable-front.ts'

const CONNECTIONS = 128
t.setTimeout(240_000)
const { emulator, env, parentId } = await startEmulator(t)
const front = await startFront(t, emulator.url)
const blackHole = await startBlackHole(t)
const [direct, tls, nowhere, hole] = await Promise.all([
  hostService(t, { ...env, REPLY_DEADLINE_MS: '3000' }),
  startService(t, {
    ...env,
    COMETCHAT_BASE_URL: front.url,
    NODE_EXTRA_CA_CERTS: front.caFile,
    REPLY_DEADLINE_MS: '1500'
  }),
  hostService(t, { ...env, COMETCHAT_BASE_URL: 'https://nonexistent.invalid' }),
  hostService(t, { ...env, COMETCHAT_BASE_URL: blackHole })
])
const body = { data: { text: 'hello' }, receiver: 'bob', receiverType: 'user' }
const reply = (service: RunningService, headers = {}) => postReply(service, { parentId, body, headers })
const lineOf = (service: RunningService, { headers }: ReplyAnswer) =>
  service.lineWhere(line => line['requestId'] === headers.get('x-request-id'))

const alarmsOf = (service: RunningService) => service.logLines().flatMap(({ alarm }) => (alarm ? [alarm] : []))

// Three connect timeouts of 2 s each: begun first, looked at last.
const intoTheHole = reply(hole)

t.test(
  'a reply goes through a trusted certificate for the right name, over HTTP/1.1 although HTTP/2 is offered',
  async t => {
    front.treat(front.good)

    const answer = await reply(tls)

    t.equal(answer.status, 201)
    t.equal(front.connections(), 1)
  }
)

for (const [what, treatment] of [
  ['signed by nobody who is trusted', front.unknownAuthority],
  ['for another name', front.otherHost],
  ['behind TLS 1.1', front.oldProtocol],
  ['that is not there: plain HTTP', front.plain]
] as const) {
  t.test(`a certificate ${what} gets no byte of a reply, and no second chance`, async t => {
    await dropConnections(tls)
    const [requests, posts] = [emulator.requests.length, emulator.ledger.length]
    const alarms = alarmsOf(tls).length
    front.treat(treatment)

    const answer = await reply(tls)

    expectProblem(t, answer, 'upstream-unreachable')
    t.match(await lineOf(tls, answer), { code: 'upstream-unreachable', reason: 'untrusted', attempts: 1 })
    t.same(alarmsOf(tls).slice(alarms), ['upstream-untrusted'], 'the operator is told, once')
    t.equal(front.connections(), 1)
    t.same([emulator.requests.length, emulator.ledger.length], [requests, posts])
  })
}

for (const [how, fault] of [
  ['reset', front.reset],
  ['closed', front.close],
  ['reset before its first byte', front.resetAtConnect],
  ['closed before its first byte', front.closeAtConnect]
] as const) {
  t.test(`a handshake that is ${how} is tried twice more, and posts once`, async t => {
    await dropConnections(tls)
    const posts = emulator.ledger.length
    front.treat(fault, fault, front.good)

    const answer = await reply(tls)

    t.equal(answer.status, 201)
    t.match(await lineOf(tls, answer), { attempts: 3 })
    t.same([front.connections(), emulator.ledger.length], [3, posts + 1])
  })

  t.test(`a handshake that is always ${how} is not tried a fourth time`, async t => {
    await dropConnections(tls)
    const posts = emulator.ledger.length
    front.treat(fault)

    const answer = await reply(tls)

    expectProblem(t, answer, 'upstream-unreachable')
    t.same([front.connections(), emulator.ledger.length], [3, posts])
  })
}

for (const kind of ['reset-at-connect', 'close-at-connect'] as const) {
  t.test(`without TLS a ${kind} under the read of the thread is tried twice more, and posts once`, async t => {
    const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
    await dropConnections(direct)
    const posts = emulator.ledger.length
    emulator.failNext({ kind }, { times: 2 })

    const answer = await postReply(direct, { parentId: id })

    t.equal(answer.status, 201)
    t.equal(emulator.ledger.length, posts + 1)
  })

  t.test(`without TLS a ${kind} is not tried a fourth time, and nothing is sent`, async t => {
    const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
    await dropConnections(direct)
    const posts = emulator.ledger.length
    emulator.failNext({ kind }, { times: 3 })

    const answer = await postReply(direct, { parentId: id })

    t.match(answer.json, { code: /^upstream-(reset|unreachable)$/, delivery: 'not-sent' })
    t.match(await lineOf(direct, answer), { attempts: 3 })
    t.equal(emulator.ledger.length, posts)
  })

  // There is no handshake to fail: whether the request left before the end was noticed is a matter of microseconds.
  t.test(`without TLS a ${kind} under a post leaves it in doubt, or is known to have kept it back`, async t => {
    for (let round = 0; round < 8; round++) {
      await dropConnections(direct)
      const posts = emulator.ledger.length
      emulator.failNext({ kind })

      const answer = await reply(direct)

      const { attempts } = await lineOf(direct, answer)
      if (answer.status !== 201) expectProblem(t, answer, 'upstream-reset')
      t.same([attempts, emulator.ledger.length - posts], answer.status === 201 ? [2, 1] : [1, 0])
    }
  })
}

t.test('a handshake without an answer ends with the deadline, and nothing is sent', async t => {
  await dropConnections(tls)
  const posts = emulator.ledger.length
  front.treat(front.silent)

  const answer = await reply(tls)

  expectProblem(t, answer, 'deadline-exceeded', { delivery: 'not-sent' })
  t.equal(emulator.ledger.length, posts)
})

t.test('a port where nothing listens is tried three times in all', async t => {
  await front.stop()

  const answer = await reply(tls)

  expectProblem(t, answer, 'upstream-unreachable')
  t.match(await lineOf(tls, answer), { attempts: 3, upstreamCode: 'ECONNREFUSED' })
})

t.test('a name that does not resolve is unreachable', async t => {
  const answer = await reply(nowhere)

  expectProblem(t, answer, 'upstream-unreachable', { without: ['nonexistent'] })
  t.match(await lineOf(nowhere, answer), { upstreamCode: /^(ENOTFOUND|EAI_AGAIN)$/ })
})

t.test('a reply that waits behind busy connections until its deadline was never sent', async t => {
  // As long as a busy machine takes to write them all.
  const patient = await hostService(t, { ...env, REPLY_DEADLINE_MS: '10000' })
  const requests = emulator.requests.length
  emulator.failNext({ kind: 'stall' }, { method: 'POST', times: CONNECTIONS })
  const busy = Promise.all(Array.from({ length: CONNECTIONS }, () => reply(patient)))
  while (emulator.requests.length < requests + CONNECTIONS) await sleep(10)

  const answers = await Promise.all([reply(patient, { prefer: 'wait=1' }), reply(patient, { prefer: 'wait=1' })])

  for (const answer of answers) expectProblem(t, answer, 'deadline-exceeded', { delivery: 'not-sent' })
  t.equal(emulator.requests.length, requests + CONNECTIONS)
  for (const answer of await busy) t.match(answer.json, { code: 'deadline-exceeded', delivery: 'unknown' })
})

t.test('a client that leaves before the reply was sent stops it', async t => {
  const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  emulator.failNext({ kind: 'delay', delayMs: 2000 }, { method: 'GET' })
  await leaveDuring(id, 'GET')

  const line = await direct.lineWhere(line => line['parentId'] === id)
  t.match(line, { code: 'client-closed', delivery: 'not-sent' })
  t.notOk(emulator.requests.find(({ method, path }) => method === 'POST' && path.includes(id)))
})

t.test('a client that leaves after the reply was sent stops nothing, and the log tells what became of it', async t => {
  const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  emulator.failNext({ kind: 'delay', delayMs: 200 }, { method: 'POST' })
  await leaveDuring(id, 'POST')

  const line = await direct.lineWhere(line => line['parentId'] === id && line['delivery'] !== undefined)
  const posted = emulator.ledger.find(post => post.parentId === id)
  t.match(line, { delivery: 'sent', messageId: posted?.id })
})

t.test('a port that takes no connection is given up after three connect timeouts', async t => {
  const answer = await intoTheHole

  expectProblem(t, answer, 'upstream-unreachable')
  t.match(await lineOf(hole, answer), { attempts: 3, upstreamCode: 'UND_ERR_CONNECT_TIMEOUT' })
})

/** The next reply needs a new connection: the ones there are end with their next answer. */
async function dropConnections(service: RunningService): Promise<void> {
  front.treat(front.good)
  emulator.failNext({ kind: 'foreign-answer', of: 'other-user' }, { method: 'POST' })
  await lineOf(service, await reply(service))
  front.treat(front.good)
}

/** Sends a reply and closes the connection once CometChat has got a request of this kind for it. */
async function leaveDuring(id: string, kind: string): Promise<void> {
  const headers = { authorization: `Bearer ${await tokenFor('alice')}`, 'content-type': 'application/json' }
  const connection = await connectRaw(t, direct.url)
  connection.send(requestBytes(`POST /threads/${id}/replies`, headers, JSON.stringify({ data: { text: 'hi' } })))
  while (!emulator.requests.some(({ method, path }) => method === kind && path.includes(id))) await sleep(10)
  // On a busy machine a FIN that comes sooner is read together with the request, as one right behind it.
  await sleep(50)
  connection.socket.destroy()
}
