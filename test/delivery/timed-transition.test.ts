// What is told of the transitions of a store, and where the time of a reply went.
import t from 'tap'
import { LocalAttempts } from '../../src/delivery/local-attempts.ts'
import type { RecordStore } from '../../src/delivery/record.ts'
import { createRecordKeys } from '../../src/delivery/record-keys.ts'
import { ReplyRecord } from '../../src/delivery/reply-record.ts'
import { createMemoryStore } from '../../src/delivery/stores/memory/store.ts'
import { AppError } from '../../src/errors.ts'
import type { ServiceEvent } from '../../src/observability/events.ts'
import { LogFields } from '../../src/observability/log-fields.ts'
import { createFakeClock } from './fake-clock.ts'
import { keyedOrder } from './keyed-order.ts'

function timed(store: Partial<RecordStore>, clock = createFakeClock()) {
  const events: ServiceEvent[] = []
  const facts = new LogFields()
  const watch = {
    store: store as RecordStore,
    storeKind: 'redis',
    clock,
    emit: (event: ServiceEvent): void => void events.push(event)
  } as const
  const keeping = { ...watch, recordKeys: createRecordKeys(undefined), marker: true, newOwner: () => 'A' }
  return {
    record: new ReplyRecord(keeping, keyedOrder(facts), new LocalAttempts(() => 0), 1000, undefined),
    facts,
    events
  }
}

t.test('every transition is told by its name, with its time', async t => {
  const clock = createFakeClock()
  const after =
    <T>(ms: number, value: T) =>
    async (): Promise<T> => {
      clock.pass(ms)
      return value
    }
  const { record, facts, events } = timed(
    {
      acquire: after(1, { kind: 'acquired' }),
      markSent: after(2, true),
      markInDoubt: after(4, undefined),
      takeOver: after(8, true),
      complete: after(16, undefined),
      release: after(32, undefined),
      noteSearch: after(64, true),
      confirmSent: after(128, true)
    },
    clock
  )
  t.same(await record.acquire('pending'), { kind: 'acquired' })
  t.equal(await record.markSent(), true)
  await record.giveUp(new AppError('upstream-reset', '', { delivery: 'unknown' }))
  t.equal(await record.takeOver('B'), true)
  await record.complete({ kind: 'done' })
  await record.release()
  t.equal(await record.search.note(undefined, 's'), true)
  await record.confirmSent()

  const told = events.map(event => event.name === 'store-transition' && [event.transition, event.durationMs])
  t.same(told, [
    ['acquire', 1],
    ['mark-sent', 2],
    ['mark-in-doubt', 4],
    ['take-over', 8],
    ['complete', 16],
    ['release', 32],
    ['note-search', 64],
    ['confirm', 128]
  ])
  t.same(events[0], { name: 'store-transition', store: 'redis', transition: 'acquire', durationMs: 1, isFailed: false })
  t.equal(facts.storeMs, 255)
})

t.test('a failed transition took its time, too, and fails as it did', async t => {
  const clock = createFakeClock()
  const failing = async (): Promise<never> => {
    clock.pass(500)
    throw new Error('no answer')
  }
  const { record, facts, events } = timed({ acquire: failing }, clock)
  await t.rejects(async () => record.acquire('sent'), { message: 'no answer' })
  t.match(events, [{ transition: 'acquire', durationMs: 500, isFailed: true }])
  t.equal(facts.storeMs, 500)
})

t.test('what memory does at once stays at once, and took no time', async t => {
  const { record, facts, events } = timed(createMemoryStore({ monotonic: () => 0 }))
  t.same(record.acquire('sent'), { kind: 'acquired-as-sent' })
  t.equal(record.release(), undefined)
  t.match(events, [
    { transition: 'acquire', durationMs: 0, isFailed: false },
    { transition: 'release', durationMs: 0 }
  ])
  t.equal(facts.storeMs, 0)
})
