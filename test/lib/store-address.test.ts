// STORE_URL and AUTH_SESSION_STORE_URL as values: what is one, and that its password is never shown.
import { inspect } from 'node:util'
import t from 'tap'
import { readStoreAddress, schemeOf } from '../../src/lib/service/store-address.ts'
import { redisAddress, storeAddress } from './addresses.ts'

t.test('each kind of store has its own form', async t => {
  t.strictSame(readStoreAddress('memory:'), { kind: 'memory' })
  t.strictSame(readStoreAddress('file:/data/replies.db'), { kind: 'file', path: '/data/replies.db' })
  t.strictSame(readStoreAddress('redis://h'), {
    kind: 'redis',
    topology: 'single',
    hosts: [{ host: 'h', port: 6379 }],
    database: 0,
    isTls: false
  })
  t.match(readStoreAddress('rediss://u:p%40ss@[::1]:7000/2'), {
    kind: 'redis',
    hosts: [{ host: '::1', port: 7000 }],
    database: 2,
    username: 'u',
    isTls: true
  })
})

t.test('the password is a secret wherever the address is shown, and complete where it is needed', async t => {
  const address = redisAddress('redis://u:hunter%2F2@h:6379/0')

  t.equal(address.password?.reveal(), 'hunter/2')
  for (const shown of [JSON.stringify(address), inspect(address), `${address.password}`]) t.notMatch(shown, 'hunter')
})

t.test('what is not an address is none', async t => {
  const wrong = [
    '',
    'memory',
    'memory:x',
    'file:',
    'http://h',
    'h:6379',
    'redis://',
    'redis://h:99999',
    'redis://h h',
    'redis://h/name',
    'redis://h/1/2'
  ]
  const options = ['redis://h?db=1', 'redis://h:1/0?tls=true', 'redis://h?enableOfflineQueue=true', 'redis://h#1']
  const credentials = ['redis://:50%-off@h', 'redis://u:%zz@h', 'redis://user:pa%ZZ@h', 'redis://:p@']
  for (const text of [...wrong, ...options, ...credentials]) t.type(readStoreAddress(text), 'string', text)
})

t.test('of an address its scheme is shown', async t => {
  t.strictSame(
    ['memory:', 'file:x', 'redis://h', 'rediss://h'].map(text => schemeOf(storeAddress(text))),
    ['memory', 'file', 'redis', 'rediss']
  )
})
