import t from 'tap'

import { TokenCache, type VerifiedToken } from '../../../src/auth/bearer/token-cache.ts'

/** Keys that never change. */
const keys = { generation: 0 }
const SAME_END = 'x'.repeat(64)

function verified(subject: string, expiresAtMs = 1000): VerifiedToken {
  const principal = { scheme: 'bearer', issuer: 'issuer', subject, actors: [], mayActForOthers: false } as const
  return { principal, expiresAtMs }
}

t.test('a token with the same end is another token', async t => {
  const cache = new TokenCache()
  cache.set(`alice.${SAME_END}`, verified('alice'), keys, 0)
  for (const other of [`bobby.${SAME_END}`, `a.${SAME_END}`, SAME_END, SAME_END.slice(-32)]) {
    t.equal(cache.get(other, 0), undefined, `${other} is nobody`)
    cache.set(other, verified('other'), keys, 0)
    t.not(cache.get(other, 0)?.principal.subject, 'alice', `${other} is never alice`)
  }
  t.equal(cache.get(`alice.${SAME_END}`, 0)?.principal.subject, 'alice')
})

t.test('a token is remembered until it expires, to the millisecond', async t => {
  const cache = new TokenCache()
  cache.set('token', verified('alice', 1000), keys, 0)
  t.ok(cache.get('token', 999))
  t.notOk(cache.get('token', 1000))
  t.equal(cache.size, 0, 'and then forgotten')
})

t.test('a change of keys forgets what they verified, also meanwhile, and nothing that others did', async t => {
  const cache = new TokenCache()
  const changing = { generation: 0 }
  cache.set('token-of-one', verified('alice'), changing, 0)
  cache.set('token-of-another', verified('bob'), keys, 0)
  changing.generation = 1
  t.notOk(cache.get('token-of-one', 0))
  cache.set('token-of-one', verified('alice'), changing, 0)
  t.notOk(cache.get('token-of-one', 0), 'verified before the change')
  t.ok(cache.get('token-of-another', 0))
})

t.test('keys that are gone for good keep nothing', async t => {
  const cache = new TokenCache()
  const gone = { generation: 0 }
  cache.set('token', verified('alice'), gone, 0)
  gone.generation = Number.NaN
  t.notOk(cache.get('token', 0))
  cache.set('token', verified('alice'), gone, Number.NaN)
  t.notOk(cache.get('token', 0))
})

t.test('the oldest tokens go when there are too many characters, and none is counted twice', async t => {
  const cache = new TokenCache(30)
  for (const name of ['a', 'b', 'c', 'c', 'd']) cache.set(name.repeat(10), verified(name), keys, 0)
  t.equal(cache.size, 3)
  t.notOk(cache.get('a'.repeat(10), 0))
  for (const name of ['b', 'c', 'd']) t.ok(cache.get(name.repeat(10), 0), name)
})
