// Somebody else has the record file for themselves, from another process: nobody waits for it, and nothing is sent meanwhile.
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { readiness } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

const DEADLINE_MS = 2000
/** The most that a probe takes, and that an answer is late by; of the best of some rounds, as other programs run here, too. */
const PROBE_MS = 50
const LATE_MS = 250
const ROUNDS = 4
const REPLIES = 12

const path = `${t.testdir()}/records.db`
const { emulator, env, parentId } = await startEmulator(t)
const service = await hostService(t, {
  ...env,
  STORE_URL: `file:${path}`,
  STORE_SECRET: 'a-store-secret-for-tests-of-40-bytes-xxx',
  REPLY_DEADLINE_MS: `${DEADLINE_MS}`,
  LIMIT_MODE: undefined,
  LIMIT_USER_PER_MINUTE: '1000'
})
const other = new DatabaseSync(path)
t.teardown(() => other.close())

const post = (key: string) => postReply(service, { parentId, headers: { 'idempotency-key': key } })

async function tookMs(call: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now()
  await call()
  return performance.now() - startedAtMs
}

/** Probes, one after the other, for as long as something is under way; the median of what they took. */
async function probeDuring(work: Promise<unknown>): Promise<number> {
  let isOver = false
  const ended = work.finally(() => {
    isOver = true
  })
  const took: number[] = []
  while (!isOver) {
    for (const probe of ['livez', 'readyz']) took.push(await tookMs(() => fetch(`${service.adminUrl}/${probe}`)))
  }
  await ended
  return took.sort((one, other) => one - other)[took.length >> 1] ?? Number.POSITIVE_INFINITY
}

t.test('while the file is locked replies are refused in time, probes answer, and nothing is sent', async t => {
  t.equal((await post('before')).status, 201)
  let [probeMs, latestMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < ROUNDS && (probeMs > PROBE_MS || latestMs > DEADLINE_MS + LATE_MS); round++) {
    const before = emulator.ledger.length
    other.exec('BEGIN IMMEDIATE')
    const took: number[] = []
    const posting = Array.from({ length: REPLIES }, async (_, index) => {
      took.push(
        await tookMs(async () => {
          const answer = await post(`round-${round}-${index}`)
          expectProblem(t, answer, 'store-unavailable', { hasKey: true, delivery: 'not-sent' })
        })
      )
    })
    probeMs = Math.min(probeMs, await probeDuring(Promise.all(posting)))
    t.equal(emulator.ledger.length, before, 'nothing is sent')
    latestMs = Math.min(latestMs, Math.max(...took))
    other.exec('ROLLBACK')
    for (let index = 0; index < REPLIES; index++) t.equal((await post(`round-${round}-${index}`)).status, 201)
    t.equal(emulator.ledger.length, before + REPLIES, 'and then each once')
  }
  t.ok(probeMs <= PROBE_MS, `a probe took ${probeMs.toFixed(1)} ms`)
  t.ok(latestMs <= DEADLINE_MS + LATE_MS, `the latest answer came after ${latestMs.toFixed(0)} ms`)
  t.match(
    await until(
      () => readiness(service),
      ([status]) => status === 200
    ),
    [200, []]
  )
})

t.test('a reply that CometChat has taken meanwhile is told as sent, and is not sent again', async t => {
  const before = emulator.ledger.length
  emulator.failNext({ kind: 'drip-body', everyMs: 20, bytes: 64 }, { method: 'POST' })
  const posting = post('during')
  await until(
    () => emulator.ledger.length,
    count => count > before
  )
  other.exec('BEGIN IMMEDIATE')
  const answer = await posting
  other.exec('ROLLBACK')
  t.equal(answer.status, 201)
  const again = await until(
    () => post('during'),
    ({ status }) => status === 201
  )
  t.equal(again.json.data.id, answer.json.data.id)
  t.equal(emulator.ledger.length, before + 1)
})
