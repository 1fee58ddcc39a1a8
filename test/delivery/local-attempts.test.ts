import t from 'tap'
import { Unsettled } from '../../src/delivery/local-attempts.ts'

t.test('an attempt is alone until another one begins, and that is not forgotten while it lasts', async t => {
  const unsettled = new Unsettled()
  const first = unsettled.enter('key')
  t.ok(unsettled.isOnlyAttempt(first))

  const second = unsettled.enter('key')
  unsettled.leave(second)

  t.notOk(unsettled.isOnlyAttempt(first), 'it may have posted meanwhile')
  unsettled.leave(first)
  t.ok(unsettled.isOnlyAttempt(unsettled.enter('key')), 'both told what they knew')
})

t.test('a doubt outlives its attempt, until somebody finds the reply', async t => {
  const unsettled = new Unsettled()
  const lost = unsettled.enter('key')
  unsettled.doubt(lost)
  unsettled.leave(lost)

  const again = unsettled.enter('key')
  t.notOk(unsettled.isOnlyAttempt(again))
  unsettled.settle(again)
  unsettled.leave(again)

  t.ok(unsettled.isOnlyAttempt(unsettled.enter('key')))
})

t.test('whoever has forgotten a doubt never again claims to know', async t => {
  const unsettled = new Unsettled()
  for (let index = 0; index <= 10_000; index++) {
    const lost = unsettled.enter(`key ${index}`)
    unsettled.doubt(lost)
    unsettled.leave(lost)
  }

  t.notOk(unsettled.isOnlyAttempt(unsettled.enter('another key')))
})
