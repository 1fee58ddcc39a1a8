// What a record makes of a store that breaks its own rules: a failure that is thrown instead of rejected.
import t from 'tap'
import { LocalAttempts } from '../../src/delivery/local-attempts.ts'
import type { RecordStore } from '../../src/delivery/record.ts'
import { createRecordKeys } from '../../src/delivery/record-keys.ts'
import { ReplyRecord } from '../../src/delivery/reply-record.ts'
import { AppError } from '../../src/errors.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { keyedOrder } from './keyed-order.ts'

const broken = (): never => {
  throw new Error('a bug in the store')
}
const STORE: RecordStore = {
  acquire: broken,
  peek: broken,
  markSent: broken,
  markInDoubt: broken,
  takeOver: broken,
  complete: broken,
  release: broken,
  noteSearch: broken,
  time: () => ({ nowMs: 0, steadyForMs: 0 }),
  msSinceDataLoss: () => undefined,
  isReady: () => true,
  close: async () => undefined
}

function openRecord(): ReplyRecord {
  const watch = { storeKind: 'memory', clock: systemClock, emit: () => undefined } as const
  const parts = { ...watch, store: STORE, recordKeys: createRecordKeys(undefined), marker: true, newOwner: () => 'A' }
  return new ReplyRecord(parts, keyedOrder(), new LocalAttempts(() => 0), 1000, undefined)
}

t.test('a claim that is thrown out is a rejected one', async t => {
  const claim = openRecord().acquire('sent')

  t.ok(claim instanceof Promise)
  await t.rejects(async () => claim, { message: 'a bug in the store' })
})

t.test('what comes after the call throws nothing: the truth about the reply is not the record', async t => {
  const record = openRecord()
  t.equal(await record.complete({ kind: 'done', messageId: '1', body: '{}' }), undefined)
  t.equal(await record.completeAsFound({ kind: 'done' }), undefined)
  t.equal(await record.giveUp(new AppError('upstream-reset', '', { delivery: 'unknown' })), undefined)
  t.equal(await record.release(), undefined)
})

t.test('nothing is sent where it cannot be marked, or taken over', async t => {
  await t.rejects(openRecord().markSent(), { code: 'store-unavailable', delivery: 'not-sent' })
  await t.rejects(openRecord().takeOver('B'), { code: 'store-unavailable', delivery: 'unknown' })
})
