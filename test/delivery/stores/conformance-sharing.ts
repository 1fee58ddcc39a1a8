// Who wins a race, and whether what is kept comes back as it was.
import type { Test } from 'tap'
import type { RecordedOutcome } from '../../../src/delivery/record.ts'
import { DONE, HOUR_MS, type MakeKit, newClaim, STATES } from './store-kit.ts'

export function testSharing(t: Test, makeKit: MakeKit): void {
  testRaces(t, makeKit)
  testValues(t, makeKit)
}

function testRaces(t: Test, makeKit: MakeKit): void {
  t.test('of 200 claims of one key at once, one gets it', async t => {
    const kit = await makeKit(t)
    const handles = [await kit.open(), await kit.open()]
    const claim = newClaim()

    const seen = await Promise.all(
      Array.from({ length: 200 }, (_, i) => handles[i % 2]?.acquire({ ...claim, owner: `owner-${i}` }))
    )

    t.same(tally(seen.map(result => result?.kind)), { acquired: 1, 'in-flight': 199 })
  })

  t.test('of 200 that claim one key as SENT at once, one gets it', async t => {
    const kit = await makeKit(t)
    const handles = [await kit.open(), await kit.open()]
    const claim = newClaim()

    const seen = await Promise.all(
      Array.from({ length: 200 }, (_, i) => handles[i % 2]?.acquire({ ...claim, owner: `owner-${i}` }, 'sent'))
    )

    t.same(tally(seen.map(result => result?.kind)), { 'acquired-as-sent': 1, 'in-flight': 199 })
  })

  t.test('of 50 that reclaim one record at once, one gets it', async t => {
    const kit = await makeKit(t)
    const handles = [await kit.open(), await kit.open()] as const
    await kit.pass(HOUR_MS)
    const claim = newClaim()
    await STATES['in-doubt'](handles[0], claim, kit)

    const got = await Promise.all(
      Array.from({ length: 50 }, (_, i) => handles[i % 2]?.takeOver(claim.key, 'A', { ...claim, owner: `owner-${i}` }))
    )

    t.same(tally(got), { true: 1, false: 49 })
    const winner = `owner-${got.indexOf(true)}`
    t.equal(
      await handles[1].takeOver(claim.key, 'A', { ...claim, owner: winner }),
      true,
      'asked again, it hears the same'
    )
    t.equal(await handles[1].markSent(claim.key, winner), true)
  })

  t.test('two handles are one store', async t => {
    const kit = await makeKit(t)
    const here = await kit.open()
    const there = await kit.open()
    const claim = newClaim()

    await here.acquire(claim)
    t.same(await there.acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
    t.equal(await there.markSent(claim.key, 'A'), true)
    await here.complete(claim.key, 'A', DONE)
    t.same(await there.acquire({ ...claim, owner: 'B' }), DONE)
  })
}

function tally(results: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const result of results) counts[String(result)] = (counts[String(result)] ?? 0) + 1
  return counts
}

function testValues(t: Test, makeKit: MakeKit): void {
  const text = `"quoted" \\ \n\r\u0000 ${'é😀'.repeat(3000)}`
  const outcomes: readonly RecordedOutcome[] = [
    {
      kind: 'done',
      messageId: '18446744073709551615',
      body: JSON.stringify({ data: { id: '18446744073709551615', text } })
    },
    { kind: 'done', messageId: '7', body: '{"data":[{"id":"7"},{"id":"8"}]}' },
    { kind: 'done', messageId: '9007199254740993', body: '{"data":{"id":9007199254740993}}' },
    { kind: 'done', messageId: '5' },
    { kind: 'done' },
    {
      kind: 'refused',
      code: 'rejected-by-cometchat',
      detail: text,
      errors: [{ pointer: '/data', code: 'x', detail: text }]
    }
  ]

  t.test('an outcome comes back as it was kept, byte by byte', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()

    for (const outcome of outcomes) {
      const claim = newClaim({ fingerprint: '' })
      await store.acquire(claim)
      await store.complete(claim.key, 'A', outcome)
      t.strictSame(await store.acquire(claim), outcome)
    }
  })

  t.test('a store that works is ready, and one that is closed rejects', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()

    t.equal(store.isReady(), true)
    t.equal(store.msSinceDataLoss(), undefined)
    await store.close()
    await t.resolves(store.close(), 'closing twice is no offence')
  })
}
