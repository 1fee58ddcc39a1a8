import t from 'tap'
import { LocalAttempts } from '../../src/delivery/local-attempts.ts'

t.test('an attempt is alone until another one begins, and that is not forgotten while it lasts', async t => {
  const attempts = new LocalAttempts(() => 0)
  const first = attempts.enter('key')
  t.ok(attempts.isOnlyAttempt(first))

  const second = attempts.enter('key')
  attempts.leave(second)

  t.notOk(attempts.isOnlyAttempt(first), 'it may have posted meanwhile')
  attempts.leave(first)
  t.ok(attempts.isOnlyAttempt(attempts.enter('key')), 'both told what they knew')
})

t.test('a doubt outlives its attempt, until somebody finds the reply', async t => {
  const attempts = new LocalAttempts(() => 0)
  const lost = attempts.enter('key')
  attempts.markInDoubt(lost)
  attempts.leave(lost)

  const again = attempts.enter('key')
  t.notOk(attempts.isOnlyAttempt(again))
  attempts.markResolved(again)
  attempts.leave(again)

  t.ok(attempts.isOnlyAttempt(attempts.enter('key')))
})

t.test('whoever has forgotten a doubt never again claims to know', async t => {
  const attempts = new LocalAttempts(() => 0)
  for (let index = 0; index <= 10_000; index++) {
    const lost = attempts.enter(`key ${index}`)
    attempts.markInDoubt(lost)
    attempts.leave(lost)
  }

  t.notOk(attempts.isOnlyAttempt(attempts.enter('another key')))
})

t.test('a search without its record is remembered until ten thousand others were', async t => {
  let nowMs = 5
  const attempts = new LocalAttempts(() => nowMs)
  const search = attempts.searchOf('key')
  t.equal(search.last, undefined)
  t.equal(await search.note('other', 'first'), false, 'another attempt has changed it')
  t.equal(await search.note(undefined, 'first'), true)
  t.equal(await search.note(undefined, 'second'), false)
  t.equal(attempts.searchOf('key').last, 'first')
  nowMs = 8
  t.same(search.time(), { nowMs: 8, steadyForMs: Number.POSITIVE_INFINITY })

  for (let other = 1; other < 10_000; other++) await attempts.searchOf(`key ${other}`).note(undefined, 'other')
  t.equal(attempts.searchOf('key').last, 'first')
  t.equal(await search.note('first', 'second'), true, 'which makes it the youngest')
  await attempts.searchOf('one more').note(undefined, 'other')
  t.equal(attempts.searchOf('key 1').last, undefined)
  t.equal(attempts.searchOf('key').last, 'second')
})
