// The end of a process: what is under way is finished, nobody is cut off, and it does not take long.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import { connectRaw, requestBytes } from '../../helpers/raw-http.ts'
import { IN_MEMORY, type ServiceProcess, startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

t.setTimeout(240_000)
const { emulator, env, parentId } = await startEmulator(t)
const body = { data: { text: 'hello' }, receiver: 'bob', receiverType: 'user' }
/** Long for a busy machine, and less than any limit that would end the connection of a client. */
const PROMPT_MS = 6000
/** For what a test asks meanwhile. */
const DRAIN_DELAY_MS = 6000
const BEYOND_MS = 7000

/** A reply that has reached CometChat and waits for its answer. */
async function underWay(service: ServiceProcess, fault: Fault) {
  const before = emulator.requests.length
  emulator.failNext(fault, { method: 'POST' })
  const answered = postReply(service, { parentId, body })
  while (emulator.requests.length === before) await sleep(5)
  return { answered }
}

async function keptAlive(t: Test, service: ServiceProcess) {
  const connection = await connectRaw(t, service.url)
  connection.send(requestBytes('GET /', {}))
  t.equal((await connection.answer()).status, 404)
  return connection
}

async function at(url: string): Promise<unknown> {
  const response = await fetch(url)
  return [response.status, await response.json()]
}

t.test('SIGTERM: probes say no while replies are still taken, then what is under way is finished', async t => {
  const service = await startService(t, { ...env, DRAIN_DELAY_MS: `${DRAIN_DELAY_MS}` })
  const idle = await keptAlive(t, service)
  const slow = await underWay(service, { kind: 'delay', delayMs: BEYOND_MS })
  const startMs = performance.now()

  const exited = service.stop('SIGTERM')
  await service.lineWhere(({ msg }) => msg === 'draining')

  const paths = ['readyz?verbose', 'readyz', 'livez']
  const [during, ...probed] = await Promise.all([
    postReply(service, { parentId, body }),
    ...paths.map(path => at(`${service.adminUrl}/${path}`))
  ])
  t.same(probed[0], [503, { status: 'not-ready', reasons: ['draining'], warnings: [IN_MEMORY] }])
  t.same(probed[1], [503, { status: 'not-ready' }])
  t.same(probed[2], [200, { status: 'live' }])
  t.equal(during.status, 201, 'a new reply is still taken')
  t.equal(during.headers.get('connection'), 'close')
  const slowAnswer = await slow.answered
  t.equal(slowAnswer.status, 201, 'the reply under way arrives')
  t.equal(slowAnswer.headers.get('connection'), 'close', 'and ends its connection')
  await idle.ended
  t.equal(await exited, 0)
  t.ok(performance.now() - startMs < BEYOND_MS + PROMPT_MS)
  t.match(service.logLines().at(-1), { msg: 'stopped' })
})

t.test('a connection that was opened and never used does not hold the process', async t => {
  const service = await startService(t, env)
  const unused = await connectRaw(t, service.url)
  const startMs = performance.now()

  t.equal(await service.stop('SIGTERM'), 0)

  t.ok(performance.now() - startMs < PROMPT_MS, `${Math.round(performance.now() - startMs)} ms`)
  await unused.ended
})

t.test('a request whose body never comes does not hold the process for longer than a reply may take', async t => {
  const service = await startService(t, { ...env, REPLY_DEADLINE_MS: '500' })
  const dripping = await connectRaw(t, service.url)
  dripping.send(requestBytes(`POST /threads/${parentId}/replies`, { 'content-length': '100' }))
  const startMs = performance.now()

  t.equal(await service.stop('SIGTERM'), 0)

  t.ok(performance.now() - startMs < 2500 + PROMPT_MS)
  await dripping.ended
})

t.test('a second signal ends the process at once', async t => {
  const service = await startService(t, { ...env, DRAIN_DELAY_MS: '60000' })
  const hung = await underWay(service, { kind: 'stall' })
  const lost = t.rejects(hung.answered)
  void service.stop('SIGTERM')
  await service.lineWhere(({ msg }) => msg === 'draining')
  const startMs = performance.now()

  const exitCode = await service.stop('SIGTERM')

  t.not(exitCode, 0)
  t.ok(performance.now() - startMs < PROMPT_MS)
  await lost
})

t.test('Ctrl-C waits for what is under way, but for no balancer', async t => {
  const service = await startService(t, { ...env, DRAIN_DELAY_MS: '60000' })
  const slow = await underWay(service, { kind: 'delay', delayMs: 300 })

  const exited = service.stop('SIGINT')

  t.equal((await slow.answered).status, 201)
  t.equal(await exited, 0)
})
