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
