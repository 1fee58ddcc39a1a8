// What a 429 of CometChat does to the calls behind it: the gate and the retries are real, and time is virtual.
import t from 'tap'
import { requestWithRetries } from '../../../src/upstream/transport/retry.ts'
import { scripted } from '../scripted-cometchat.ts'
import { createWorld, post } from './simulation.ts'

const ANSWER_MS = 50
const DEADLINE_MS = 10_000

/** A call that is refused with this wait, and another one behind it; one at a time is under way. */
function begin(retryAfterSeconds: number) {
  let answers = 0
  const refusal = { status: 429, headers: { 'retry-after': String(retryAfterSeconds) } }
  const behaviour = () => ({ afterMs: ANSWER_MS, ...(answers++ === 0 ? refusal : {}) })
  const world = createWorld(Math.random, behaviour, { bounds: { floor: 1, ceiling: 1, initial: 1 } })
  const { time, gate } = world
  const clock = { now: time.monotonic, monotonic: time.monotonic, sleep: time.sleep }
  const turns: number[] = []
  const ends: { readonly status: number | undefined; readonly atMs: number }[] = []
  const options = { ...scripted({ kind: 'answer', status: 200, headers: {}, body: Buffer.alloc(0) }).options, clock }
  const build = () => ({ ...post(), call: 'POST /messages/{id}/thread', chargedTo: 'alice' }) as const
  void requestWithRetries({ ...options, connections: gate }, build, { atMs: DEADLINE_MS }, false).then(({ outcome }) =>
    ends.push({ status: outcome.kind === 'answer' ? outcome.status : undefined, atMs: time.monotonic() })
  )
  void gate.exchange(post(), { timeoutMs: DEADLINE_MS, onTurn: atMs => void turns.push(atMs) })
  return { ...world, ends, turns }
}

t.test('a 429 whose wait exceeds the rest of the deadline is told at once and holds no slot', async t => {
  const { time, gate, ends, turns } = begin(60)
  await time.runUntil(2 * ANSWER_MS)
  t.same(ends, [{ status: 429, atMs: ANSWER_MS }])
  t.same(turns, [ANSWER_MS], 'the slot is free for the next one in the same moment')
  t.match(gate.state(), { inFlight: 0, waiting: 0 })
})

t.test('nor does one that is waited for, while it waits', async t => {
  const { time, gate, ends, turns } = begin(2)
  await time.runUntil(2 * ANSWER_MS)
  t.same(turns, [ANSWER_MS])
  t.match(gate.state(), { inFlight: 0, waiting: 0 })
  await time.runUntil(DEADLINE_MS)
  t.same(ends, [{ status: 200, atMs: 2000 + 2 * ANSWER_MS }])
})
