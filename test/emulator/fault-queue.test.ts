import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { NAMED_FAULTS, QUICK_FAULTS } from '../../emulator/faults.ts'
import { call, reply, startEmulator, verdict } from './start-emulator.ts'

t.test('faults are met in the order in which they were asked for', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'server-error', status: 500 })
  emulator.failNext({ kind: 'server-error', status: 503 })
  t.equal(emulator.pendingFaults, 2)

  const seen = [await reply(emulator), await reply(emulator), await reply(emulator)].map(({ status }) => status)

  t.strictSame(seen, [500, 503, 200])
  t.equal(emulator.pendingFaults, 0)
})

t.test('a fault waits for a request that it matches', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'server-error' }, { method: 'POST', path: /\/thread$/g, times: 2 })

  const read = await call(emulator, '/messages/100')
  const list = await call(emulator, '/messages/100/thread')
  const replies = [await reply(emulator), await reply(emulator), await reply(emulator)]

  t.strictSame(
    [read, list, ...replies].map(({ status }) => status),
    [200, 200, 500, 500, 200]
  )
})

t.test('what happened is forgotten by clear, what exists is kept', async t => {
  const emulator = await startEmulator(t)
  await reply(emulator)
  const { ledger } = emulator
  emulator.failNext({ kind: 'reset' })
  emulator.failNext({ kind: 'late-commit', afterMs: 0 })

  emulator.clear()

  t.strictSame([emulator.requests.length, emulator.ledger.length, emulator.pendingFaults], [0, 0, 0])
  t.equal(ledger.length, 1, 'a list taken before is left alone')
  t.equal((await call(emulator, '/messages/100')).json.data['replyCount'], 1)
})

t.test('the same seed gives the same faults to the same requests', async t => {
  const run = async (seed: number, rate: number) => {
    const emulator = await startEmulator(t)
    emulator.failWithSeed(seed, rate, ['commit-then-500', 'rate-limited', 'bad-gateway'])
    const seen = []
    for (let i = 0; i < 60; i += 1) seen.push((await reply(emulator)).status)
    return { seen, posted: emulator.ledger.length }
  }

  const [one, same, other, never, always] = [
    await run(1, 0.3),
    await run(1, 0.3),
    await run(2, 0.3),
    await run(1, 0),
    await run(1, 1)
  ]

  t.strictSame(one, same)
  t.notSame(one.seen, other.seen)
  t.strictSame(new Set(one.seen), new Set([200, 500, 429, 502]))
  t.equal(one.posted, one.seen.filter(status => status === 200 || status === 500).length)
  t.equal(never.posted, 60)
  t.notOk(always.seen.includes(200))
})

t.test('random faults end when they are stopped, and scripted ones go first', async t => {
  const emulator = await startEmulator(t)
  emulator.failWithSeed(1, 1, ['rate-limited'])
  emulator.failNext({ kind: 'server-error', status: 504 })

  const during = [await reply(emulator), await reply(emulator)].map(({ status }) => status)
  emulator.stopFailing()

  t.strictSame(during, [504, 429])
  t.equal(verdict(await reply(emulator)), '200')
})

t.test('every named fault is met, and leaves the emulator able to answer', async t => {
  const emulator = await startEmulator(t)
  for (const [name, fault] of Object.entries(NAMED_FAULTS)) {
    emulator.clear()
    emulator.failNext(fault)
    const caller = new AbortController()
    const answered = reply(emulator, undefined, { signal: caller.signal }).catch(() => undefined)
    while (emulator.requests.length === 0) await sleep(1)
    // Some faults never end by themselves.
    await Promise.race([answered, sleep(40)])
    caller.abort()
    await answered
    t.match(emulator.requests, [{ fault: fault.kind }], name)
  }
  emulator.clear()

  // The last poisoned connection may still be in the client's pool.
  const statuses = [await reply(emulator), await reply(emulator)].map(({ status }) => status)

  t.strictSame(statuses, [200, 200])
  t.ok(QUICK_FAULTS.length > 20)
})
