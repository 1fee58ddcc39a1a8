import t from 'tap'
import { Throttle } from '../../../src/upstream/health/throttle.ts'

function noted(accepted: number, refused: number, nowMs = 0, throttle = new Throttle()): Throttle {
  for (let count = 0; count < accepted; count++) throttle.note(true, nowMs)
  for (let count = 0; count < refused; count++) throttle.note(false, nowMs)
  return throttle
}

t.test('while at least half is taken, or only a few fail, nothing is refused', async t => {
  t.equal(noted(0, 0).share(0), 0)
  t.equal(noted(0, 20).share(0), 0, '20 failures')
  t.equal(noted(100, 120).share(0), 0, 'as many as are taken, and 20')
  t.equal(noted(1_000_000, 1_000_000).share(0), 0)
})

t.test('the share follows max(0, (requests − 2 · accepts) / (requests + 1)), and some always go through', async t => {
  t.equal(noted(0, 99).share(0), 79 / 100)
  t.equal(noted(100, 299).share(0), (399 - 200 - 20) / 400)
  t.equal(noted(0, 1_000_000).share(0), 0.9)
})

t.test('what is older than ten seconds is forgotten, and so is everything on demand', async t => {
  const throttle = noted(0, 99)
  t.ok(throttle.share(7999) > 0)
  t.equal(throttle.share(10_000), 0)
  t.equal(noted(0, 99, 10_000, throttle).share(10_000), 79 / 100)
  throttle.forget()
  t.equal(throttle.share(10_000), 0)
  t.equal(noted(0, 99, 0).share(86_400_000), 0, 'after a day without a request')
})

t.test('each accept counts: the share falls while CometChat recovers', async t => {
  const throttle = noted(0, 99)
  let share = throttle.share(0)
  for (let second = 1; second <= 5; second++) {
    noted(20, 0, second * 1000, throttle)
    const next = throttle.share(second * 1000)
    t.ok(next < share || next === 0, `${next}`)
    share = next
  }
  t.equal(share, 0)
})
