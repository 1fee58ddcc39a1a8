// Addresses of Redis with sentinels and with a cluster, as values; what is wrong with one is said in a sentence.
import { inspect } from 'node:util'
import t from 'tap'
import { readRedisAddress, readStoreAddress, schemeOf } from '../../src/lib/service/store-address.ts'
import { redisAddress, storeAddress } from './addresses.ts'

t.test('sentinels are named with what they call the master', async t => {
  t.strictSame(readRedisAddress('redis+sentinel://a,b:1,[::1]:2/replies'), {
    kind: 'redis',
    topology: 'sentinel',
    hosts: [
      { host: 'a', port: 26_379 },
      { host: 'b', port: 1 },
      { host: '::1', port: 2 }
    ],
    isTls: false,
    master: 'replies',
    database: 0
  })
  t.match(readRedisAddress('rediss+sentinel://u:p%40ss@a/my.master-1/3'), {
    username: 'u',
    master: 'my.master-1',
    database: 3,
    isTls: true
  })
})

t.test('the nodes of a cluster are named, and it has one database', async t => {
  t.strictSame(readRedisAddress('redis+cluster://a,b:7000'), {
    kind: 'redis',
    topology: 'cluster',
    hosts: [
      { host: 'a', port: 6379 },
      { host: 'b', port: 7000 }
    ],
    isTls: false,
    database: 0
  })
  for (const text of ['rediss+cluster://a/', 'rediss+cluster://a/0']) t.match(readRedisAddress(text), { isTls: true })
})

t.test('passwords of data and of sentinels are two secrets', async t => {
  const address = redisAddress('redis+sentinel://u:data%2F+1@a/m?sentinel_username=s&sentinel_password=watch%26+2')

  t.equal(address.password?.reveal(), 'data/+1')
  t.equal(address.sentinelPassword?.reveal(), 'watch&+2')
  t.match(address, { username: 'u', sentinelUsername: 's' })
  for (const shown of [JSON.stringify(address), inspect(address)]) t.notMatch(shown, /data\/|watch/)
})

const WRONG: Readonly<Record<string, RegExp>> = {
  'redis+sentinal://a/m': /^has a scheme that is none of redis, redis\+sentinel and redis\+cluster/,
  'rediss+clusters://a': /^has a scheme/,
  'redis+sentinel://a,b': /^names no master: write what the sentinels call it at the end/,
  'redis+sentinel://a/': /^names no master/,
  'redis+sentinel://a/m/x': /^is not redis\(s\)\+sentinel:/,
  'redis+sentinel://a/m/1/2': /^is not redis\(s\)\+sentinel:/,
  'redis+sentinel:///m': /^is not redis\(s\)\+sentinel:/,
  'redis+sentinel://a:99999/m': /^is not redis\(s\)\+sentinel:/,
  'redis+sentinel://a,,b/m': /^is not redis\(s\)\+sentinel:/,
  'redis+sentinel://a/m?db=1': /^is not redis\(s\)\+sentinel:/,
  'redis+sentinel://:50%-off@a/m': /^is not redis\(s\)\+sentinel:/,
  'redis+cluster://a,b/2': /^names a database, and a Redis Cluster has none but 0: take out/,
  'redis+cluster://a/name': /^is not redis\(s\)\+cluster:/,
  'redis+cluster://a?x=1': /^is not redis\(s\)\+cluster:/,
  'redis+cluster://': /^is not redis\(s\)\+cluster:/,
  'redis://a,b': /^names several hosts: redis\+sentinel:.*redis\+cluster:/,
  'redis://a:1,b:2': /^names several hosts/,
  'redis:a': /^is not redis\(s\):/
}
for (const [text, sentence] of Object.entries(WRONG)) {
  t.test(`${text} is no address, and the sentence says what to write`, async t => {
    t.match(readStoreAddress(text), sentence)
    t.notMatch(readStoreAddress(text), '50%')
  })
}

t.test('of an address its scheme is shown', async t => {
  t.strictSame(
    ['redis+sentinel://a/m', 'rediss+sentinel://a/m', 'redis+cluster://a', 'rediss+cluster://a'].map(text =>
      schemeOf(storeAddress(text))
    ),
    ['redis+sentinel', 'rediss+sentinel', 'redis+cluster', 'rediss+cluster']
  )
})
