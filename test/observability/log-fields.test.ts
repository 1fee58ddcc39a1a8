// Where the time of a request went: the parts are never more than the whole.
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { LogFields, noteAttempt } from '../../src/observability/log-fields.ts'

const PARTS = ['queueMs', 'storeMs', 'upstreamMs'] as const

t.test('parts one after the other count whole', async t => {
  const facts = new LogFields()
  facts.notePart('storeMs', 100, 103)
  noteAttempt(facts, { askedAtMs: 103, begunAtMs: 110, endedAtMs: 150, status: 403 })
  noteAttempt(facts, { askedAtMs: 150, begunAtMs: 150, endedAtMs: 250, status: 200 })
  facts.notePart('storeMs', 250, 252)
  t.match(facts, { storeMs: 5, queueMs: 7, upstreamMs: 140, attempts: 2, upstreamStatus: 200 })
})

t.test('an attempt whose turn never came was all waiting', async t => {
  const facts = new LogFields()
  noteAttempt(facts, { askedAtMs: 0, begunAtMs: undefined, endedAtMs: 80, code: 'QUEUE' })
  t.match(facts, { queueMs: 80, upstreamMs: 0, attempts: 1, upstreamCode: 'QUEUE' })
})

t.test('of parts at the same time each moment counts once', async t => {
  const facts = new LogFields()
  facts.notePart('storeMs', 0, 50)
  facts.notePart('upstreamMs', 20, 60)
  t.match(facts, { storeMs: 50, upstreamMs: 10 })
})

t.test('whatever overlaps, the parts are never more than the time they took', async t => {
  const span = fc.tuple(fc.constantFrom(...PARTS), fc.nat(1000), fc.nat(1000))
  const isBounded = fc.property(fc.array(span), spans => {
    const facts = new LogFields()
    const ended = spans.map(([part, beganAtMs, ms]) => ({ part, beganAtMs, endedAtMs: beganAtMs + ms }))
    ended.sort((one, other) => one.endedAtMs - other.endedAtMs)
    for (const { part, beganAtMs, endedAtMs } of ended) facts.notePart(part, beganAtMs, endedAtMs)
    const begin = Math.min(...ended.map(({ beganAtMs }) => beganAtMs))
    const end = Math.max(...ended.map(({ endedAtMs }) => endedAtMs))
    return PARTS.reduce((sum, part) => sum + (facts[part] ?? 0), 0) <= Math.max(0, end - begin)
  })
  t.doesNotThrow(() => fc.assert(isBounded))
})

t.test('rounded, they are no more either; what took no part has no figure', async t => {
  const facts = new LogFields()
  await sleep(5)
  facts.noteAuthentication()
  const beganAtMs = performance.now()
  for (let step = 0; step < 7; step++) facts.notePart('storeMs', beganAtMs + step * 0.19, beganAtMs + (step + 1) * 0.19)
  await sleep(3)
  facts.noteDuration()
  const { authMs = Number.NaN, storeMs = Number.NaN, durationMs = 0 } = facts
  t.equal(storeMs, 1.3)
  t.ok(authMs >= 4.9 && authMs + storeMs <= durationMs + 1e-9, `${authMs} and ${storeMs} of ${durationMs} ms`)
  t.equal(Math.round(authMs * 10) / 10, authMs)
  t.notOk(facts.queueMs ?? facts.upstreamMs)
})
