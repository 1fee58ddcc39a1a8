import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import t from 'tap'
import { createAppSessionRedis } from '../../src/auth/app-session/store.ts'
import { createRedisStore } from '../../src/delivery/stores/redis/store.ts'
import { createRedisSessionStore } from '../../src/login/stores/redis.ts'
import { redisConnection } from '../../src/redis/address.ts'
import { selfSigned } from '../helpers/certificate.ts'
import { redisAddress } from '../lib/addresses.ts'

interface Closable {
  close(): unknown
}

const CLIENTS: Readonly<Record<string, (url: string) => Promise<Closable>>> = {
  records: url =>
    createRedisStore({ address: redisAddress(url), monotonic: () => performance.now(), emit: () => undefined }),
  'login sessions': url => createRedisSessionStore(redisAddress(url)),
  'sessions of the app': url => createAppSessionRedis({ address: redisAddress(url), prefix: 'sess:' })
}

for (const [name, open] of Object.entries(CLIENTS)) {
  t.test(`the client of ${name} tells a server behind rediss:// which name it wants`, async t => {
    const asked: string[] = []
    const server = createServer({
      ...selfSigned('localhost'),
      SNICallback(servername, done) {
        asked.push(servername)
        done(null)
      }
    })
    server.on('tlsClientError', () => undefined)
    server.listen(0, 'localhost')
    await once(server, 'listening')
    t.teardown(() => server.close())

    const client = await open(`rediss://localhost:${(server.address() as AddressInfo).port}`)
    await client.close()

    t.equal(asked[0], 'localhost')
  })
}

t.test('an address without a name asks for none', async t => {
  t.same(redisConnection(redisAddress('rediss://127.0.0.1'), 400).tls, {})
  t.same(redisConnection(redisAddress('rediss://[::1]:7000/2'), 400), {
    ...redisConnection(redisAddress('rediss://[::1]:7000/2'), 400),
    host: '::1',
    port: 7000,
    db: 2
  })
  t.equal(redisConnection(redisAddress('redis://h'), 400).tls, undefined)
})

t.test('a demoted primary is left, and no other complaint ends a connection', async t => {
  const { reconnectOnError, enableReadyCheck } = redisConnection(redisAddress('redis://h'), 400)

  t.equal(reconnectOnError?.(new Error("READONLY You can't write against a read only replica.")), true)
  t.equal(reconnectOnError?.(new Error('WRONGTYPE Operation against a key holding the wrong kind of value')), false)
  t.equal(enableReadyCheck, false, 'ioredis would print what the server says')
})
