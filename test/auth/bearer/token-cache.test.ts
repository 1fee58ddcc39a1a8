import t from 'tap'

import { TokenCache, type VerifiedToken } from '../../../src/auth/bearer/token-cache.ts'

const SAME_END = 'x'.repeat(64)

function verified(subject: string, expiresAtMs = 1000): VerifiedToken {
  const principal = { scheme: 'bearer', issuer: 'issuer', subject, actors: [], mayActForOthers: false } as const
  return { principal, expiresAtMs }
}

t.test('a token with the same end is another token', async t => {
  const cache = new TokenCache()
  cache.set(`alice.${SAME_END}`, verified('alice'), 0)
  for (const other of [`bobby.${SAME_END}`, `a.${SAME_END}`, SAME_END, SAME_END.slice(-32)]) {
    t.equal(cache.get(other, 0, 0), undefined, `${other} is nobody`)
    cache.set(other, verified('other'), 0)
    t.not(cache.get(other, 0, 0)?.principal.subject, 'alice', `${other} is never alice`)
  }
  t.equal(cache.get(`alice.${SAME_END}`, 0, 0)?.principal.subject, 'alice')
})

t.test('a token is remembered until it expires, to the millisecond', async t => {
  const cache = new TokenCache()
  cache.set('token', verified('alice', 1000), 0)
  t.ok(cache.get('token', 999, 0))
  t.notOk(cache.get('token', 1000, 0))
  t.equal(cache.size, 0, 'and then forgotten')
})

t.test('a change of keys forgets every token, also what was verified with the old ones meanwhile', async t => {
  const cache = new TokenCache()
  cache.set('token', verified('alice'), 0)
  t.notOk(cache.get('token', 0, 1))
  cache.set('token', verified('alice'), 0)
  t.notOk(cache.get('token', 0, 1))
})

t.test('the oldest tokens go when there are too many characters, and none is counted twice', async t => {
  const cache = new TokenCache(30)
  for (const name of ['a', 'b', 'c', 'c', 'd']) cache.set(name.repeat(10), verified(name), 0)
  t.equal(cache.size, 3)
  t.notOk(cache.get('a'.repeat(10), 0, 0))
  for (const name of ['b', 'c', 'd']) t.ok(cache.get(name.repeat(10), 0, 0), name)
})
