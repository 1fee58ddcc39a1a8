import t from 'tap'
import type { Fault } from '../../emulator/faults.ts'
import { connectRaw, type Ended, patienceFor, replyBytes, replyRaw, UNTIL_END_MS } from './raw-client.ts'
import { reply, startEmulator, verdict } from './start-emulator.ts'

const cases: readonly (readonly [fact: string, fault: Fault, ended: Ended, posted: number])[] = [
  ['closes at connect', { kind: 'close-at-connect' }, 'close', 0],
  ['resets at connect', { kind: 'reset-at-connect' }, 'reset', 0],
  ['closes before reading', { kind: 'close-before-reading' }, 'close', 0],
  ['resets before reading', { kind: 'reset-before-reading' }, 'reset', 0],
  ['closes after reading', { kind: 'close' }, 'close', 0],
  ['closes after committing', { kind: 'close', commit: true }, 'close', 1],
  ['resets after reading', { kind: 'reset' }, 'reset', 0],
  ['resets after committing', { kind: 'reset', commit: true }, 'reset', 1],
  ['stalls', { kind: 'stall' }, 'open', 0],
  ['stalls after committing', { kind: 'stall', commit: true }, 'open', 1]
]

for (const [fact, fault, ended, posted] of cases) {
  t.test(`a request is left without a byte by one that ${fact}`, async t => {
    const emulator = await startEmulator(t)
    emulator.failNext(fault)

    const seen = await replyRaw(emulator, patienceFor(ended))

    t.strictSame(seen, { bytes: '', ended })
    t.equal(emulator.ledger.length, posted)
    t.equal(emulator.pendingFaults, 0)
    t.equal(verdict(await reply(emulator)), '200', 'the next request is healthy')
  })
}

t.test('a request that met a fault is recorded with its kind and without a status', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'reset-before-reading' })
  emulator.failNext({ kind: 'reset' })

  await replyRaw(emulator, UNTIL_END_MS)
  await replyRaw(emulator, UNTIL_END_MS)

  t.match(emulator.requests, [
    { fault: 'reset-before-reading', body: '' },
    { fault: 'reset', body: /Hi Tom!/ }
  ])
  t.notOk(emulator.requests.some(request => 'status' in request))
})

t.test('a fault can wait before it shows', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'close', commit: true, delayMs: 60 })
  const client = connectRaw(emulator)
  client.send(replyBytes(emulator))

  t.strictSame(await client.seen(20), { bytes: '', ended: 'open' })
  t.strictSame(await client.seen(UNTIL_END_MS), { bytes: '', ended: 'close' })
})

t.test('a fault on a reused connection ends that connection', async t => {
  const emulator = await startEmulator(t)
  const client = connectRaw(emulator)
  client.send(replyBytes(emulator))
  await client.seen(50)
  emulator.failNext({ kind: 'reset', commit: true })

  client.send(replyBytes(emulator))
  const { bytes, ended } = await client.seen(UNTIL_END_MS)

  t.equal(bytes.match(/HTTP\/1\.1 /g)?.length, 1)
  t.equal(ended, 'reset')
  t.equal(emulator.ledger.length, 2)
  t.strictSame(
    emulator.requests.map(({ connection }) => connection),
    [1, 1]
  )
})

t.test('a late commit kills the connection at once and posts when its instant has passed', async t => {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { now: () => nowMs })
  emulator.failNext({ kind: 'late-commit', afterMs: 5000 })

  t.strictSame(await replyRaw(emulator, UNTIL_END_MS), { bytes: '', ended: 'reset' })

  t.strictSame(emulator.ledger, [])
  nowMs += 4999
  t.strictSame(emulator.ledger, [])
  t.equal(JSON.parse((await reply(emulator)).text).data.id, '102', 'its id was taken by the request')
  nowMs += 1
  t.match(emulator.ledger, [
    { id: '102', atMs: 1_004_999 },
    { id: '101', parentId: '100', atMs: 1_005_000 }
  ])
})

t.test('a late commit is seen by the next reader of the thread', async t => {
  let nowMs = 1_000_000
  const emulator = await startEmulator(t, { now: () => nowMs })
  emulator.failNext({ kind: 'late-commit', afterMs: 5000, ending: 'close' })
  t.equal((await replyRaw(emulator, UNTIL_END_MS)).ended, 'close')
  const list = async () => {
    const { apiKey, url } = emulator
    const response = await fetch(`${url}/v3/messages/100/thread`, { headers: { apikey: apiKey } })
    return ((await response.json()) as { data: unknown[] }).data
  }

  t.strictSame(await list(), [])
  nowMs += 60_000
  t.match(await list(), [{ id: '101', sentAt: 1005 }])
})

t.test('a late commit can leave the connection open', async t => {
  let nowMs = 0
  const emulator = await startEmulator(t, { now: () => nowMs })
  emulator.failNext({ kind: 'late-commit', afterMs: 1, ending: 'stall' })

  t.strictSame(await replyRaw(emulator, 50), { bytes: '', ended: 'open' })
  nowMs += 1
  t.equal(emulator.ledger.length, 1)
})

t.test('a message that the rules refuse is posted by no fault', async t => {
  const emulator = await startEmulator(t)
  emulator.deleteMessage('100')
  emulator.failNext({ kind: 'reset', commit: true })
  emulator.failNext({ kind: 'late-commit', afterMs: 0 })

  await replyRaw(emulator, UNTIL_END_MS)
  await replyRaw(emulator, UNTIL_END_MS)

  t.strictSame(emulator.ledger, [])
})

t.test('stopping ends stalled connections at once', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'stall' })
  const client = connectRaw(emulator)
  client.send(replyBytes(emulator))
  await client.seen(50)

  await emulator.stop()

  t.equal((await client.seen(UNTIL_END_MS)).ended, 'close')
})
