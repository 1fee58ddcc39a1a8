// Levels: what an operator has to look at is never hidden, and the trail of replies is written at every level.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import type { LogLine } from '../../helpers/service-lines.ts'
import { startService } from '../../helpers/service-process.ts'
import { postReply, type ReplyAttempt, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { startUnread } from '../../helpers/unread-service.ts'
import { until } from '../../helpers/until.ts'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))

const { emulator, env, parentId } = await startEmulator(t)
const token = await tokenFor('alice')

interface Call {
  readonly name: string
  readonly attempt?: Partial<ReplyAttempt>
  readonly fault?: Fault
  readonly status: number
  readonly level: string
  /** Written at every level. */
  readonly isTrail?: true
}

const CALLS: readonly Call[] = [
  { name: 'sent', status: 201, level: 'info', isTrail: true },
  { name: 'refused', attempt: { token: 'none' }, status: 401, level: 'info' },
  { name: 'not-valid', attempt: { body: {} }, status: 422, level: 'info' },
  { name: 'unknown', fault: { kind: 'reset' }, status: 502, level: 'error', isTrail: true },
  { name: 'unknown-late', fault: { kind: 'stall' }, status: 504, level: 'warn', isTrail: true },
  {
    name: 'sent-badly',
    fault: { kind: 'break-schema', set: { sentAt: 'x' }, remove: ['id'] },
    status: 502,
    level: 'error',
    isTrail: true
  },
  { name: 'busy', fault: { kind: 'rate-limited', retryAfter: 30 }, status: 429, level: 'info' },
  { name: 'key-refused', fault: { kind: 'key-scope' }, status: 502, level: 'error' }
]

/** Every line of a service that was called, until it ended. */
async function linesAt(t: Test, logLevel: string): Promise<LogLine[]> {
  const service = await startUnread(t, { env: { ...env, LOG_LEVEL: logLevel, REPLY_DEADLINE_MS: '1500' } })
  const written = text(service.child.stdout as Readable)
  for (const { name, attempt, fault, status } of CALLS) {
    if (fault) emulator.failNext(fault, { method: 'POST' })
    const headers = { 'x-request-id': `call-${name}`, traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01` }
    const answer = await postReply(service, { parentId, token, ...attempt, headers })
    t.equal(answer.status, status, name)
  }
  service.child.kill('SIGTERM')
  return (await written)
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as LogLine)
}

const LEVELS: readonly [logLevel: string, isWritten: (call: Call) => boolean, alarms: readonly string[]][] = [
  ['info', () => true, ['error']],
  ['warn', ({ level, isTrail }) => level !== 'info' || isTrail === true, ['error']],
  ['fatal', ({ isTrail }) => isTrail === true, []],
  ['silent', () => false, []]
]

for (const [logLevel, isWritten, alarms] of LEVELS) {
  t.test(`LOG_LEVEL=${logLevel}`, async t => {
    const lines = await linesAt(t, logLevel)
    const requests = lines.filter(({ msg }) => msg === 'request')

    t.strictSame(
      requests.map(line => [String(line['requestId']).replace('call-', ''), line['level']]),
      CALLS.filter(isWritten).map(({ name, level }) => [name, level])
    )
    for (const line of requests) t.equal(line['trace_id'], TRACE_ID)
    t.strictSame(
      lines.filter(({ msg }) => msg === 'alarm').map(({ level }) => level),
      alarms
    )
    t.equal(lines.filter(line => line['version'] === version).length, logLevel === 'info' ? 1 : 0)
    t.notOk(
      lines.some(line => 'worker' in line),
      'there are no workers'
    )
    if (logLevel === 'silent') t.strictSame(lines, [])
  })
}

t.test('a call without a valid traceparent has no trace id', async t => {
  const service = await startService(t, env)
  for (const [index, traceparent] of ['', 'none', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`].entries()) {
    const requestId = `no-trace-${index}`
    const headers: Record<string, string> = { 'x-request-id': requestId, ...(traceparent && { traceparent }) }
    t.equal((await postReply(service, { parentId, token, headers })).status, 201)
    t.notOk('trace_id' in (await service.lineWhere(line => line['requestId'] === requestId)))
  }
})

t.test(
  'with workers every line of a reply names the one that wrote it, and the start names the version once',
  async t => {
    const store = { STORE_URL: `file:${join(t.testdir({}), 'replies.db')}`, STORE_SECRET: 'x'.repeat(32) }
    const service = await startService(t, { ...env, ...store, WEB_CONCURRENCY: '2' })
    for (let call = 0; call < 4; call++) {
      await postReply(service, { parentId, token, headers: { connection: 'close', 'x-request-id': `worker-${call}` } })
    }
    const ofReplies = () => service.logLines().filter(({ msg }) => msg === 'request')
    const requests = await until(ofReplies, ({ length }) => length === 4)

    t.strictSame([...new Set(requests.map(line => line['worker']))].sort(), [1, 2])
    t.equal(service.logLines().filter(line => 'version' in line).length, 1)
    t.match(
      service.logLines().find(({ msg }) => msg === 'listening'),
      { version, workers: 2 }
    )
  }
)
