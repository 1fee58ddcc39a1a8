// When the turn of a call comes: until then it waited here, and from then on CometChat takes the time.
import t from 'tap'
import type { ExchangeResult, UpstreamRequest } from '../../../src/upstream/transport/exchange-types.ts'
import { createWorld, post, READ, type World } from './simulation.ts'

const ONE_AT_A_TIME = { floor: 1, ceiling: 1, initial: 1 }
const DEADLINE_MS = 10_000

/** A call, when its turns came, and what came of it. */
function begin({ gate, time }: World, request: UpstreamRequest) {
  const turns: number[] = []
  const askedAtMs = time.monotonic()
  const onTurn = (atMs: number): void => void turns.push(atMs - askedAtMs)
  return { turns, ended: gate.exchange(request, { timeoutMs: DEADLINE_MS, onTurn }) }
}

async function through(world: World, ended: Promise<ExchangeResult>, forMs: number): Promise<ExchangeResult> {
  await world.time.runUntil(world.time.monotonic() + forMs)
  return ended
}

t.test('where there is room it comes at once, else when another call has ended', async t => {
  const world = createWorld(Math.random, () => ({ afterMs: 300 }), { bounds: ONE_AT_A_TIME })
  const [first, second] = [begin(world, post()), begin(world, post())]
  t.match(await through(world, second.ended, 1000), { kind: 'answer' })
  t.same(first.turns, [0])
  t.same(second.turns, [300])
})

t.test('a call that is refused never has one', async t => {
  const world = createWorld(Math.random, () => 'never', { bounds: ONE_AT_A_TIME, maxWaiting: 0 })
  begin(world, post())
  const refused = begin(world, post())
  t.match(await through(world, refused.ended, 10), { kind: 'failure', sent: false })
  t.same(refused.turns, [])
})

t.test(
  'a post that waits for what a probe shows has its turn after it, and a read that is the probe its own',
  async t => {
    const world = createWorld(Math.random, () => 'refuses')
    await world.offer(20, 2000)
    t.equal(world.gate.state().outage, 'unreachable')
    await world.time.runUntil(world.time.monotonic() + 5000)
    const read = begin(world, READ)
    t.match(await through(world, read.ended, 1000), { cause: 'unreachable' })
    t.same(read.turns, [0])

    world.cometchat.behaviour = () => ({ afterMs: 50 })
    await world.time.runUntil(world.time.monotonic() + 5000)
    const posted = begin(world, post())
    t.match(await through(world, posted.ended, 1000), { kind: 'answer' })
    t.same(posted.turns, [50])
  }
)

t.test('of what a failing CometChat is sent a share is refused, where limits are enforced', async t => {
  for (const mode of ['enforce', 'observe'] as const) {
    const world = createWorld(
      () => 0,
      () => ({ afterMs: 1, status: 503 }),
      { mode }
    )
    let last: ExchangeResult | undefined
    for (let call = 0; call < 40; call++) last = await through(world, begin(world, post()).ended, 5)
    t.ok((world.refusals.get('upstream-throttle') ?? 0) > 0, mode)
    const refused = { kind: 'failure', sent: false, limit: { policy: 'upstream-throttle' } }
    t.match(last, mode === 'enforce' ? refused : { kind: 'answer', status: 503 })
  }
})

t.test('where limits only observe, nothing is refused ahead, nor counted twice', async t => {
  const world = createWorld(Math.random, () => 'never', { bounds: ONE_AT_A_TIME, maxWaiting: 0, mode: 'observe' })
  begin(world, post())
  t.equal(world.gate.refusalAhead(1000), undefined)
  t.equal(world.refusals.size, 0)

  const enforcing = createWorld(Math.random, () => 'never', { bounds: ONE_AT_A_TIME, maxWaiting: 0 })
  begin(enforcing, post())
  t.match(enforcing.gate.refusalAhead(1000), { sent: false, limit: { policy: 'upstream-queue' } })
})
