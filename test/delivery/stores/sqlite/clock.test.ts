// A file is dated by a wall clock, and a wall clock jumps: it may cost time, and never a second reply.
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../fake-clock.ts'
import { DONE, LEASE_MS, newClaim, REFUSED } from '../store-kit.ts'
import { createRecordFile } from './record-file.ts'

const QUIET_MS = 2 * MINUTE_MS

t.test('a jump ahead ends a lease, but no quiet period', async t => {
  const { open, clock } = createRecordFile(t)
  const store = open()
  clock.pass(DAY_MS)
  const claim = newClaim()
  await store.acquire(claim)
  await store.markSent(claim.key, claim.owner)
  clock.jump(HOUR_MS)

  t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-doubt', owner: 'A', quietForMs: -LEASE_MS })
  clock.pass(LEASE_MS + QUIET_MS)
  t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-doubt', owner: 'A', quietForMs: QUIET_MS })
})

t.test('a jump while nobody was there ends no quiet period', async t => {
  const { open, clock } = createRecordFile(t)
  const before = open()
  const claim = newClaim()
  await before.acquire(claim)
  await before.markSent(claim.key, claim.owner)
  await before.close()
  clock.jump(HOUR_MS)

  const after = open()

  t.same(await after.acquire({ ...claim, owner: 'B' }), { kind: 'in-doubt', owner: 'A', quietForMs: -LEASE_MS })
  clock.pass(SECOND_MS)
  t.match(await after.acquire({ ...claim, owner: 'B' }), { quietForMs: SECOND_MS - LEASE_MS })
})

t.test('an owner whose lease a jump has ended can no longer send', async t => {
  const { open, clock } = createRecordFile(t)
  const store = open()
  const claim = newClaim()
  await store.acquire(claim)

  clock.jump(LEASE_MS)

  t.equal(await store.markSent(claim.key, claim.owner), false)
})

for (const [title, jumpMs] of [
  ['ten minutes', -10 * MINUTE_MS],
  ['a day', -DAY_MS]
] as const) {
  t.test(`after a jump back by ${title} a lease ends at once, and its quiet period begins`, async t => {
    const { open, clock } = createRecordFile(t)
    const store = open()
    clock.pass(DAY_MS)
    const claim = newClaim()
    await store.acquire(claim, 'sent')
    clock.jump(jumpMs)

    t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-doubt', owner: 'A', quietForMs: -LEASE_MS })
    clock.pass(LEASE_MS + QUIET_MS - 1)
    t.match(await store.acquire({ ...claim, owner: 'B' }), { kind: 'in-doubt', quietForMs: QUIET_MS - 1 })
    t.equal(await store.takeOver(claim.key, 'A', { ...claim, owner: 'B' }), true)
    t.equal(await store.markSent(claim.key, 'B'), true)
    t.same(await store.acquire({ ...claim, owner: 'C' }), { kind: 'in-flight' }, 'the lease of now is a lease')
  })
}

t.test('a lease that its owner ended stays ended, however the clock jumps', async t => {
  for (const jumpMs of [-5 * SECOND_MS, -10 * MINUTE_MS, -DAY_MS, 10 * MINUTE_MS, DAY_MS, 3 * DAY_MS]) {
    const { open, clock } = createRecordFile(t)
    const store = open()
    clock.pass(DAY_MS)
    const claim = newClaim()
    await store.acquire(claim, 'sent')
    await store.markInDoubt(claim.key, claim.owner)
    clock.jump(jumpMs)

    const waits: number[] = []
    for (const passMs of [0, 30 * SECOND_MS, MINUTE_MS, MINUTE_MS]) {
      clock.pass(passMs)
      const seen = await store.acquire({ ...claim, owner: 'B' })
      t.equal(seen.kind, 'in-doubt', `${jumpMs} ms`)
      waits.push(seen.kind === 'in-doubt' ? QUIET_MS - seen.quietForMs : Number.NaN)
    }
    const [first = Number.NaN, ...later] = waits
    t.ok(first <= QUIET_MS + LEASE_MS, `the first wait is ${first} ms`)
    t.same(later, [first - 30 * SECOND_MS, first - 90 * SECOND_MS, first - 150 * SECOND_MS], 'and it was said truly')
  }
})

t.test('a clock that ran ahead and is put right locks nothing', async t => {
  const { open, clock } = createRecordFile(t)
  clock.jump(DAY_MS)
  const store = open()
  const [running, pending, refused] = [newClaim(), newClaim(), newClaim()]
  await store.acquire(running, 'sent')
  await store.acquire(pending)
  await store.acquire(refused)
  await store.complete(refused.key, refused.owner, REFUSED)
  clock.jump(-DAY_MS)
  const another = open()

  t.match(await another.acquire({ ...running, owner: 'B' }), { kind: 'in-doubt', quietForMs: -LEASE_MS })
  t.same(await another.acquire({ ...pending, owner: 'B' }), { kind: 'acquired' }, 'it was never sent')
  t.equal(await store.markSent(pending.key, pending.owner), false)
  t.same(await another.acquire({ ...refused, owner: 'B' }), { kind: 'acquired' }, 'a refusal is not told for a day')
})

t.test('a lease of an instance with a longer deadline is in doubt, not free, and is waited for', async t => {
  const { open, clock } = createRecordFile(t)
  const store = open()
  clock.pass(DAY_MS)
  const claim = newClaim({ leaseMs: MINUTE_MS })
  await store.acquire(claim, 'sent')
  clock.pass(SECOND_MS)

  const seen = await store.acquire({ ...claim, owner: 'B', leaseMs: LEASE_MS })
  t.same(seen, { kind: 'in-doubt', owner: 'A', quietForMs: SECOND_MS - MINUTE_MS })
  t.equal(await store.takeOver(claim.key, 'A', { ...claim, owner: 'B' }), false)
})

t.test('a jump of years forgets no reply that exists or may exist', async t => {
  const { open, clock } = createRecordFile(t)
  const store = open()
  const [done, sent] = [newClaim(), newClaim()]
  await store.acquire(done)
  await store.complete(done.key, done.owner, DONE)
  await store.acquire(sent)
  await store.markSent(sent.key, sent.owner)
  clock.jump(10 * 365 * DAY_MS)

  store.sweep()
  clock.pass(HOUR_MS)
  store.sweep()
  const another = open()
  another.sweep()

  t.same(await another.acquire({ ...done, owner: 'B' }), DONE)
  t.match(await another.acquire({ ...sent, owner: 'B' }), { kind: 'in-doubt' })
})

t.test('what has expired is swept in small steps, and what has not stays', async t => {
  const { open, clock, path } = createRecordFile(t)
  const store = open()
  const old = Array.from({ length: 450 }, () => newClaim())
  for (const claim of old) {
    await store.acquire(claim)
    await store.complete(claim.key, claim.owner, DONE)
  }
  clock.pass(DAY_MS - MINUTE_MS)
  const young = newClaim()
  await store.acquire(young)
  await store.complete(young.key, young.owner, DONE)
  t.equal(store.sweep(), false, 'nothing has expired yet')
  clock.pass(MINUTE_MS)

  t.same([store.sweep(), store.sweep(), store.sweep()], [true, true, false])

  const reader = new DatabaseSync(path, { readOnly: true })
  t.teardown(() => reader.close())
  t.match(reader.prepare('SELECT count(*) AS records FROM records').get(), { records: 1 })
  t.same(await store.acquire(young), DONE)
})

t.test('what has expired is gone before it is swept', async t => {
  const { open, clock } = createRecordFile(t)
  const store = open()
  const claim = newClaim()
  await store.acquire(claim)
  await store.complete(claim.key, claim.owner, DONE)

  clock.pass(DAY_MS)

  t.same(await store.acquire({ ...claim, owner: 'B' }), { kind: 'acquired' })
})
