// Every figure in the log means what its name says.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { LogLine } from '../../helpers/service-lines.ts'
import { startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

/** Half of it may be lost on a busy machine. */
const SLOW_MS = 1000
/** The line is made once the answer has left, which the client may have read by then. */
const LATE_MS = 500
const DRAIN_DELAY_MS = 400

const { emulator, env, parentId } = await startEmulator(t)
const service = await startService(t, { ...env, DRAIN_DELAY_MS: String(DRAIN_DELAY_MS) })
const token = await tokenFor('alice')

/** The line of a call, and how long the call took for the client. */
async function lineOf(requestId: string, call: () => Promise<unknown>): Promise<{ line: LogLine; tookMs: number }> {
  const startedAtMs = performance.now()
  await call()
  const tookMs = performance.now() - startedAtMs
  return { line: await service.lineWhere(line => line['requestId'] === requestId), tookMs }
}

function figure(line: LogLine, name: string): number {
  const value = line[name]
  return typeof value === 'number' ? value : Number.NaN
}

t.test('durationMs is the time that a request took here, and upstreamMs that of CometChat in it', async t => {
  emulator.failNext({ kind: 'delay', delayMs: SLOW_MS }, { method: 'POST' })
  const { line, tookMs } = await lineOf('slow-cometchat', () =>
    postReply(service, { parentId, token, headers: { 'x-request-id': 'slow-cometchat' } })
  )

  const [durationMs, upstreamMs] = [figure(line, 'durationMs'), figure(line, 'upstreamMs')]
  t.ok(upstreamMs >= SLOW_MS, `${upstreamMs} ms`)
  t.ok(durationMs <= tookMs + LATE_MS, `${durationMs} ms, and ${tookMs} for the client`)
  const parts = ['authMs', 'queueMs', 'storeMs', 'upstreamMs'].map(name => figure(line, name))
  const sumMs = parts.reduce((sum, ms) => sum + ms, 0)
  t.ok(durationMs >= sumMs - 1e-6, `${durationMs} ms, of which ${parts.join(' + ')} are known`)
})

t.test('durationMs counts from the headers: a body that comes slowly is part of it, and not of upstreamMs', async t => {
  const { line, tookMs } = await lineOf('slow-client', async () => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-request-id': 'slow-client'
    }
    const call = request(`${service.url}/threads/${parentId}/replies`, { method: 'POST', headers })
    const answered = new Promise((resolve, reject) => call.once('response', resolve).once('error', reject))
    call.write('{"data":')
    await sleep(SLOW_MS)
    call.end('{"text":"hello"}}')
    await answered
  })

  const [durationMs, upstreamMs] = [figure(line, 'durationMs'), figure(line, 'upstreamMs')]
  t.ok(durationMs >= SLOW_MS / 2 && durationMs <= tookMs + LATE_MS, `${durationMs} of ${tookMs} ms`)
  t.ok(upstreamMs <= durationMs - SLOW_MS / 2, `CometChat took ${upstreamMs} of ${durationMs} ms`)
})

t.test('attempts counts the exchanges with CometChat, and upstreamMs is all of them together', async t => {
  const before = await lineOf('known-thread', () =>
    postReply(service, { parentId, token, headers: { 'x-request-id': 'known-thread' } })
  )
  emulator.failNext({ kind: 'delay', delayMs: SLOW_MS }, { method: 'GET' })
  emulator.failNext({ kind: 'delay', delayMs: SLOW_MS }, { method: 'POST' })
  const parent = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user', text: 'Hi' })
  const after = await lineOf('new-thread', () =>
    postReply(service, { parentId: parent.id, token, headers: { 'x-request-id': 'new-thread' } })
  )

  t.equal(before.line['attempts'], 1)
  t.equal(after.line['attempts'], 2)
  t.ok(figure(after.line, 'upstreamMs') >= 2 * SLOW_MS)
})

t.test('a refusal has a duration, and no figure of CometChat', async t => {
  const { line, tookMs } = await lineOf('refused-call', () =>
    postReply(service, { parentId, token: 'none', headers: { 'x-request-id': 'refused-call' } })
  )

  t.ok(figure(line, 'durationMs') > 0 && figure(line, 'durationMs') <= tookMs + LATE_MS)
  t.notOk('attempts' in line || 'upstreamMs' in line)
})

t.test('an address that is none has a duration, too', async t => {
  const { line, tookMs } = await lineOf('nowhere-call', () =>
    postReply(service, { parentId: '1/nowhere', token, headers: { 'x-request-id': 'nowhere-call' } })
  )

  t.ok(figure(line, 'durationMs') > 0 && figure(line, 'durationMs') <= tookMs + LATE_MS)
})

t.test('delayMs is how long a drain serves on', async t => {
  await service.stop()
  const [draining, stopped] = ['draining', 'stopped'].map(msg => service.logLines().find(line => line['msg'] === msg))

  t.equal(draining?.['delayMs'], DRAIN_DELAY_MS)
  const tookMs = Date.parse(String(stopped?.['time'])) - Date.parse(String(draining?.['time']))
  t.ok(tookMs >= DRAIN_DELAY_MS - 5, `${tookMs} ms`)
})
