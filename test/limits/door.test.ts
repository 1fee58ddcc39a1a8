import fc from 'fast-check'
import t from 'tap'
import { Door, type Standing } from '../../src/limits/door.ts'
import { seedOf } from '../helpers/seed.ts'

const MINUTE_MS = 60_000
const ADDRESS = '203.0.113.5'

function create({ failures = 120, requests = 6000 } = {}) {
  let nowMs = 7_777_777
  const door = new Door({ monotonic: () => nowMs, failuresPerMinute: failures, requestsPerMinute: requests })
  const pass = (ms: number): void => {
    nowMs += ms
  }
  const fail = (times: number, address = ADDRESS): void => {
    for (let count = 0; count < times; count++) door.noteFailure(address)
  }
  return { door, pass, fail }
}

t.test('an address that has failed too often is known for it, and no other one is', async t => {
  const { door, pass, fail } = create()
  fail(119)
  t.notOk(door.enter(ADDRESS).hasFailed)
  fail(1)
  t.match(door.enter(ADDRESS), { hasFailed: true, isOver: false })
  t.notOk(door.enter('203.0.113.6').hasFailed, 'in the same /24')
  pass(2 * MINUTE_MS)
  t.notOk(door.enter(ADDRESS).hasFailed)
})

t.test(
  'the ceiling lets the limit through in a minute, also of one who never stops, and loopback has none',
  async t => {
    const { door, pass } = create({ requests: 600 })
    let admitted = 0
    for (let count = 0; count < 60_000; count++) {
      if (!door.enter(ADDRESS).isOver) admitted++
      pass(10)
    }
    t.ok(admitted >= 10 * 590 && admitted <= 11 * 600, `${admitted} in ten minutes`)
    for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
      for (let count = 0; count < 700; count++) if (door.enter(address).isOver) t.fail(address)
    }
  }
)

t.test('who comes back after the wait is let in', async t => {
  const limits = fc.integer({ min: 1, max: 200 })
  const gaps = fc.array(fc.nat(40_000), { maxLength: 300 })
  const isFree = ({ hasFailed, isOver }: Standing): boolean => !hasFailed && !isOver
  fc.assert(
    fc.property(limits, limits, fc.nat(MINUTE_MS), gaps, (failures, requests, start, waits) => {
      const { door, pass, fail } = create({ failures, requests })
      pass(start)
      return waits.every(gap => {
        pass(gap % 2000)
        if (gap % 3 === 0 && isFree(door.enter(ADDRESS))) fail(1)
        const standing = door.enter(ADDRESS)
        if (isFree(standing)) return true
        pass(standing.waitMs)
        return standing.waitMs > 0 && standing.waitMs <= 2 * MINUTE_MS && isFree(door.enter(ADDRESS))
      })
    }),
    { seed: seedOf(t) }
  )
})

t.test('a /64 is one address, and a mapped address that of IPv4', async t => {
  const { door, fail } = create()
  fail(60, '2001:db8::1')
  fail(60, '2001:db8:0:0:ffff::2')
  t.ok(door.enter('2001:0db8::77').hasFailed)
  t.notOk(door.enter('2001:db8:0:1::1').hasFailed)
  fail(120, '::ffff:198.51.100.7')
  t.ok(door.enter('198.51.100.7').hasFailed)
})

t.test('a million addresses take eight MiB at most, and do not hide one that fails', async t => {
  const { door, fail } = create()
  t.ok(door.bytes <= 8 * 1024 * 1024, `${door.bytes} bytes`)
  fail(120)
  const before = process.memoryUsage()
  for (let count = 0; count < 1_000_000; count++) {
    const address = `${1 + (count >> 24)}.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`
    if (door.enter(address).isOver) t.fail('a stranger')
  }
  const after = process.memoryUsage()
  const grown = after.arrayBuffers - before.arrayBuffers
  t.ok(grown < 1024 * 1024, `${grown} bytes more in arrays`)
  t.ok(door.enter(ADDRESS).hasFailed)
})

t.test('a limit of 0 counts nothing', async t => {
  const { door, fail } = create({ failures: 0, requests: 0 })
  fail(1000)
  for (let count = 0; count < 10_000; count++) if (door.enter(ADDRESS).isOver) t.fail()
  t.same(door.enter(ADDRESS), { hasFailed: false, isOver: false, waitMs: 0 })
})
