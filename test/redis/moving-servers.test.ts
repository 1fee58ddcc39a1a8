// When a map of the servers is new enough: with a sentinel whose answers the test holds back.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { redisServers } from '../../src/redis/open-servers.ts'
import { needsRedis, type RedisServer, redisFor } from '../helpers/redis-server.ts'
import { until } from '../helpers/until.ts'
import { redisAddress } from '../lib/addresses.ts'

t.setTimeout(240_000)

/** Answers each question when `answer` resolves, with a port. */
async function sentinelFor(t: Test, answer: () => Promise<number>): Promise<string> {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.on('data', async bytes => {
      const text = String(bytes)
      for (const command of text.split(/(?=^\*\d+\r\n)/m)) {
        if (!command.includes('get-master-addr-by-name')) socket.write('+OK\r\n')
        else socket.write(`*2\r\n$9\r\n127.0.0.1\r\n${bulk(String(await answer()))}`)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `redis+sentinel://127.0.0.1:${(server.address() as AddressInfo).port}/replies`
}

async function servedBy(t: Test, first: RedisServer) {
  const sentinel = { asked: 0, answer: async (): Promise<number> => first.port }
  const url = await sentinelFor(t, () => {
    sentinel.asked++
    return sentinel.answer()
  })
  const servers = redisServers({
    variable: 'STORE_URL',
    address: redisAddress(url),
    commandTimeoutMs: 2000,
    handshake: async client => void (await client.redis.ping())
  })
  t.teardown(() => servers.close())
  await servers.open()
  return { servers, sentinel }
}

t.test('a look that began before a failover is not the one that is waited for after it', needsRedis(), async t => {
  const [former, latter] = await Promise.all([redisFor(t), redisFor(t)])
  const { servers, sentinel } = await servedBy(t, former)
  const held = Promise.withResolvers<void>()
  sentinel.answer = async () => {
    await held.promise
    return former.port
  }
  const askedBefore = sentinel.asked
  void servers.refresh()
  await until(() => sentinel.asked > askedBefore)
  sentinel.answer = async () => latter.port
  const refreshed = servers.refresh()
  held.resolve()
  await refreshed
  t.equal(servers.clientOf('key').connection.port, latter.port)
})

t.test('what has not heard of a move at first is asked once more', needsRedis(), async t => {
  const [former, latter] = await Promise.all([redisFor(t), redisFor(t)])
  const { servers, sentinel } = await servedBy(t, former)
  await former.command('REPLICAOF', '127.0.0.1', latter.port)
  const askedBefore = sentinel.asked
  sentinel.answer = async () => (sentinel.asked > askedBefore + 1 ? latter : former).port
  await servers.run('key', async redis => redis.set('key', 'value')).catch(error => t.match(error, /cannot be reached/))
  t.equal(servers.clientOf('key').connection.port, latter.port)
})

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}
