// When a lost reply is looked for, and at how many reads.
import t from 'tap'
import {
  bookLook,
  readSearch,
  type SearchState,
  settleLook,
  startOfSearch,
  writeSearch
} from '../../src/delivery/search-state.ts'

const LOOK_MS = 15_000
const MINUTE_MS = 60_000
const QUIET_MS = 2 * MINUTE_MS

/** A time of a clock that was last seen to jump so long ago. */
const at = (nowMs: number, steadyForMs = Number.POSITIVE_INFINITY) => ({ nowMs, steadyForMs })

interface Look {
  readonly atMs: number
  readonly reads: number
  readonly waitMs: number
}

/** A client that asks every second, and a thread in which each look takes all the reads it gets. */
function play(untilMs: number, readsOf = (maxReads: number) => maxReads): Look[] {
  const looks: Look[] = []
  let text = startOfSearch(1_700_000_000_000)
  for (let nowMs = 5_000_000, beganMs = nowMs; nowMs < beganMs + untilMs; nowMs += 1000) {
    const quietRestMs = Math.max(0, beganMs + QUIET_MS - nowMs)
    const booking = bookLook(readSearch(text, nowMs), at(nowMs), quietRestMs, LOOK_MS)
    if ('waitMs' in booking) continue
    const reads = readsOf(booking.maxReads)
    const result = { bookedReads: booking.maxReads, reads, isAbsent: false, quietRestMs, owner: 'A' }
    const { state, waitMs } = settleLook(booking.state, at(nowMs), result)
    text = writeSearch(state)
    looks.push({ atMs: nowMs - beganMs, reads, waitMs })
  }
  return looks
}

t.test('the wait grows: 1 s, 5 s, 30 s, the end of the quiet period, then minutes', async t => {
  const looks = play(3 * 3_600_000, () => 1)
  t.same(
    looks.slice(0, 4).map(({ waitMs }) => waitMs),
    [1000, 5000, 30_000, QUIET_MS - 36_000]
  )
  const later = looks.slice(4).map(({ waitMs }) => waitMs / MINUTE_MS)
  t.same(later.slice(0, 6), [1, 2, 5, 10, 15, 15])
})

t.test('one reply costs at most 20 reads in its first ten minutes, and then 20 an hour', async t => {
  const looks = play(48 * 3_600_000)
  const readsBetween = (fromMs: number, toMs: number): number =>
    looks.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).reduce((sum, { reads }) => sum + reads, 0)

  t.equal(readsBetween(0, 10 * MINUTE_MS), 20)
  const total = readsBetween(0, 48 * 3_600_000)
  t.ok(total <= 20 + 48 * 20 && total > 20 * 40, `${total}`)
  const [fourth] = looks.filter(({ atMs }) => atMs >= QUIET_MS)
  t.ok((fourth?.reads ?? 0) >= 8, 'when absence can be proved, enough are left')
})

t.test('looks that can prove nothing leave reads for one that can, however often they are made', async t => {
  let state: SearchState = { isFirstSpan: true, reads: 0, looks: 0 }
  const look = (nowMs: number, quietRestMs: number): Look | { readonly waitMs: number } => {
    const booking = bookLook(state, at(nowMs), quietRestMs, LOOK_MS)
    if ('waitMs' in booking) return booking
    const result = { bookedReads: booking.maxReads, reads: booking.maxReads, isAbsent: false, quietRestMs, owner: 'A' }
    const settled = settleLook(booking.state, at(nowMs), result)
    state = settled.state
    return { atMs: nowMs, reads: booking.maxReads, waitMs: settled.waitMs }
  }
  // The store forgets again and again, so that the quiet period begins anew.
  for (let nowMs = 0; nowMs < 5 * MINUTE_MS; nowMs += 10_000) look(nowMs, 8000)
  t.match(state, { reads: 10, looks: 3 })
  t.same(look(5 * MINUTE_MS, 8000), { waitMs: 8000 }, 'told until when nothing is read')
  t.same(look(5 * MINUTE_MS + 8000, 0), { atMs: 308_000, reads: 10, waitMs: 292_000 })
})

t.test('nor do they make the waits between those that can any longer', async t => {
  const afterMs = (looks: number): number => {
    const state = { isFirstSpan: true, reads: 0, looks }
    const result = { bookedReads: 1, reads: 1, isAbsent: false, quietRestMs: 0, owner: 'A' }
    return settleLook(state, at(0), result).waitMs
  }
  let state: SearchState = { isFirstSpan: true, reads: 0, looks: 0 }
  for (let count = 0; count < 20; count++) {
    const result = { bookedReads: 0, reads: 0, isAbsent: false, quietRestMs: QUIET_MS, owner: 'A' }
    state = settleLook(state, at(count), result).state
  }
  t.equal(afterMs(state.looks), MINUTE_MS)
})

t.test('one that has no reads left is told for how long there are none', async t => {
  const spent = { isFirstSpan: true, looks: 3, spanAtMs: 0 }
  const result = { bookedReads: 0, reads: 0, isAbsent: false, owner: 'A' }
  const told = (reads: number, nowMs: number, quietRestMs: number, looks = 3) => {
    const booking = bookLook({ ...spent, reads }, at(nowMs), quietRestMs, LOOK_MS)
    const { waitMs } = settleLook({ ...spent, reads, looks }, at(nowMs), { ...result, quietRestMs })
    return ['waitMs' in booking ? booking.waitMs : 0, waitMs]
  }
  t.same(told(10, MINUTE_MS, QUIET_MS), [QUIET_MS, QUIET_MS], 'until one can prove something')
  t.same(told(10, MINUTE_MS, QUIET_MS, 0), [QUIET_MS, QUIET_MS], 'however soon it would look again')
  t.same(told(10, 9 * MINUTE_MS, QUIET_MS, 0), [MINUTE_MS, MINUTE_MS], 'until the next span begins')
  t.same(told(20, MINUTE_MS, QUIET_MS), [9 * MINUTE_MS, 9 * MINUTE_MS], 'where those of a proof are spent, too')
  t.same(told(20, MINUTE_MS, 0, 7), [9 * MINUTE_MS, 15 * MINUTE_MS], 'or for as long as it waits anyway')
})

t.test('what was booked by a look that never ended is counted, and nobody looks beside it', async t => {
  const booked = bookLook(readSearch(undefined, 1000), at(1000), QUIET_MS, LOOK_MS)
  if ('waitMs' in booked) throw new Error('it was not booked')
  const beside = bookLook(booked.state, at(1500), QUIET_MS, LOOK_MS)
  t.same(beside, { waitMs: 1000 })
  const after = bookLook(booked.state, at(1000 + LOOK_MS), QUIET_MS, LOOK_MS)
  t.match(after, { state: { reads: 2 * booked.maxReads } })
})

t.test('a proof that never ended leaves reads for another one', async t => {
  const first = bookLook({ isFirstSpan: true, reads: 3, looks: 3 }, at(1000), 0, LOOK_MS)
  if ('waitMs' in first) throw new Error('it was not booked')
  t.match(bookLook(first.state, at(1000 + LOOK_MS), 0, LOOK_MS), { maxReads: 7, state: { reads: 20 } })
})

t.test('a clock that jumps back neither locks a reply nor forgets what was read', async t => {
  const dates = { spanAtMs: 9e9, lookedAtMs: 9e9, waitMs: MINUTE_MS }
  const state: SearchState = { isFirstSpan: true, reads: 12, looks: 4, ...dates }
  t.match(bookLook(state, at(1e9, 0), 0, LOOK_MS), { maxReads: 8, state: { spanAtMs: 1e9, reads: 20 } })
  t.match(bookLook(state, at(9e9 - 1000), 0, LOOK_MS), { waitMs: MINUTE_MS }, 'no longer than it was said')
})

t.test('a clock that jumps ahead gives nothing for free: reads come back with time that has passed', async t => {
  const state: SearchState = { isFirstSpan: true, reads: 20, looks: 4, spanAtMs: 1e9, lookedAtMs: 1e9, waitMs: 5000 }
  const jumped = 1e9 + 24 * 3_600_000
  t.same(bookLook(state, at(jumped, 0), 0, LOOK_MS), { waitMs: 10 * MINUTE_MS })
  t.same(bookLook(state, at(jumped + MINUTE_MS, MINUTE_MS), 0, LOOK_MS), { waitMs: 9 * MINUTE_MS })
  const later = bookLook(state, at(jumped + 10 * MINUTE_MS, 10 * MINUTE_MS), 0, LOOK_MS)
  t.match(later, { maxReads: 10, state: { isFirstSpan: false, reads: 10 } })
})

t.test('a search begins anew when its reply is sent anew, but its reads stay', async t => {
  const booking = bookLook({ isFirstSpan: true, reads: 5, looks: 4 }, at(1000), 0, LOOK_MS)
  if ('waitMs' in booking) throw new Error('it was not booked')
  const result = { bookedReads: booking.maxReads, reads: 2, isAbsent: true, quietRestMs: 0, owner: 'A' }
  t.match(settleLook(booking.state, at(1500), result), { waitMs: 0, state: { looks: 0, reads: 7 } })
})

t.test('it is read back as it was written, and what is damaged proves nothing and reads nothing', async t => {
  const memory = { paging: 'page', id: '7', sentAt: 3, offset: 51, hasSuspect: true } as const
  const state: SearchState = {
    isFirstSpan: false,
    reads: 3,
    looks: 2,
    sinceMs: 1,
    spanAtMs: 2,
    lookedAtMs: 3,
    waitMs: 4,
    memory,
    memoryOf: 'A'
  }
  t.same(readSearch(writeSearch(state), 0), state)
  for (const damaged of [
    '',
    '{',
    '[]',
    '{"reads":-1}',
    writeSearch(state).replace('"reads":3', '"reads":"3"'),
    'null'
  ]) {
    const read = readSearch(damaged, 1000)
    t.match(bookLook(read, at(1000), 0, LOOK_MS), { waitMs: 600_000 }, damaged)
    t.equal(read.memory, undefined)
  }
  const foreign = writeSearch(state).replace('"page"', '"planet"')
  t.equal(readSearch(foreign, 0).memory, undefined)
})
