// How many records are in each state, as the metrics tell it.
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { createRandom } from '../../../emulator/random.ts'
import type { RecordCounts, RecordStore } from '../../../src/delivery/record.ts'
import { createMemoryStore } from '../../../src/delivery/stores/memory/store.ts'
import { RecordCount } from '../../../src/delivery/stores/sqlite/record-count.ts'
import { seedOf } from '../../helpers/seed.ts'
import { createRecordFile } from './sqlite/record-file.ts'
import { DONE, HOUR_MS, newClaim, REFUSED } from './store-kit.ts'

type Known = keyof RecordCounts | 'none'

const KEYS = 12
const TRANSITIONS = 1500

function countOf(known: readonly Known[]): RecordCounts {
  const counts = { pending: 0, sent: 0, done: 0, refused: 0 }
  for (const state of known) if (state !== 'none') counts[state]++
  return counts
}

/** Moves records by random transitions of their owner, and says after each what is known of all of them. */
async function moveAtRandom(t: Test, store: RecordStore, check: (expected: RecordCounts) => void): Promise<void> {
  const random = createRandom(seedOf(t))
  const claims = Array.from({ length: KEYS }, () => newClaim())
  const known: Known[] = claims.map(() => 'none')
  const final: Known[] = []
  for (let turn = 0; turn < TRANSITIONS; turn++) {
    const place = Math.floor(random() * KEYS)
    const claim = claims[place] ?? newClaim()
    const isOpen = known[place] === 'pending' || known[place] === 'sent'
    const after = async (transition: unknown, state: Known): Promise<Known | undefined> => {
      await transition
      return isOpen ? state : undefined
    }
    const moves: (() => Promise<Known | undefined>)[] = [
      async () => ((await store.acquire(claim)).kind === 'acquired' ? 'pending' : undefined),
      async () => ((await store.acquire(claim, 'sent')).kind === 'acquired-as-sent' ? 'sent' : undefined),
      async () => ((await store.markSent(claim.key, 'A')) ? 'sent' : undefined),
      async () => void (await store.markInDoubt(claim.key, 'A')),
      async () => ((await store.takeOver(claim.key, 'A', claim)) ? 'pending' : undefined),
      () => after(store.complete(claim.key, 'A', DONE), 'done'),
      () => after(store.complete(claim.key, undefined, REFUSED), 'refused'),
      () => after(store.release(claim.key, 'A'), 'none'),
      () => after(store.release(claim.key, 'A', 'search'), 'pending')
    ]
    known[place] = (await moves[Math.floor(random() * moves.length)]?.()) ?? known[place] ?? 'none'
    // What is final never moves again: another record takes its place.
    if (known[place] === 'done' || known[place] === 'refused') {
      final.push(known[place])
      claims[place] = newClaim()
      known[place] = 'none'
    }
    check(countOf([...final, ...known]))
  }
}

t.test('memory: the counts are those of the records after every transition', async t => {
  const store = createMemoryStore({ monotonic: () => 0 })
  let isRight = true
  const claimed: RecordCounts[] = []
  await moveAtRandom(t, store, expected => {
    const counts = store.counts?.() ?? expected
    if (claimed.length === 0 && JSON.stringify(counts) !== JSON.stringify(expected)) {
      isRight = false
      claimed.push(counts, expected)
    }
  })

  t.ok(isRight, JSON.stringify(claimed))
})

t.test('memory: what expires, and what is given up for space, is not counted any more', async t => {
  let nowMs = 0
  const store = createMemoryStore({ monotonic: () => nowMs, maxRecords: 20 })
  for (let turn = 0; turn < 50; turn++) {
    const claim = newClaim()
    await store.acquire(claim)
    if (turn % 2 === 0) await store.complete(claim.key, 'A', DONE)
    nowMs += HOUR_MS
    const counted = Object.values(store.counts?.() ?? {}).reduce((sum, count) => sum + count, 0)
    t.equal(counted, store.size, `after ${turn + 1}`)
  }
  await store.close()
  t.same(store.counts?.(), { pending: 0, sent: 0, done: 0, refused: 0 })
})

t.test('file: records are counted some at a time, once somebody asks, and again for the next who does', async t => {
  const { open, path } = createRecordFile(t)
  const store = open()
  for (const outcome of [DONE, DONE, DONE, REFUSED]) {
    const claim = newClaim()
    await store.acquire(claim)
    await store.complete(claim.key, 'A', outcome)
  }
  await store.acquire(newClaim())
  await store.acquire(newClaim(), 'sent')
  const database = new DatabaseSync(path)
  t.teardown(() => database.close())
  const count = new RecordCount(database, 4)

  count.step()
  t.equal(count.counts, undefined, 'nobody had asked')
  count.step()
  t.equal(count.counts, undefined, 'four of six')
  count.step()
  t.same(count.counts, { pending: 1, sent: 1, done: 3, refused: 1 })

  await store.acquire(newClaim())
  count.step()
  count.step()
  t.equal(count.counts?.pending, 2)
})

t.test('file: the counts are those of the records after many transitions', async t => {
  const { open, path } = createRecordFile(t)
  const database = new DatabaseSync(path)
  let last: RecordCounts | undefined
  await moveAtRandom(t, open(), expected => {
    last = expected
  })
  t.teardown(() => database.close())
  const count = new RecordCount(database, 3)
  t.equal(count.counts, undefined)
  while (count.counts === undefined) count.step()

  t.match(count.counts, last ?? {})
})
