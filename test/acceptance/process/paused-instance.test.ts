// An instance that is stopped for longer than its lease, as a debugger or a busy host may do, and then goes on as if no
// time had passed, while another one has taken over its reply.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(240_000)
t.jobs = 3

const KEYED = { 'idempotency-key': 'one-key' }

t.test('an instance that was stopped before it sent sends no more, and does not say that nothing was sent', async t => {
  const { emulator, stopped, other, parentId } = await startPair(t)
  emulator.failNext({ kind: 'delay', delayMs: 1200 }, { method: 'GET' })

  const early = postReply(stopped, { parentId, headers: KEYED })
  await until(() => emulator.requests.length === 1)
  stopped.process.kill('SIGSTOP')
  const taken = await insist(other, parentId)
  stopped.process.kill('SIGCONT')
  const late = await early

  t.equal(taken.status, 201)
  t.match(late.json, { delivery: 'unknown', retryable: true })
  t.equal(emulator.ledger.length, 1)
  t.equal((await insist(stopped, parentId)).json.data.id, taken.json.data.id)
})

t.test('an instance that was stopped after it sent and the one that took over tell of the same reply', async t => {
  const { emulator, stopped, other, parentId } = await startPair(t)
  emulator.failNext({ kind: 'delay', delayMs: 1200 }, { method: 'POST' })

  const early = postReply(stopped, { parentId, headers: KEYED })
  await until(() => emulator.ledger.length === 1)
  stopped.process.kill('SIGSTOP')
  const found = await insist(other, parentId)
  stopped.process.kill('SIGCONT')
  const late = await early

  t.same([found.status, found.headers.get('idempotent-replayed')], [201, 'true'])
  t.equal(found.json.data.id, emulator.ledger[0]?.id)
  t.ok(late.status === 201 ? late.json.data.id === found.json.data.id : late.json.delivery === 'unknown', late.text)
  t.equal(emulator.ledger.length, 1)
})

/** Two instances on one file, with a lease of 6.5 s. */
async function startPair(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'records-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const { emulator, env, parentId } = await startEmulator(t)
  const all = {
    ...env,
    STORE_URL: `file:${join(directory, 'records.db')}`,
    STORE_SECRET: 'a-store-secret-for-tests-of-40-bytes-xxx',
    REPLY_DEADLINE_MS: '1500',
    QUIET_PERIOD_MS: '500'
  }
  const stopped = await startService(t, all)
  const other = await startService(t, all)
  return { emulator, stopped, other, parentId }
}

async function insist(service: Parameters<typeof postReply>[0], parentId: string) {
  for (;;) {
    const answer = await postReply(service, { parentId, headers: KEYED })
    if (answer.json.retryable !== true) return answer
    // As a client does that is told to come back.
    await sleep(200)
  }
}
