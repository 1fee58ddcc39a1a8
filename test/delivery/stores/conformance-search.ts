// What a record remembers of the search for its reply, as every store must keep it.
import type { Test } from 'tap'
import { DONE, HOUR_MS, LEASE_MS, type MakeKit, newClaim, STATES, type State } from './store-kit.ts'

export function testSearch(t: Test, makeKit: MakeKit): void {
  t.test(
    'what is remembered of a search is there for every attempt, and stays when the record is taken over',
    async t => {
      const kit = await makeKit(t)
      const [here, there] = [await kit.open(), await kit.open()]
      await kit.pass(HOUR_MS)
      const claim = newClaim({ search: 'at first' })
      await STATES['in-doubt'](here, claim, kit)

      t.match(await there.acquire({ ...claim, owner: 'B', search: 'of another' }), { search: 'at first' })
      t.equal(await there.noteSearch(claim.key, 'at first', 'later "1" 😀'), true)
      t.match(await here.acquire({ ...claim, owner: 'B' }), { kind: 'in-doubt', search: 'later "1" 😀' })

      t.equal(await here.takeOver(claim.key, 'A', { ...claim, owner: 'B', search: 'of another' }), true)
      t.match(await here.acquire({ ...claim, owner: 'B' }), { kind: 'acquired', search: 'later "1" 😀' })
      await kit.pass(LEASE_MS)
      t.match(await there.acquire({ ...claim, owner: 'C' }, 'sent'), {
        kind: 'acquired-as-sent',
        search: 'later "1" 😀'
      })
    }
  )

  t.test('of several that note what they know of at once, one does', async t => {
    const kit = await makeKit(t)
    const handles = [await kit.open(), await kit.open()]
    const claim = newClaim()
    await STATES['in-doubt'](handles[0] ?? (await kit.open()), claim, kit)

    const noted = await Promise.all(
      Array.from({ length: 20 }, (_, i) => handles[i % 2]?.noteSearch(claim.key, undefined, `by ${i}`))
    )
    t.equal(noted.filter(Boolean).length, 1)
    t.equal(await handles[0]?.noteSearch(claim.key, undefined, 'again'), false)
  })

  t.test('it is noted in a record under way, and in no other', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()
    await kit.pass(HOUR_MS)
    const open: readonly State[] = ['pending', 'abandoned', 'sent', 'in-doubt']
    for (const state of [...open, 'none', 'done', 'refused'] as const) {
      const claim = newClaim()
      await STATES[state](store, claim, kit)
      t.equal(await store.noteSearch(claim.key, undefined, 'x'), open.includes(state), state)
    }
  })

  t.test('a record that is given back with it waits for the next attempt as long as one that is SENT', async t => {
    const kit = await makeKit(t)
    const store = await kit.open()
    await kit.pass(HOUR_MS)
    for (const as of ['pending', 'sent'] as const) {
      const claim = newClaim({ search: 'at first' })
      await store.acquire(claim, as)
      await store.release(claim.key, 'B', 'of a stranger')
      await store.release(claim.key, 'A', 'so far')

      await kit.pass(kit.kept.sent - 5000)
      const next = { ...claim, owner: 'B', search: 'of another' }
      t.match(await store.acquire(next), { kind: 'acquired', search: 'so far' })
      await store.release(claim.key, 'B')
      t.same(await store.acquire(next), { kind: 'acquired' }, 'given back without, it is forgotten')
      await store.complete(claim.key, 'B', DONE)
      t.same(await store.acquire(next), DONE)
    }
  })

  t.test('all that share records have one clock', async t => {
    const kit = await makeKit(t)
    const [here, there] = [await kit.open(), await kit.open()]
    const claim = newClaim()
    const beganMs = here.time(claim.key).nowMs
    t.ok(Math.abs(beganMs - there.time(claim.key).nowMs) < 2000)
    await kit.pass(HOUR_MS)
    await here.acquire(claim)
    t.ok(here.time(claim.key).nowMs - beganMs >= HOUR_MS - 2000)
  })
}
