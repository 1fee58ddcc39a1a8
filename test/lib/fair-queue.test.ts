import t from 'tap'
import { FairQueue } from '../../src/lib/fair-queue.ts'

/** A queue whose work ends when the test says so; `begun` is the order in which it began. */
function build({ maxRunning = 1, maxWaiting = 100, ranks = {} as Record<string, number> } = {}) {
  const world = { nowMs: 0, begun: [] as string[], refused: [] as string[] }
  const ends: (() => void)[] = []
  const queue = new FairQueue({
    clock: { monotonic: () => world.nowMs },
    maxRunning,
    maxWaiting,
    maxWaitMs: 1000,
    rankOf: owner => ranks[owner] ?? 0,
    refusal: () => new Error('busy')
  })
  const add = (name: string): void => {
    const work = (): Promise<void> => {
      world.begun.push(name)
      return new Promise(resolve => ends.push(resolve))
    }
    queue.run(name.slice(0, 1), work).catch(() => world.refused.push(name))
  }
  const settle = () => new Promise(resolve => setImmediate(resolve))
  const endOne = async (): Promise<void> => {
    ends.shift()?.()
    await settle()
  }
  const endAll = async (): Promise<void> => {
    for (await settle(); ends.length > 0; ) await endOne()
  }
  return { world, add, endOne, endAll, queue }
}

t.test('owners take turns, however much each of them waits with', async t => {
  const { world, add, endAll } = build()
  for (const name of ['a0', 'a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) add(name)
  await endAll()
  t.same(world.begun, ['a0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
})

t.test('one owner may use everything while no other waits', async t => {
  const { world, add, endAll } = build({ maxRunning: 3 })
  for (const name of ['a1', 'a2', 'a3', 'a4']) add(name)
  await new Promise(resolve => setImmediate(resolve))
  t.same(world.begun, ['a1', 'a2', 'a3'])
  await endAll()
  t.equal(world.begun.length, 4)
})

t.test("a lower rank goes first, and every fourth turn is anybody's", async t => {
  const { world, add, endAll } = build({ ranks: { b: 1, c: 2 } })
  for (const name of ['x0', 'c1', 'c2', 'b1', 'b2', 'a1', 'a2', 'a3', 'a4']) add(name)
  await endAll()
  t.same(world.begun, ['x0', 'c1', 'a1', 'a2', 'a3', 'b1', 'a4', 'b2', 'c2'])
})

t.test('without a place left, the owner who waits with most of the worst rank loses its newest', async t => {
  const { world, add, endAll } = build({ maxWaiting: 4, ranks: { b: 1 } })
  for (const name of ['a0', 'a1', 'a2', 'a3', 'b1']) add(name)
  add('a4')
  await new Promise(resolve => setImmediate(resolve))
  t.same(world.refused, ['b1'], 'b is trusted less')
  add('c1')
  await new Promise(resolve => setImmediate(resolve))
  t.same(world.refused, ['b1', 'a4'], 'a has more than its share')
  add('a5')
  add('b2')
  await new Promise(resolve => setImmediate(resolve))
  t.same(world.refused, ['b1', 'a4', 'a5', 'b2'], 'and neither it nor b can push out another')
  await endAll()
  t.same(world.begun.toSorted(), ['a0', 'a1', 'a2', 'a3', 'c1'])
})

t.test('what waited for too long is refused when its turn comes, and the next one takes it', async t => {
  const { world, add, endAll } = build()
  for (const name of ['a0', 'a1', 'a2']) add(name)
  world.nowMs = 500
  add('b1')
  world.nowMs = 1200
  await endAll()
  t.same(world.begun, ['a0', 'b1'])
  t.same(world.refused, ['a1', 'a2'])
})

t.test('work that fails gives its place back, and its failure is its own', async t => {
  const { queue } = build()
  await t.rejects(
    queue.run('a', async () => Promise.reject(new Error('down'))),
    { message: 'down' }
  )
  t.equal(await queue.run('a', async () => 1), 1)
})
