import t from 'tap'
import { createLedger } from '../../src/lib/service/ledger.ts'

t.test('all holders together have so much, and one an eighth of it', async t => {
  const ledger = createLedger(80)
  t.equal(ledger.book('a', 10), true)
  t.equal(ledger.book('a', 1), false, 'an eighth is reached')
  for (const holder of 'bcdefgh') t.equal(ledger.book(holder, 10), true, holder)
  t.equal(ledger.book('i', 1), false, 'all of it is reached')
  t.equal(ledger.book(undefined, 1), false, 'also for whom no share holds')
  ledger.free('a', 4)
  t.equal(ledger.held, 76)
  t.same([ledger.book('a', 5), ledger.book('a', 4)], [false, true], 'what is not booked is not held')
})

t.test('a holder without a share may have it all', async t => {
  const ledger = createLedger(80)
  t.same([ledger.book(undefined, 80), ledger.book('a', 1)], [true, false])
  ledger.free(undefined, 80)
  t.equal(ledger.held, 0)
})

t.test('the smallest total still lets one have one', async t => {
  t.same([createLedger(1).book('a', 1), createLedger(3).book('a', 2)], [true, false])
})
