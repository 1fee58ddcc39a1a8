// Which look a caller waits for.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Looks } from '../../src/lib/service/servers/looks.ts'

/** Looks that end when they are told to; each notes what there was to see when it began. */
function heldLooks() {
  const seen: string[] = []
  const ends: (() => void)[] = []
  const world = { state: 'before' }
  const looks = new Looks(() => {
    seen.push(world.state)
    return new Promise<void>(resolve => void ends.push(resolve))
  })
  return { looks, seen, ends, world }
}

t.test('a caller that knows of an event waits for a look that begins after it', async t => {
  const { looks, seen, ends, world } = heldLooks()
  const first = looks.next()
  await turn()
  world.state = 'after'
  let isSeen = false
  const second = looks.next().then(() => {
    isSeen = true
  })
  const third = looks.next()
  ends[0]?.()
  await first
  await turn()
  t.same([isSeen, seen], [false, ['before', 'after']])
  ends[1]?.()
  await Promise.all([second, third])
  t.same(seen, ['before', 'after'], 'and shares it with the others that do')
})

t.test('from the end of one look to the next there is a pause', async t => {
  const beganAtMs: number[] = []
  const looks = new Looks(async () => void beganAtMs.push(performance.now()), 60)
  await looks.next()
  await looks.next()
  const [first = 0, second = 0] = beganAtMs
  // Timers are whole milliseconds, and may be one early.
  t.ok(second - first >= 58)
})
