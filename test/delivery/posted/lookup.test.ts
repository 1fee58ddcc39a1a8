// What is told of a reply whose key alone is asked with: by its record, by the thread, or not at all.
import t from 'tap'
import { createDeletionNotes } from '../../../src/delivery/posted/deletion-notes.ts'
import { createLookup, type KeyQuestion, type LookupOptions } from '../../../src/delivery/posted/lookup.ts'
import { KEPT_MS, type RecordedOutcome, type RecordStore } from '../../../src/delivery/record.ts'
import { createRecordKeys } from '../../../src/delivery/record-keys.ts'
import { createMemoryStore } from '../../../src/delivery/stores/memory/store.ts'
import { AppError } from '../../../src/errors.ts'
import type { CometChatUid } from '../../../src/lib/service/cometchat-uid.ts'
import { LogFields } from '../../../src/observability/log-fields.ts'

const ALICE = 'alice' as CometChatUid
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const POSTED = { messageId: '7', body: '{"data":{"id":"7"}}', deviations: [] }
const DONE: RecordedOutcome = { kind: 'done', messageId: '7', body: POSTED.body }
const LEFT = { id: '7', deletedAt: 17, deletedBy: 'alice' }

/** CometChat's clock stands at 100 h, and the message that is replied to came an hour ago. */
const NOW_MS = 100 * HOUR_MS
const RECENT_S = 99 * 3600

function start(more: Partial<LookupOptions> = {}, sentAt: unknown = RECENT_S) {
  const time = { nowMs: 10 * HOUR_MS }
  const memory = createMemoryStore({ monotonic: () => time.nowMs })
  const store: RecordStore = { ...bound(memory), rememberedForMs: () => 40 * HOUR_MS, ...more.store }
  const recordKeys = createRecordKeys('a secret')
  const notes = createDeletionNotes(memory, recordKeys)
  const looks: string[] = []
  const lookUp = createLookup({
    recordKeys,
    cometchat: {
      async findReply({ marker }, look) {
        look.reads++
        looks.push(marker)
        return 'absent'
      },
      timeMs: () => NOW_MS
    },
    threads: { readParent: async () => ({ sentAt }) },
    ownReplies: { read: async () => ({ message: {}, marker: undefined, isDeleted: true }) },
    marker: true,
    notes,
    clock: { monotonic: () => time.nowMs },
    deadlineMs: 1000,
    ...more,
    store
  })
  const question = (key = 'a-key', uid = ALICE): KeyQuestion => ({
    parentId: '100',
    author: { issuer: 'https://issuer.test', subject: uid, uid },
    facts: new LogFields(),
    isWaiting: () => true,
    idempotencyKey: key
  })
  const key = recordKeys.recordKey(
    { issuer: 'https://issuer.test', subject: 'alice', uid: ALICE, parentId: '100' },
    'a-key'
  )
  return {
    time,
    looks,
    notes,
    question,
    key,
    marker: recordKeys.marker(key),
    lookUp,
    acquire: (as: 'pending' | 'sent') => memory.acquire({ key, fingerprint: 'f', owner: 'A', leaseMs: 1000 }, as),
    complete: (outcome: RecordedOutcome) => memory.complete(key, 'A', outcome)
  }
}

function bound(store: RecordStore): RecordStore {
  return {
    acquire: (acquisition, as) => store.acquire(acquisition, as),
    peek: acquisition => store.peek(acquisition),
    markSent: (key, owner) => store.markSent(key, owner),
    markInDoubt: (key, owner) => store.markInDoubt(key, owner),
    takeOver: (key, previous, acquisition) => store.takeOver(key, previous, acquisition),
    complete: (key, owner, outcome) => store.complete(key, owner, outcome),
    release: (key, owner, search) => store.release(key, owner, search),
    noteSearch: (key, former, search) => store.noteSearch(key, former, search),
    time: key => store.time(key),
    msSinceDataLoss: key => store.msSinceDataLoss(key),
    isReady: () => store.isReady(),
    close: () => store.close()
  }
}

t.test('a record that has an answer tells it, and the line says so', async t => {
  const { lookUp, question, acquire, complete, looks } = start()
  await acquire('sent')
  await complete(DONE)
  const asked = question()
  t.same(await lookUp(asked), { delivery: 'sent', body: POSTED.body })
  t.match(asked.facts, { delivery: 'sent', messageId: '7', replayed: true })
  t.same(looks, [])
})

t.test('a refusal on record is not sent; a reply that could not be described is told without a body', async t => {
  const refused = start()
  await refused.acquire('sent')
  await refused.complete({ kind: 'refused', code: 'thread-not-found', detail: 'no' })
  const asked = refused.question()
  t.same(await refused.lookUp(asked), { delivery: 'not-sent' })
  t.match(asked.facts, { delivery: 'not-sent', replayed: true })

  for (const [outcome, told] of [
    [{ kind: 'done' }, { delivery: 'sent' }],
    [
      { kind: 'done', messageId: '7' },
      { delivery: 'sent', body: '{"data":{"id":"7"}}' }
    ]
  ] as const) {
    const { lookUp, question, acquire, complete } = start()
    await acquire('sent')
    await complete(outcome)
    const again = question()
    t.same(await lookUp(again), told)
    t.equal(again.facts.delivery, 'sent')
  }
})

t.test('a reply that its author deleted since is told as deleted, unless it is still there', async t => {
  const shown = async (more: Partial<LookupOptions>) => {
    const { lookUp, question, acquire, complete, notes, marker } = start(more)
    await acquire('sent')
    await complete(DONE)
    await notes.keep({ marker }, LEFT)
    return (await lookUp(question())).body
  }
  const told = JSON.stringify({ data: LEFT })
  t.equal(await shown({}), told)
  const there = { read: async () => ({ message: {}, marker: undefined, isDeleted: false }) }
  t.equal(await shown({ ownReplies: there }), POSTED.body, 'the delete was refused')
  const away = { read: () => Promise.reject(new Error('away')) }
  t.equal(await shown({ ownReplies: away }), told)
  t.equal(await shown({ marker: false, ownReplies: away }), POSTED.body, 'without marks there are no notes')
})

t.test('one that is under way is unknown for a second', async t => {
  const { lookUp, question, acquire, looks } = start()
  await acquire('sent')
  const asked = question()
  t.same(await lookUp(asked), { delivery: 'unknown', retryAfterMs: 1000 })
  t.equal(asked.facts.delivery, 'unknown')
  t.same(looks, [])
})

t.test('one in doubt is looked for by its mark, and found once for all', async t => {
  const { lookUp, question, acquire, time, marker } = start({
    cometchat: {
      async findReply(sought) {
        t.match(sought, { marker, uid: 'alice', parentId: '100' })
        return POSTED
      },
      timeMs: () => NOW_MS
    }
  })
  await acquire('sent')
  time.nowMs += 1000
  const asked = question()
  t.same(await lookUp(asked), { delivery: 'sent', body: POSTED.body })
  t.match(asked.facts, { delivery: 'sent', messageId: '7', reconciled: 'found' })
  t.equal(asked.facts.replayed, undefined)
  const again = question()
  t.same(await lookUp(again), { delivery: 'sent', body: POSTED.body })
  t.equal(again.facts.replayed, true)
})

t.test('that the thread does not show one in doubt proves nothing', async t => {
  const { lookUp, question, acquire, time, looks } = start()
  await acquire('sent')
  time.nowMs += 1000
  const { delivery, retryAfterMs = 0 } = await lookUp(question())
  t.equal(delivery, 'unknown')
  t.ok(retryAfterMs >= 1000, String(retryAfterMs))
  for (let count = 1; count < 30; count++) t.match(await lookUp(question()), { delivery: 'unknown' })
  t.equal(looks.length, 10, 'half of the reads are left for a look that can prove something')
})

t.test('without a record a reply to a young message was not sent', async t => {
  const { lookUp, question, looks, marker } = start()
  const asked = question()
  t.same(await lookUp(asked), { delivery: 'not-sent' })
  t.match(asked.facts, { delivery: 'not-sent', reconciled: 'absent' })
  t.same(looks, [marker])
})

t.test('it may have been where its record would be forgotten, or its age is not known', async t => {
  const old = (NOW_MS - KEPT_MS.done) / 1000
  const cases: readonly (readonly [string, Partial<LookupOptions>, unknown])[] = [
    ['an old message', {}, old],
    ['a message without a date', {}, 'yesterday'],
    [
      'CometChat has not told its time',
      { cometchat: { findReply: async () => 'absent', timeMs: () => undefined } },
      RECENT_S
    ]
  ]
  for (const [what, more, sentAt] of cases) {
    const { lookUp, question } = start(more, sentAt)
    const { delivery, retryAfterMs = 0 } = await lookUp(question())
    t.equal(delivery, 'unknown', what)
    t.ok(retryAfterMs >= 1000, what)
  }
})

t.test('nor is it certain where the store is away, has lost records, or remembers too short a time', async t => {
  const memory = createMemoryStore({ monotonic: () => 0 })
  const stores: readonly Partial<RecordStore>[] = [
    { peek: () => Promise.reject(new Error('away')) },
    { msSinceDataLoss: () => 5 },
    // An hour old, and an hour between the clocks.
    { rememberedForMs: () => 2 * HOUR_MS }
  ]
  for (const part of stores) {
    const store = { ...bound(memory), rememberedForMs: () => 40 * HOUR_MS, ...part }
    const { lookUp, question } = start({ store })
    t.match(await lookUp(question()), { delivery: 'unknown' })
  }
  const store = { ...bound(memory), rememberedForMs: () => 2 * HOUR_MS + 1 }
  const { lookUp, question } = start({ store })
  t.match(await lookUp(question()), { delivery: 'not-sent' })
})

t.test('a thread that this user may not see is refused', async t => {
  const threads = { readParent: () => Promise.reject(new AppError('thread-not-found', 'no')) }
  const { lookUp, question } = start({ threads })
  await t.rejects(lookUp(question()), { code: 'thread-not-found' })
})

t.test('ten keys without a record in a minute are searched for a user, and no other user pays for them', async t => {
  const { lookUp, question, looks, time } = start()
  for (let count = 0; count < 10; count++) await lookUp(question(`key ${count}`))
  time.nowMs += 20_000
  t.same(await lookUp(question('one more')), { delivery: 'unknown', retryAfterMs: MINUTE_MS - 20_000 })
  t.equal(looks.length, 10)
  t.match(await lookUp(question('one more', 'bob' as CometChatUid)), { delivery: 'not-sent' })
  time.nowMs += MINUTE_MS - 20_000
  t.match(await lookUp(question('one more')), { delivery: 'not-sent' })
  t.equal(looks.length, 12)
})

t.test('a search that shows nothing is bounded, with a record and without one', async t => {
  for (const hasRecord of [true, false]) {
    let looks = 0
    const findReply: LookupOptions['cometchat']['findReply'] = async (_sought, look) => {
      looks++
      look.reads++
      throw new AppError('upstream-unreachable', 'away', { reason: 'unreachable' })
    }
    const { lookUp, question, acquire, time } = start({ cometchat: { findReply, timeMs: () => NOW_MS } }, 0)
    if (hasRecord) await acquire('sent')
    time.nowMs += 1000
    const asked = question()
    t.match(await lookUp(asked), { delivery: 'unknown', retryAfterMs: 1000 })
    t.match(asked.facts, { delivery: 'unknown', reconciled: 'unclear' })
    for (let count = 1; count < 30; count++) {
      await lookUp(question())
      time.nowMs += 10_000
    }
    t.equal(looks, 10)
  }
})
